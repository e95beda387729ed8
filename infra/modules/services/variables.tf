variable "disable_on_destroy" {
  description = "Whether a destroy switches the APIs off, for everybody in the project; those that the destroy itself needs stay on."
  type        = bool
  default     = false
}

variable "more" {
  description = "APIs beside those that every stack needs."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.more : endswith(name, ".googleapis.com")])
    error_message = "more must have full names of Google's APIs, such as sts.googleapis.com."
  }
}

variable "project_id" {
  description = "Id of the project."
  type        = string
}
