locals {
  accounts = {
    predictor = "Prediction servers of stack ${var.stack}"
    runner    = "ops and CI, stack ${var.stack}"
    trainer   = "Training jobs of stack ${var.stack}"
  }
}

resource "google_service_account" "this" {
  for_each = local.accounts

  project      = var.project_id
  account_id   = "${var.stack}-${each.key}"
  display_name = each.value
  # An apply that was cut off may have made it and not written it down.
  create_ignore_already_exists = true
}
