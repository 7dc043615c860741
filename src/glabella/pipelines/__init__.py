"""An analysis: its definition, resolved and run."""
