locals {
  # docs.cloud.google.com/iam/docs/service-agents, read 2026-08-22.
  agent = join("@", [
    "service-${var.project_number}",
    "gcp-sa-aiplatform.iam.gserviceaccount.com"
  ])
}

resource "google_project_iam_member" "members" {
  for_each = var.members

  project = var.project_id
  role    = "roles/aiplatform.user"
  member  = each.value
}
