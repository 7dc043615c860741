"""Seeded trials with known truth."""
