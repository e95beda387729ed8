# Covers: the condition, the mapping, ids that are none.
mock_provider "google" {}

variables {
  owner_id        = "1342004"
  pool_id         = "test-github"
  project_id      = "test-project"
  repository_id   = "17417103"
  service_account = "projects/test-project/serviceAccounts/test-runner@test-project.iam.gserviceaccount.com"
}

run "both_numbers_are_asked_for" {
  command = plan

  assert {
    condition = (
      google_iam_workload_identity_pool_provider.this.attribute_condition ==
      "assertion.repository_owner_id == '1342004' && assertion.repository_id == '17417103'"
    )
    error_message = "Received: ${google_iam_workload_identity_pool_provider.this.attribute_condition}"
  }
}

run "an_environment_is_asked_for_too" {
  command = plan

  variables {
    environment = "google"
  }

  assert {
    condition = endswith(
      google_iam_workload_identity_pool_provider.this.attribute_condition,
      " && assertion.repository_id == '17417103' && assertion.environment == 'google'"
    )
    error_message = "Received: ${google_iam_workload_identity_pool_provider.this.attribute_condition}"
  }
}

run "an_environment_that_ends_the_condition_is_refused" {
  command = plan

  variables {
    environment = "x' || 'x' == 'x"
  }

  expect_failures = [var.environment]
}

run "github_signs" {
  command = plan

  assert {
    condition = (
      google_iam_workload_identity_pool_provider.this.oidc[0].issuer_uri ==
      "https://token.actions.githubusercontent.com"
    )
    error_message = "Somebody else than GitHub is believed."
  }
}

run "the_repository_acts_as_the_account" {
  # Applied, with the provider mocked: the member has the pool's name in it.
  command = apply

  assert {
    condition = endswith(
      google_service_account_iam_member.workflows.member,
      "/attribute.repository_id/17417103"
    )
    error_message = "Received: ${google_service_account_iam_member.workflows.member}"
  }

  assert {
    condition     = google_service_account_iam_member.workflows.role == "roles/iam.workloadIdentityUser"
    error_message = "Received: ${google_service_account_iam_member.workflows.role}"
  }
}

run "an_owner_by_name_is_refused" {
  command = plan

  variables {
    owner_id = "octocat"
  }

  expect_failures = [var.owner_id]
}

run "a_repository_by_name_is_refused" {
  command = plan

  variables {
    repository_id = "octocat/hello"
  }

  expect_failures = [var.repository_id]
}

run "a_pool_of_google_s_is_refused" {
  command = plan

  variables {
    pool_id = "gcp-github"
  }

  expect_failures = [var.pool_id]
}
