"""Cloud Quotas: what a project may use of a service, and what it prefers to."""
