"""Cloud Storage's XML API: `/BUCKET/OBJECT` on the server's own address."""
