"""The definition of a scenario: its trials, their participants, and what is true of them."""
