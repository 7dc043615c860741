"""A bundle and a table to probabilities; refuses in place what the manifest refuses."""
