locals {
  # Each with what calls it.
  always = [
    "aiplatform.googleapis.com",           # everything ops is for
    "artifactregistry.googleapis.com",     # images
    "cloudbilling.googleapis.com",         # doctor: is billing on
    "cloudbuild.googleapis.com",           # building an image without Docker
    "cloudquotas.googleapis.com",          # doctor, gpu_quota
    "cloudresourcemanager.googleapis.com", # the project and its grants
    "iam.googleapis.com",                  # accounts, identity pools
    "iamcredentials.googleapis.com",       # acting as an account
    "logging.googleapis.com",              # logs of jobs
    "orgpolicy.googleapis.com",            # doctor: organisation policies
    "serviceusage.googleapis.com",         # this list
    "storage.googleapis.com",              # photos, data sets, runs, state
  ]
  # Without these a destroy could not go on, nor write down that it is done.
  needed_to_destroy = [
    "cloudresourcemanager.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
  ]
}

resource "google_project_service" "this" {
  for_each = toset(concat(local.always, var.more))

  project = var.project_id
  service = each.value
  disable_on_destroy = (
    var.disable_on_destroy && !contains(local.needed_to_destroy, each.value)
  )
  # What needs one of these may be somebody else's: then it stays on, and the
  # destroy says so.
  disable_dependent_services = false
}
