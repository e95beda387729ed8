output "agent_email" {
  description = "Address of the account that Vertex AI itself acts as in the project."
  value       = local.agent
}
