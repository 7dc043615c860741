"""Figures, each with the data that it shows."""
