"""One tool for the whole life of an image classifier, on Google Cloud and on a local one."""
