output "automl_agent" {
  description = "Address of the account that Vertex AI itself acts as in the project."
  value       = module.automl.agent_email
}

output "bucket" {
  description = "Name of the bucket."
  value       = module.bucket.name
}

output "github_provider" {
  description = "Full name of the workload identity provider, as google-github-actions/auth takes it; null without `github`."
  value       = one(module.github[*].provider_name)
}

output "gpu_quota_granted" {
  description = "GPUs that Google has granted so far, by the names of `gpu_quota`; null where it has not answered."
  value       = module.gpu_quota.granted
}

output "predictor_email" {
  description = "Address of the account that serving containers run as."
  value       = module.identities.predictor_email
}

output "project_number" {
  description = "Number of the project."
  value       = local.project_number
}

output "region" {
  description = "Region of the stack."
  value       = var.region
}

output "repository" {
  description = "Where images are pushed to and pulled from: REGION-docker.pkg.dev/PROJECT/REPOSITORY."
  value       = module.registry.address
}

output "runner_email" {
  description = "Address of the account that ops and CI act as."
  value       = module.identities.runner_email
}

output "trainer_email" {
  description = "Address of the account that training jobs run as."
  value       = module.identities.trainer_email
}
