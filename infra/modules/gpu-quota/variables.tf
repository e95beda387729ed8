variable "contact_email" {
  description = "Address at which Google asks about a request; its account must be allowed to change the project's quotas."
  type        = string
  default     = null

  validation {
    condition     = var.contact_email == null || can(regex("^[^@\\s]+@[^@\\s]+$", var.contact_email))
    error_message = "contact_email must be an address, such as ada@example.com."
  }
}

variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "region" {
  description = "Region of the requests that name none."
  type        = string
}

variable "requests" {
  description = "GPUs to ask for by a name: Vertex AI's accelerator type, what for (`training`, `spot-training`, `serving`), how many, and where."
  type = map(object({
    gpu    = string
    use    = string
    count  = number
    region = optional(string)
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.requests) : can(regex("^[a-z]([a-z0-9-]{0,31}[a-z0-9])?$", name))])
    error_message = "requests must be named by 1 to 33 lower-case letters, digits and hyphens, from a letter on, no hyphen last."
  }

  validation {
    condition     = alltrue([for one in values(var.requests) : contains(keys(local.gpus), one.gpu)])
    error_message = "gpu must be an accelerator type of Vertex AI whose quota is known: ${join(", ", keys(local.gpus))}."
  }

  validation {
    condition     = alltrue([for one in values(var.requests) : contains(keys(local.uses), one.use)])
    error_message = "use must be one of: ${join(", ", keys(local.uses))}. Each has a quota of its own."
  }

  validation {
    condition     = alltrue([for one in values(var.requests) : one.count >= 0 && floor(one.count) == one.count])
    error_message = "count must be a whole number of GPUs, not below 0."
  }

  validation {
    condition = length(var.requests) == length(distinct([
      for one in values(var.requests) :
      [one.gpu, one.use, coalesce(one.region, var.region)]
    ]))
    error_message = "requests must each be about another quota: Google has one request for an accelerator, a use and a region."
  }
}
