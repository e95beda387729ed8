"""Cloud Storage: the JSON API, its uploads, and the rules of buckets and objects."""
