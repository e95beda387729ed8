"""Artifact Registry: repositories, and the images that builds registered in them."""
