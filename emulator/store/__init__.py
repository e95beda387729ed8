"""Where everything acknowledged is kept: rows in SQLite, bytes in content-addressed files."""
