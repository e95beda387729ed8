locals {
  labels = merge(var.labels, {
    ops-owner = var.owner
    ops-stack = var.stack
  })
  project_number = coalesce(
    var.project_number, one(data.google_project.this[*].number)
  )
}

# Counted: with the number given, a plan needs no call.
data "google_project" "this" {
  count = var.project_number == null ? 1 : 0

  project_id = var.project_id
}

module "services" {
  source = "./modules/services"

  disable_on_destroy = var.disable_services_on_destroy
  project_id         = var.project_id
  more = concat(
    var.budget == null ? [] : [
      "billingbudgets.googleapis.com", "monitoring.googleapis.com"
    ],
    var.github == null ? [] : ["sts.googleapis.com"]
  )
}

module "identities" {
  source = "./modules/identities"

  agent_email   = module.automl.agent_email
  has_budget    = var.budget != null
  has_github    = var.github != null
  may_bootstrap = var.runner_may_bootstrap
  project_id    = var.project_id
  stack         = var.stack
  state_bucket  = var.state_bucket

  depends_on = [module.services]
}

module "bucket" {
  source = "./modules/bucket"

  deletion_protection = var.deletion_protection
  name                = var.bucket_name
  project_id          = var.project_id
  region              = var.region
  soft_delete_days    = var.bucket_soft_delete_days
  versioning          = var.bucket_versioning

  readers = {
    agent     = "serviceAccount:${module.automl.agent_email}"
    predictor = "serviceAccount:${module.identities.predictor_email}"
    runner    = "serviceAccount:${module.identities.runner_email}"
    trainer   = "serviceAccount:${module.identities.trainer_email}"
  }
  run_writers = {
    trainer = "serviceAccount:${module.identities.trainer_email}"
  }
  writers = {
    runner = "serviceAccount:${module.identities.runner_email}"
  }

  depends_on = [module.services]
}

module "automl" {
  source = "./modules/automl"

  members        = var.automl_members
  project_id     = var.project_id
  project_number = local.project_number

  depends_on = [module.services]
}

module "gpu_quota" {
  source = "./modules/gpu-quota"

  contact_email = var.contact_email
  project_id    = var.project_id
  region        = var.region
  requests      = var.gpu_quota

  depends_on = [module.services]
}

module "registry" {
  source = "./modules/registry"

  name       = "ops-${var.stack}"
  project_id = var.project_id
  region     = var.region

  writers = {
    runner = "serviceAccount:${module.identities.runner_email}"
  }

  depends_on = [module.services]
}

module "budget" {
  source = "./modules/budget"
  count  = var.budget == null ? 0 : 1

  amount          = var.budget.amount
  billing_account = var.budget.billing_account
  email           = var.budget.email
  labels          = local.labels
  name            = "ops ${var.stack}"
  project_id      = var.project_id
  project_number  = local.project_number
  thresholds      = var.budget.thresholds

  managers = var.runner_may_bootstrap ? {
    runner = "serviceAccount:${module.identities.runner_email}"
  } : {}

  depends_on = [module.services]
}

module "github" {
  source = "./modules/github"
  count  = var.github == null ? 0 : 1

  environment     = var.github.environment
  owner_id        = var.github.owner_id
  pool_id         = "${var.stack}-github"
  project_id      = var.project_id
  repository_id   = var.github.repository_id
  service_account = module.identities.runner_name

  depends_on = [module.services]
}
