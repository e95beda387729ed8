locals {
  pool = google_iam_workload_identity_pool.this
}

resource "google_iam_workload_identity_pool" "this" {
  project                   = var.project_id
  workload_identity_pool_id = var.pool_id
  display_name              = "GitHub Actions"
  description               = "Workflows of one repository"
}

resource "google_iam_workload_identity_pool_provider" "this" {
  # checkov:skip=CKV_GCP_125: it looks for a name in assertion.sub; names can be given up and taken by somebody else, the numbers below cannot.
  project                            = var.project_id
  workload_identity_pool_id          = local.pool.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  display_name                       = "GitHub Actions"

  attribute_condition = join(" && ", concat(
    [
      "assertion.repository_owner_id == '${var.owner_id}'",
      "assertion.repository_id == '${var.repository_id}'"
    ],
    # A job without an environment has no such claim, and is refused.
    var.environment == null ? [] : [
      "assertion.environment == '${var.environment}'"
    ]
  ))
  attribute_mapping = {
    "attribute.repository_id" = "assertion.repository_id"
    "google.subject"          = "assertion.sub"
  }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account_iam_member" "workflows" {
  service_account_id = var.service_account
  role               = "roles/iam.workloadIdentityUser"
  member = join("/", [
    "principalSet://iam.googleapis.com",
    local.pool.name, "attribute.repository_id", var.repository_id
  ])
}
