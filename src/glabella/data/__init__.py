"""From files to one checked table of participants, assessments and responses."""
