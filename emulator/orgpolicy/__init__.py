"""Organization Policy Service: what a project's organization lets nobody do."""
