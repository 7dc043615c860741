"""Estimates and their intervals: one value, pooled over imputed sets, or missing with a reason."""
