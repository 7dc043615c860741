"""Which model may score others."""
