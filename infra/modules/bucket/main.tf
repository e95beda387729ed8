locals {
  # What ops and jobs write for one run lies under this folder.
  runs = "projects/_/buckets/${var.name}/objects/runs/"
}

resource "google_storage_bucket" "this" {
  # checkov:skip=CKV_GCP_62: usage logs need a second bucket; Cloud Audit Logs can tell who read what.
  # checkov:skip=CKV_GCP_78: versions are a choice (`versioning`): photos are named by their hash and never change.
  project                     = var.project_id
  name                        = var.name
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  versioning {
    enabled = var.versioning
  }

  # Google's own default is 7 days, in which deleted photos are still billed.
  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 24 * 60 * 60
  }

  # Parts of uploads that nobody finished are billed, and no listing has them.
  lifecycle_rule {
    condition {
      age = 7
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  dynamic "lifecycle_rule" {
    for_each = var.versioning ? [30] : []

    content {
      condition {
        days_since_noncurrent_time = lifecycle_rule.value
      }
      action {
        type = "Delete"
      }
    }
  }
}

# A binding has all the members of its role: who else is given it by hand loses
# it, and shows in the plan until then. Each is one write of the bucket's
# policy, of which a stack pays for three, and not for one a member.

resource "google_storage_bucket_iam_binding" "readers" {
  count = length(var.readers) > 0 ? 1 : 0

  bucket  = google_storage_bucket.this.name
  role    = "roles/storage.objectViewer"
  members = values(var.readers)
}

resource "google_storage_bucket_iam_binding" "run_writers" {
  count = length(var.run_writers) > 0 ? 1 : 0

  bucket  = google_storage_bucket.this.name
  role    = "roles/storage.objectUser"
  members = values(var.run_writers)

  condition {
    title       = "runs only"
    description = "Photos, data sets and their manifests are not theirs."
    expression  = "resource.name.startsWith(\"${local.runs}\")"
  }
}

resource "google_storage_bucket_iam_binding" "writers" {
  count = length(var.writers) > 0 ? 1 : 0

  bucket = google_storage_bucket.this.name
  # The only role with storage.buckets.get and the making and deleting of
  # objects that has no say over the bucket. It lacks reading objects.
  role    = "roles/storage.legacyBucketWriter"
  members = values(var.writers)
}
