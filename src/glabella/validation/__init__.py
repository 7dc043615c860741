"""Folds, nested tuning, measures and their uncertainty."""
