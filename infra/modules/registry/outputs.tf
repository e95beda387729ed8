output "address" {
  description = "Where images are pushed to and pulled from: REGION-docker.pkg.dev/PROJECT/NAME."
  value = join("/", [
    "${google_artifact_registry_repository.this.location}-docker.pkg.dev",
    var.project_id, google_artifact_registry_repository.this.repository_id
  ])
}
