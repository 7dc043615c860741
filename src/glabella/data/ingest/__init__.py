"""Files to tables: reading by file ending, mapping of a trial's own names."""
