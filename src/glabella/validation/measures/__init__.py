"""One measure, one place."""
