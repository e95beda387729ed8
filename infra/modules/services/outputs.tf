output "names" {
  description = "The APIs that are on because of this module, sorted."
  value       = sort(keys(google_project_service.this))
}
