"""Cloud Resource Manager: which projects exist and what their numbers are."""
