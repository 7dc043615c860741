"""The report of a training: its text, figures and tables."""
