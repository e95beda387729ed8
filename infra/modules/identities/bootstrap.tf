# Only with `may_bootstrap`. Each is more than the runner needs to train and
# serve, and the third lets it give itself anything in the project.

locals {
  bootstrap_roles = toset(var.may_bootstrap ? concat(
    [
      "roles/artifactregistry.admin",          # the repository, its policy
      "roles/iam.serviceAccountAdmin",         # the accounts, their policies
      "roles/resourcemanager.projectIamAdmin", # the grants in the project
      "roles/serviceusage.serviceUsageAdmin",  # APIs, agents, quotas
      "roles/storage.admin",                   # bucket, its policy, the state
    ],
    # The address that a budget's alerts go to. The budget itself is the billing
    # account's: module budget.
    var.has_budget ? ["roles/monitoring.notificationChannelEditor"] : [],
    # The pool and the provider by which GitHub signs in.
    var.has_github ? ["roles/iam.workloadIdentityPoolAdmin"] : []
  ) : [])
}

resource "google_project_iam_member" "runner_bootstraps" {
  # checkov:skip=CKV_GCP_49: asked for by `may_bootstrap`, off unless said; the README says what it means.
  for_each = local.bootstrap_roles

  project = var.project_id
  role    = each.value
  member  = google_service_account.this["runner"].member
}
