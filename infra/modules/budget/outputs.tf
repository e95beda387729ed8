output "name" {
  description = "Full name of the budget, billingAccounts/ACCOUNT/budgets/ID."
  value       = google_billing_budget.this.id
}
