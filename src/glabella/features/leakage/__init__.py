"""Features that hold what is known only later."""
