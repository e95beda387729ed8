# Where Google is, and who asks, come from the environment: the same files
# serve the local cloud.
provider "google" {
  project        = var.project_id
  region         = var.region
  default_labels = local.labels

  # A round of batching waits this long, 3 s unless said. Left out, the first
  # reads as false: each grant in the project would be its own write of 3 s.
  batching {
    enable_batching = true
    send_after      = "200ms"
  }
}
