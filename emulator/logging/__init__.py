"""Cloud Logging: what custom jobs say, as Vertex AI writes it there."""
