"""The command line: options, one call of a workflow, and what is shown."""
