resource "google_monitoring_notification_channel" "email" {
  count = var.email == null ? 0 : 1

  project      = var.project_id
  type         = "email"
  display_name = "${var.name} budget"
  labels       = { email_address = var.email }
  user_labels  = var.labels
}

resource "google_billing_budget" "this" {
  billing_account = var.billing_account
  display_name    = var.name

  budget_filter {
    # By number: Google answers so, and another spelling would be a change.
    projects               = ["projects/${var.project_number}"]
    credit_types_treatment = "INCLUDE_ALL_CREDITS"
    calendar_period        = "MONTH"
  }

  amount {
    specified_amount {
      units = tostring(var.amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = var.thresholds

    content {
      threshold_percent = threshold_rules.value
    }
  }

  dynamic "all_updates_rule" {
    for_each = var.email == null ? [] : [1]

    content {
      disable_default_iam_recipients = false
      monitoring_notification_channels = [
        google_monitoring_notification_channel.email[0].id
      ]
    }
  }
}

resource "google_billing_account_iam_member" "managers" {
  for_each = var.managers

  billing_account_id = var.billing_account
  role               = "roles/billing.costsManager"
  member             = each.value
}
