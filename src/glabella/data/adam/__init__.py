"""CDISC ADaM datasets read by the standard's own names."""
