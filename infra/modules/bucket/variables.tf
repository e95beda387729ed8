variable "deletion_protection" {
  description = "Whether a destroy stops at a bucket that holds objects, instead of deleting them."
  type        = bool
  default     = true
}

variable "name" {
  description = "Name of the bucket, unique in all of Cloud Storage."
  type        = string

  validation {
    condition = (
      can(regex("^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$", var.name)) &&
      !startswith(var.name, "goog") && !strcontains(var.name, "google")
    )
    error_message = "name must be 3 to 63 lower-case letters, digits, _ and -, from a letter or digit to one; Cloud Storage takes no name that starts with goog or has google in it, and one with a dot only of a domain's owner."
  }
}

variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "readers" {
  description = "Who may read and list objects, by a name that is known before the member is."
  type        = map(string)
  default     = {}
}

variable "region" {
  description = "Region of the bucket; Vertex AI reads from its own."
  type        = string
}

variable "run_writers" {
  description = "Who may make, replace and delete objects under `runs/` only, by a name that is known before the member is."
  type        = map(string)
  default     = {}
}

variable "soft_delete_days" {
  description = "Days for which deleted objects can be restored, and are billed."
  type        = number
  default     = 0

  validation {
    condition = (
      var.soft_delete_days == 0 ||
      var.soft_delete_days >= 7 && var.soft_delete_days <= 90
    )
    error_message = "soft_delete_days must be 0 for none, or 7 to 90, which is what Cloud Storage takes."
  }
}

variable "versioning" {
  description = "Whether replaced and deleted objects are kept as older versions, and billed, for 30 days."
  type        = bool
  default     = false
}

variable "writers" {
  description = "Who may look at the bucket and make, replace and delete its objects, by a name that is known before the member is; to read them too, they must be `readers`."
  type        = map(string)
  default     = {}
}
