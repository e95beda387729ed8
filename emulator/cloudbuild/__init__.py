"""Cloud Build: builds of container images that fetch, check and register, and run no Docker."""
