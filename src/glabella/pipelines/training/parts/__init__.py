"""The parts of a training: what it measures beside the validation, and could do without."""
