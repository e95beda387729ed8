variable "agent_email" {
  description = "Address of Vertex AI's own agent in the project, which must exist."
  type        = string
}

variable "has_budget" {
  description = "Whether the stack has a budget, for the roles of `may_bootstrap`."
  type        = bool
  default     = false
}

variable "has_github" {
  description = "Whether the stack lets GitHub sign in, for the roles of `may_bootstrap`."
  type        = bool
  default     = false
}

variable "may_bootstrap" {
  description = "Whether the runner also gets the roles that apply and destroy need."
  type        = bool
  default     = false
}

variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "stack" {
  description = "Name of the stack, with which the accounts' names begin."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", var.stack))
    error_message = "stack must be 1 to 20 lower-case letters, digits and hyphens, from a letter on, no hyphen last: accounts are named STACK-predictor, of at most 30."
  }
}

variable "state_bucket" {
  description = "Bucket with the stack's Terraform state, which the runner then may read. Null: it may not."
  type        = string
  default     = null
}
