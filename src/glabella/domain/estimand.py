"""Intercurrent events and their strategies, in the words of ICH E9(R1)."""

from __future__ import annotations

# ICH E9(R1), step 4 of 20 November 2019, sections A.3.2 and A.3.3.
STRATEGIES = {
    "treatment_policy": "scores count as they were observed, whether or not it happened",
    "composite": "who had it by the endpoint did not respond",
    "while_on_treatment": "the last score up to it stands for the endpoint",
    "hypothetical": "scores after it are set aside, as if it had not happened, and are missing",
    "not_recorded": "the data do not say who had it; scores count as they were observed",
}

EVENTS = {
    "rescue": "Rescue treatment",
    "changed_antidepressant": "Changed antidepressant",
    "reinjection": "Re-injection",
    "withdrawal": "Withdrawal from treatment",
}
