"""Artifact Registry: repositories of container images, without the images."""
