variable "keep_count" {
  description = "How many of the newest versions of each image are kept, tagged or not."
  type        = number
  default     = 5

  validation {
    condition     = var.keep_count >= 1 && floor(var.keep_count) == var.keep_count
    error_message = "keep_count must be a whole number from 1 on: models are served from images that must still be there."
  }
}

variable "name" {
  description = "Id of the repository."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.name))
    error_message = "name must be 1 to 63 lower-case letters, digits and hyphens, from a letter on, no hyphen last."
  }
}

variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "region" {
  description = "Region of the images: that of the jobs, or pulling them is slow and billed."
  type        = string
}

variable "untagged_days" {
  description = "Days after which an image that has lost its tag is deleted."
  type        = number
  default     = 7

  validation {
    condition     = var.untagged_days >= 1 && floor(var.untagged_days) == var.untagged_days
    error_message = "untagged_days must be a whole number from 1 on."
  }
}

variable "writers" {
  description = "Who may push images, by a name that is known before the member is."
  type        = map(string)
  default     = {}
}
