variable "members" {
  description = "Who may use Vertex AI in the project: `user:`, `group:` or `serviceAccount:`, then an address."
  type        = set(string)
  default     = []

  validation {
    condition = alltrue([
      for member in var.members :
      can(regex("^(user|group|serviceAccount):[^@\\s:]+@[^@\\s:]+$", member))
    ])
    error_message = "members must say what each is and its address, such as user:ada@example.com, group:vision@example.com or serviceAccount:ci@my-project.iam.gserviceaccount.com; allUsers and whole domains are not taken."
  }
}

variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "project_number" {
  description = "Number of the project, of which the agent's address is made."
  type        = string
}
