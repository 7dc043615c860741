"""The whole analysis, repeated on simulated trials with known truth."""
