terraform {
  # 1.9: a validation may read another variable.
  required_version = ">= 1.9"

  required_providers {
    google = {
      source = "hashicorp/google"
      # 7.26: endpoints over http keep their path (pull request 26600).
      version = ">= 7.26, < 9"
    }
  }
}
