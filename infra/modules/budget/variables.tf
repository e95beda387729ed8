variable "amount" {
  description = "Amount a month, in the currency of the billing account."
  type        = number

  validation {
    condition     = var.amount >= 1 && floor(var.amount) == var.amount
    error_message = "amount must be a whole number from 1 on, in the billing account's currency."
  }
}

variable "billing_account" {
  description = "Id of the billing account that pays for the project."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "billing_account must be an id such as 012345-6789AB-CDEF01: `gcloud billing accounts list`."
  }
}

variable "email" {
  description = "Address that alerts go to beside the billing account's administrators and users. Null: to them alone."
  type        = string
  default     = null

  validation {
    condition     = var.email == null || can(regex("^[^@\\s]+@[^@\\s]+$", var.email))
    error_message = "email must be an address, such as ada@example.com."
  }
}

variable "labels" {
  description = "Labels of the channel that carries the address."
  type        = map(string)
  default     = {}
}

variable "managers" {
  description = "Who may change the billing account's budgets, by a name that is known before the member is. To grant it, one must administer the billing account."
  type        = map(string)
  default     = {}
}

variable "name" {
  description = "Name of the budget as people see it."
  type        = string

  validation {
    condition     = length(var.name) >= 1 && length(var.name) <= 60
    error_message = "name must have 1 to 60 characters."
  }
}

variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "project_number" {
  description = "Number of the project, whose cost the budget watches."
  type        = string
}

variable "thresholds" {
  description = "Shares of the amount at which alerts are sent: 0.5 is half of it."
  type        = list(number)
  default     = [0.5, 0.9, 1.0]

  validation {
    condition     = length(var.thresholds) >= 1 && alltrue([for share in var.thresholds : share > 0 && share <= 10])
    error_message = "thresholds must have at least one share of the amount, each above 0 and at most 10: 0.5 is half, not 50."
  }
}
