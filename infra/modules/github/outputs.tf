output "pool_name" {
  description = "Full name of the identity pool."
  value       = google_iam_workload_identity_pool.this.name
}

output "provider_name" {
  description = "Full name of the provider, as google-github-actions/auth takes it."
  value       = google_iam_workload_identity_pool_provider.this.name
}
