"""A model meets a trial that it has not seen."""
