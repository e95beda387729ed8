"""Vertex AI: datasets, training pipelines, models, endpoints, predictions."""
