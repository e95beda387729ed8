output "predictor_email" {
  description = "Address of the account that serving containers run as."
  value       = google_service_account.this["predictor"].email
}

output "runner_email" {
  description = "Address of the account that ops and CI act as."
  value       = google_service_account.this["runner"].email
}

output "runner_name" {
  description = "Full name of the runner, projects/PROJECT/serviceAccounts/EMAIL, for its policy."
  value       = google_service_account.this["runner"].name
}

output "trainer_email" {
  description = "Address of the account that training jobs run as."
  value       = google_service_account.this["trainer"].email
}
