"""Feature sets: what is derived from the collected variables, and when it is known."""
