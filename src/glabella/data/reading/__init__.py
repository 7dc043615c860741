"""Files read as raw tables: one module a format."""
