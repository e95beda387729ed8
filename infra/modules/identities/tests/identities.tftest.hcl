# Covers: the accounts, their roles in the project, what only CI that applies
# gets, names that are too long.
mock_provider "google" {}

variables {
  agent_email = "service-1@gcp-sa-aiplatform.iam.gserviceaccount.com"
  project_id  = "test-project"
  stack       = "test"
}

run "three_accounts" {
  command = plan

  assert {
    condition = (
      toset([for one in google_service_account.this : one.account_id]) ==
      toset(["test-predictor", "test-runner", "test-trainer"])
    )
    error_message = "The accounts are not runner, trainer and predictor of the stack."
  }
}

run "the_trainer_only_logs" {
  command = plan

  assert {
    condition     = join(" ", keys(google_project_iam_member.trainer)) == "roles/logging.logWriter"
    error_message = "In the project the trainer may only write logs."
  }
}

run "the_runner_administers_nothing" {
  command = plan

  assert {
    condition = !anytrue([
      for role in keys(google_project_iam_member.runner) :
      can(regex("(?i)admin|owner|editor", role)) && role != "roles/cloudbuild.builds.editor"
    ])
    error_message = "The runner has a role of administrators."
  }

  assert {
    condition     = length(google_project_iam_member.runner_bootstraps) == 0
    error_message = "The runner may change the project without being asked for."
  }
}

run "the_runner_acts_as_all_three" {
  command = plan

  assert {
    condition     = join(" ", keys(google_service_account_iam_member.runner_acts_as)) == "predictor runner trainer"
    error_message = "The runner cannot start jobs, servers and builds as their accounts."
  }
}

run "bootstrap_alone" {
  command = plan

  variables {
    may_bootstrap = true
  }

  assert {
    condition     = length(google_project_iam_member.runner_bootstraps) == 5
    error_message = "A stack without budget and GitHub takes five roles."
  }
}

run "bootstrap_of_everything" {
  command = plan

  variables {
    has_budget    = true
    has_github    = true
    may_bootstrap = true
  }

  assert {
    condition     = length(google_project_iam_member.runner_bootstraps) == 7
    error_message = "Budget and GitHub take a role each."
  }
}

run "the_state_is_read_when_there_is_one" {
  command = plan

  variables {
    state_bucket = "test-state"
  }

  assert {
    condition     = google_storage_bucket_iam_member.runner_reads_state[0].role == "roles/storage.objectViewer"
    error_message = "The runner must read the state, and no more."
  }
}

run "no_state_no_right" {
  command = plan

  assert {
    condition     = length(google_storage_bucket_iam_member.runner_reads_state) == 0
    error_message = "There is no bucket to be granted on."
  }
}

run "a_long_stack_is_refused" {
  command = plan

  variables {
    stack = "a-stack-of-21-letters"
  }

  expect_failures = [var.stack]
}
