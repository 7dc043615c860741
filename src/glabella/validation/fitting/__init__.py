"""Candidates fitted on folds."""
