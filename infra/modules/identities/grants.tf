# Bucket and repository have their grants in their own modules.

locals {
  runner_roles = toset([
    "roles/aiplatform.user",                   # all of Vertex AI's
    "roles/cloudbuild.builds.editor",          # the trainer's image
    "roles/cloudquotas.viewer",                # doctor: GPU quotas
    "roles/logging.viewer",                    # logs of its jobs
    "roles/serviceusage.serviceUsageConsumer", # calls on the project's quota
  ])
  trainer_roles = toset([
    "roles/logging.logWriter", # what the job prints
  ])
}

resource "google_project_iam_member" "runner" {
  for_each = local.runner_roles

  project = var.project_id
  role    = each.value
  member  = google_service_account.this["runner"].member
}

resource "google_project_iam_member" "trainer" {
  for_each = local.trainer_roles

  project = var.project_id
  role    = each.value
  member  = google_service_account.this["trainer"].member
}

# Who starts a job, a server or a build as an account must be allowed to act as
# it, the account itself too: builds of images run as the runner.
resource "google_service_account_iam_member" "runner_acts_as" {
  for_each = toset(["predictor", "runner", "trainer"])

  service_account_id = google_service_account.this[each.value].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.this["runner"].member
}

# "Use a custom service account": Vertex AI's agent must administer the account
# that serving containers run as, read 2026-08-22.
resource "google_service_account_iam_member" "agent_administers" {
  service_account_id = google_service_account.this["predictor"].name
  role               = "roles/iam.serviceAccountAdmin"
  member             = "serviceAccount:${var.agent_email}"
}

resource "google_storage_bucket_iam_member" "runner_reads_state" {
  count = var.state_bucket == null ? 0 : 1

  bucket = var.state_bucket
  role   = "roles/storage.objectViewer"
  member = google_service_account.this["runner"].member
}
