"""Cloud Billing and its budgets: who pays for a project, and what is to be told of it."""
