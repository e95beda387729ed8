# Covers: amount, thresholds, the address, who may change it, what is no budget.
mock_provider "google" {}

variables {
  amount          = 50
  billing_account = "012345-6789AB-CDEF01"
  name            = "ops test"
  project_id      = "test-project"
  project_number  = "123456789012"
}

run "this_project_only" {
  command = plan

  assert {
    condition     = join(" ", google_billing_budget.this.budget_filter[0].projects) == "projects/123456789012"
    error_message = "The budget watches another project, or all."
  }

  assert {
    condition     = google_billing_budget.this.amount[0].specified_amount[0].units == "50"
    error_message = "The amount is not what was asked for."
  }
}

run "a_rule_for_each_threshold" {
  command = plan

  assert {
    condition     = jsonencode(google_billing_budget.this.threshold_rules[*].threshold_percent) == "[0.5,0.9,1]"
    error_message = "Alerts come at half, nine tenths and all of the amount."
  }
}

run "no_address_no_channel" {
  command = plan

  assert {
    condition     = length(google_monitoring_notification_channel.email) == 0
    error_message = "There is a channel and nobody to write to."
  }
}

run "an_address_is_told_too" {
  command = plan

  variables {
    email = "ada@example.com"
  }

  assert {
    condition     = google_monitoring_notification_channel.email[0].labels.email_address == "ada@example.com"
    error_message = "The channel leads elsewhere."
  }

  assert {
    condition     = !google_billing_budget.this.all_updates_rule[0].disable_default_iam_recipients
    error_message = "The billing account's administrators are no longer told."
  }
}

run "nobody_manages_unless_said" {
  command = plan

  assert {
    condition     = length(google_billing_account_iam_member.managers) == 0
    error_message = "Somebody gets a right to the billing account without being asked for."
  }
}

run "managers_change_budgets" {
  command = plan

  variables {
    managers = { ci = "user:ci@example.com" }
  }

  assert {
    condition     = google_billing_account_iam_member.managers["ci"].role == "roles/billing.costsManager"
    error_message = "Received: ${google_billing_account_iam_member.managers["ci"].role}"
  }
}

run "nothing_is_refused" {
  command = plan

  variables {
    amount = 0
  }

  expect_failures = [var.amount]
}

run "cents_are_refused" {
  command = plan

  variables {
    amount = 9.99
  }

  expect_failures = [var.amount]
}

run "an_account_by_name_is_refused" {
  command = plan

  variables {
    billing_account = "My Billing Account"
  }

  expect_failures = [var.billing_account]
}

run "an_email_that_is_no_address_is_refused" {
  command = plan

  variables {
    email = "ada"
  }

  expect_failures = [var.email]
}

run "a_name_that_is_too_long_is_refused" {
  command = plan

  variables {
    name = "a name for a budget that has more than the sixty characters allowed"
  }

  expect_failures = [var.name]
}

run "percent_are_refused" {
  command = plan

  variables {
    thresholds = [50, 90, 100]
  }

  expect_failures = [var.thresholds]
}
