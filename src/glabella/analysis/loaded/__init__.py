"""An analysis with its data: tables, outcomes, participants and, of simulated data, the truth."""
