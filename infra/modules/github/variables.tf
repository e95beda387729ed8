variable "environment" {
  description = "Environment of the repository that a job must run in to sign in. Null: any job may."
  type        = string
  default     = null

  validation {
    condition     = var.environment == null || can(regex("^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,99}$", var.environment))
    error_message = "environment must be the name of an environment on GitHub: letters, digits, spaces and . _ / -, at most 100."
  }
}

variable "owner_id" {
  description = "Number of the repository's owner: `gh api repos/OWNER/NAME --jq .owner.id`."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.owner_id))
    error_message = "owner_id must be the owner's number, not its name, which somebody else can take: `gh api repos/OWNER/NAME --jq .owner.id`."
  }
}

variable "pool_id" {
  description = "Id of the identity pool. One that was deleted keeps its id for 30 days."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]{4,32}$", var.pool_id)) && !startswith(var.pool_id, "gcp-")
    error_message = "pool_id must be 4 to 32 lower-case letters, digits and hyphens, and not start with gcp-, which Google keeps for itself."
  }
}

variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "repository_id" {
  description = "Number of the repository: `gh api repos/OWNER/NAME --jq .id`."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.repository_id))
    error_message = "repository_id must be the repository's number, not its name, which somebody else can take: `gh api repos/OWNER/NAME --jq .id`."
  }
}

variable "service_account" {
  description = "Full name of the account that the repository's workflows may act as, projects/PROJECT/serviceAccounts/EMAIL."
  type        = string
}
