variable "automl_members" {
  description = "Who may use Vertex AI in the project beside the stack's own accounts: `user:`, `group:` or `serviceAccount:`, then an address."
  type        = set(string)
  default     = []
}

variable "bucket_name" {
  description = "Name of the bucket for photos, data sets and runs, unique in all of Cloud Storage."
  type        = string
}

variable "bucket_soft_delete_days" {
  description = "Days for which deleted objects can be restored, and are billed: 0, or 7 to 90."
  type        = number
  default     = 0
}

variable "bucket_versioning" {
  description = "Whether the bucket keeps replaced and deleted objects as older versions, for 30 days."
  type        = bool
  default     = false
}

variable "budget" {
  description = "A monthly budget that alerts and stops nothing: billing account, amount in the account's currency, an address for the alerts beside those of the account's administrators, and the shares of the amount at which they are sent. Null: none."
  type = object({
    billing_account = string
    amount          = number
    email           = optional(string)
    thresholds      = optional(list(number), [0.5, 0.9, 1.0])
  })
  default = null
}

variable "contact_email" {
  description = "Address at which Google asks about the requests of `gpu_quota`; its account must be allowed to change the project's quotas."
  type        = string
  default     = null

  validation {
    condition     = length(var.gpu_quota) == 0 || var.contact_email != null
    error_message = "contact_email must be set where gpu_quota asks for something: Google takes no request for a higher quota without one."
  }
}

variable "deletion_protection" {
  description = "Whether a destroy stops at a bucket that holds objects, instead of deleting them."
  type        = bool
  default     = true
}

variable "disable_services_on_destroy" {
  description = "Whether a destroy switches the APIs off too, for everybody in the project."
  type        = bool
  default     = false
}

variable "github" {
  description = "The one GitHub repository whose workflows may act as the runner, by numeric ids (`gh api repos/OWNER/NAME --jq '.owner.id, .id'`), and of these, if `environment` names one, only the jobs that run in that environment. Null: none."
  type = object({
    owner_id      = string
    repository_id = string
    environment   = optional(string)
  })
  default = null
}

variable "gpu_quota" {
  description = "GPUs to ask Google for, by a name of your own: Vertex AI's accelerator type, what for (`training`, `spot-training`, `serving`), how many, and where (`region` unless said). A name keeps its type, use and region: Google lets only the count change."
  type = map(object({
    gpu    = string
    use    = string
    count  = number
    region = optional(string)
  }))
  default = {}
}

variable "labels" {
  description = "Labels for everything that takes labels, beside `ops-stack` and `ops-owner`."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for key, value in var.labels :
      can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) &&
      can(regex("^[a-z0-9_-]{0,63}$", value)) && !startswith(key, "ops-")
    ])
    error_message = "labels must have lower-case letters, digits, _ and -, at most 63 of them, keys from a letter on; those that start with ops- are the stack's own."
  }
}

variable "owner" {
  description = "Who answers for the stack, as the value of the label `ops-owner`."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9_-]{1,63}$", var.owner))
    error_message = "owner must be the value of a label: 1 to 63 lower-case letters, digits, _ and -."
  }
}

variable "project_id" {
  description = "Id of an existing project with billing on."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be a project's id, not its name or number: 6 to 30 lower-case letters, digits and hyphens, from a letter on, no hyphen last."
  }
}

variable "project_number" {
  description = "Number of the project. Null: it is looked up, which an offline plan cannot."
  type        = string
  default     = null

  validation {
    condition     = var.project_number == null || can(regex("^[0-9]+$", var.project_number))
    error_message = "project_number must be digits: `gcloud projects describe PROJECT --format='value(projectNumber)'`."
  }
}

variable "region" {
  description = "Region of the bucket, the images and the GPUs asked for: that of Vertex AI, which reads from its own region. AutoML for images is in few of them."
  type        = string
  default     = "us-central1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be one region, such as us-central1: no zone, and none of the multi-regions us, eu and asia, which Vertex AI does not read from."
  }
}

variable "runner_may_bootstrap" {
  description = "Whether the runner also gets the roles that apply and destroy need, for CI that does it all. With them it can give itself any other role in the project."
  type        = bool
  default     = false
}

variable "stack" {
  description = "Name of this deployment, one of perhaps several in the project."
  type        = string
  default     = "default"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", var.stack))
    error_message = "stack must be 1 to 20 lower-case letters, digits and hyphens, from a letter on, no hyphen last: accounts are named STACK-predictor, of at most 30."
  }
}

variable "state_bucket" {
  description = "Bucket with this stack's Terraform state, which the runner then may read. Null: it may not."
  type        = string
  default     = null
}
