"""Scales, visits, endpoints and timing as plain values: no pandas, no files."""
