"""Cloud Monitoring v3, as far as notification channels: whom a budget tells."""
