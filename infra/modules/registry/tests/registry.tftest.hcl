# Covers: the address, what is thrown away, who may push.
mock_provider "google" {}

variables {
  name       = "ops-test"
  project_id = "test-project"
  region     = "us-central1"
}

run "the_address_is_known_before" {
  command = plan

  assert {
    condition     = output.address == "us-central1-docker.pkg.dev/test-project/ops-test"
    error_message = "Received: ${output.address}"
  }
}

run "policies_really_delete" {
  command = plan

  assert {
    condition     = !google_artifact_registry_repository.this.cleanup_policy_dry_run
    error_message = "The policies would only be looked at."
  }

  assert {
    condition = (
      toset([for one in google_artifact_registry_repository.this.cleanup_policies : one.action]) ==
      toset(["DELETE", "KEEP"])
    )
    error_message = "Untagged images go, recent ones stay."
  }
}

run "nobody_pushes_unless_said" {
  command = plan

  assert {
    condition     = length(google_artifact_registry_repository_iam_member.writers) == 0
    error_message = "Somebody may push without being asked for."
  }
}

run "writers_push_here_only" {
  command = plan

  variables {
    writers = { ci = "user:ci@example.com" }
  }

  assert {
    condition     = google_artifact_registry_repository_iam_member.writers["ci"].role == "roles/artifactregistry.writer"
    error_message = "Received: ${google_artifact_registry_repository_iam_member.writers["ci"].role}"
  }
}

run "keeping_none_is_refused" {
  command = plan

  variables {
    keep_count = 0
  }

  expect_failures = [var.keep_count]
}

run "a_name_with_underscores_is_refused" {
  command = plan

  variables {
    name = "ops_test"
  }

  expect_failures = [var.name]
}

run "deleting_at_once_is_refused" {
  command = plan

  variables {
    untagged_days = 0
  }

  expect_failures = [var.untagged_days]
}
