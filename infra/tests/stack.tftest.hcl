# Covers: what is there by default and what only when asked for, labels,
# protection, outputs, and each rule of the variables.
mock_provider "google" {
  mock_data "google_project" {
    defaults = {
      number = "123456789012"
    }
  }

  # Random text does not pass the provider's own checks of members.
  mock_resource "google_service_account" {
    defaults = {
      email  = "test-account@test-project.iam.gserviceaccount.com"
      member = "serviceAccount:test-account@test-project.iam.gserviceaccount.com"
      name   = "projects/test-project/serviceAccounts/test-account@test-project.iam.gserviceaccount.com"
    }
  }
}

variables {
  bucket_name = "test-project-ops-test"
  owner       = "ada"
  project_id  = "test-project"
  stack       = "test"
}

run "the_least" {
  command = plan

  assert {
    condition     = length(module.budget) == 0
    error_message = "There is a budget that nobody asked for."
  }

  assert {
    condition     = length(module.github) == 0
    error_message = "GitHub may sign in without being asked for."
  }

  assert {
    condition     = output.github_provider == null
    error_message = "There is a provider without a repository."
  }

  assert {
    condition     = length(output.gpu_quota_granted) == 0
    error_message = "A quota is asked for that nobody wanted."
  }
}

run "the_number_is_looked_up" {
  command = plan

  assert {
    condition     = length(data.google_project.this) == 1
    error_message = "Nothing tells the project's number."
  }

  assert {
    condition     = output.project_number == "123456789012"
    error_message = "Received: ${output.project_number}"
  }
}

run "a_number_that_is_given_is_not_looked_up" {
  command = plan

  variables {
    project_number = "987654321098"
  }

  assert {
    condition     = length(data.google_project.this) == 0
    error_message = "A plan without a network would fail."
  }

  assert {
    condition     = output.automl_agent == "service-987654321098@gcp-sa-aiplatform.iam.gserviceaccount.com"
    error_message = "Received: ${output.automl_agent}"
  }
}

run "everything" {
  # Applied, with the provider mocked: outputs have names that it gives.
  command = apply

  variables {
    automl_members       = ["user:ada@example.com"]
    contact_email        = "ada@example.com"
    runner_may_bootstrap = true
    state_bucket         = "test-project-ops-test-state"

    budget = {
      billing_account = "012345-6789AB-CDEF01"
      amount          = 50
      email           = "ada@example.com"
    }

    github = {
      owner_id      = "1342004"
      repository_id = "17417103"
    }

    gpu_quota = {
      t4 = { gpu = "NVIDIA_TESLA_T4", use = "training", count = 1 }
    }
  }

  assert {
    condition     = output.repository == "us-central1-docker.pkg.dev/test-project/ops-test"
    error_message = "Received: ${output.repository}"
  }

  assert {
    condition     = output.github_provider != null
    error_message = "The workflows have no provider to sign in by."
  }

  assert {
    condition     = join(" ", keys(output.gpu_quota_granted)) == "t4"
    error_message = "The request that was made is not told."
  }

  assert {
    condition     = output.bucket == "test-project-ops-test"
    error_message = "Received: ${output.bucket}"
  }
}

run "labels_say_whose_it_is" {
  command = plan

  variables {
    labels = { team = "vision" }
  }

  assert {
    condition = jsonencode(local.labels) == jsonencode({
      ops-owner = "ada"
      ops-stack = "test"
      team      = "vision"
    })
    error_message = "Labels are those asked for, the stack and its owner."
  }
}

run "quota_without_a_contact_is_refused" {
  command = plan

  variables {
    gpu_quota = {
      t4 = { gpu = "NVIDIA_TESLA_T4", use = "training", count = 1 }
    }
  }

  expect_failures = [var.contact_email]
}

run "a_label_of_the_stack_s_own_is_refused" {
  command = plan

  variables {
    labels = { ops-stack = "another" }
  }

  expect_failures = [var.labels]
}

run "a_label_with_capitals_is_refused" {
  command = plan

  variables {
    labels = { Team = "vision" }
  }

  expect_failures = [var.labels]
}

run "an_owner_with_an_address_is_refused" {
  command = plan

  variables {
    owner = "ada@example.com"
  }

  expect_failures = [var.owner]
}

run "a_project_by_name_is_refused" {
  command = plan

  variables {
    project_id = "My Project"
  }

  expect_failures = [var.project_id]
}

run "a_number_with_letters_is_refused" {
  command = plan

  variables {
    project_number = "test-project"
  }

  expect_failures = [var.project_number]
}

run "a_multi_region_is_refused" {
  command = plan

  variables {
    region = "eu"
  }

  expect_failures = [var.region]
}

run "a_zone_is_refused" {
  command = plan

  variables {
    region = "us-central1-a"
  }

  expect_failures = [var.region]
}

run "a_long_stack_is_refused" {
  command = plan

  variables {
    stack = "a-stack-of-21-letters"
  }

  expect_failures = [var.stack]
}
