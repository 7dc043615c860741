"""Everything that a training measures, and what it writes."""
