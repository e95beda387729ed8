# Covers: protection, versions, soft delete, who is granted what, names.
mock_provider "google" {}

variables {
  name       = "test-project-ops-test"
  project_id = "test-project"
  region     = "us-central1"
}

run "protected_unless_said" {
  command = plan

  assert {
    condition     = !google_storage_bucket.this.force_destroy
    error_message = "A destroy would delete a bucket with photos in it."
  }
}

run "unprotected_when_said" {
  command = plan

  variables {
    deletion_protection = false
  }

  assert {
    condition     = google_storage_bucket.this.force_destroy
    error_message = "A destroy would stop although protection is off."
  }
}

run "never_public" {
  command = plan

  assert {
    condition     = google_storage_bucket.this.public_access_prevention == "enforced"
    error_message = "Public access is not prevented."
  }

  assert {
    condition     = google_storage_bucket.this.uniform_bucket_level_access
    error_message = "Objects could have access lists of their own."
  }
}

run "deleted_objects_are_not_kept" {
  command = plan

  assert {
    condition     = google_storage_bucket.this.soft_delete_policy[0].retention_duration_seconds == 0
    error_message = "Deleted objects would be billed without being asked for."
  }

  assert {
    condition     = length(google_storage_bucket.this.lifecycle_rule) == 1
    error_message = "Without versions there is one rule: unfinished uploads."
  }
}

run "kept_when_asked" {
  command = plan

  variables {
    soft_delete_days = 7
    versioning       = true
  }

  assert {
    condition     = google_storage_bucket.this.soft_delete_policy[0].retention_duration_seconds == 604800
    error_message = "Seven days are 604800 seconds."
  }

  assert {
    condition     = length(google_storage_bucket.this.lifecycle_rule) == 2
    error_message = "Old versions would be kept and billed for ever."
  }
}

run "nobody_is_granted_anything_by_itself" {
  command = plan

  assert {
    condition = 0 == sum([
      length(google_storage_bucket_iam_binding.readers),
      length(google_storage_bucket_iam_binding.run_writers),
      length(google_storage_bucket_iam_binding.writers),
    ])
    error_message = "A bucket without members has a binding."
  }
}

run "one_binding_a_role" {
  command = plan

  variables {
    readers = {
      one = "user:one@example.com"
      two = "user:two@example.com"
    }
  }

  assert {
    condition     = length(google_storage_bucket_iam_binding.readers[0].members) == 2
    error_message = "Both readers belong into one binding."
  }
}

run "jobs_write_runs_only" {
  command = plan

  variables {
    run_writers = { job = "user:job@example.com" }
  }

  assert {
    condition = (
      google_storage_bucket_iam_binding.run_writers[0].condition[0].expression ==
      "resource.name.startsWith(\"projects/_/buckets/test-project-ops-test/objects/runs/\")"
    )
    error_message = "The condition does not keep to this bucket's runs."
  }
}

run "a_name_with_google_is_refused" {
  command = plan

  variables {
    name = "my-google-photos"
  }

  expect_failures = [var.name]
}

run "a_name_with_capitals_is_refused" {
  command = plan

  variables {
    name = "My-Photos"
  }

  expect_failures = [var.name]
}

run "three_days_are_refused" {
  command = plan

  variables {
    soft_delete_days = 3
  }

  expect_failures = [var.soft_delete_days]
}

run "a_hundred_days_are_refused" {
  command = plan

  variables {
    soft_delete_days = 100
  }

  expect_failures = [var.soft_delete_days]
}
