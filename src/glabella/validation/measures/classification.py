"""What a stated threshold makes of predictions: sensitivity, specificity, predictive values."""

from __future__ import annotations

from functools import partial

import numpy as np

from glabella.domain.small_counts import FEWEST_TOLD
from glabella.validation.measures.estimation.estimate import (
    Estimate,
    compute_error_of_sum,
    estimate_proportion,
    make_missing_estimate,
)
from glabella.validation.measures.evaluation import Bools, Evaluation
from glabella.validation.measures.measure import Measure

_PEPE = "Pepe, Statistical Evaluation of Medical Tests, Oxford 2003, chapter 2"


def _compute_sensitivity(evaluation: Evaluation) -> Estimate:
    outcome, says = _apply_threshold(evaluation)
    return _compute_proportion(says, outcome, evaluation, "responded")


def _compute_specificity(evaluation: Evaluation) -> Estimate:
    outcome, says = _apply_threshold(evaluation)
    return _compute_proportion(~says, ~outcome, evaluation, "did not respond")


def _compute_ppv(evaluation: Evaluation) -> Estimate:
    outcome, says = _apply_threshold(evaluation)
    return _compute_proportion(outcome, says, evaluation, "reach the threshold")


def _compute_npv(evaluation: Evaluation) -> Estimate:
    outcome, says = _apply_threshold(evaluation)
    return _compute_proportion(~outcome, ~says, evaluation, "are below the threshold")


def _apply_threshold(evaluation: Evaluation) -> tuple[Bools, Bools]:
    return evaluation.outcome, evaluation.probability >= evaluation.threshold


def _compute_proportion(
    wanted: Bools, among: Bools, evaluation: Evaluation, whose: str
) -> Estimate:
    """Give the proportion of `among` that is `wanted`, participants as clusters."""
    who = evaluation.who
    members = len(np.unique(who[among]))
    if members < FEWEST_TOLD:
        # A proportion of so few is a count of them.
        return make_missing_estimate(f"under {FEWEST_TOLD} participants {whose}")
    value = float(wanted[among].mean())
    influence = np.bincount(who[among], weights=wanted[among] - value) / int(among.sum())
    return estimate_proportion(value, compute_error_of_sum(influence[np.unique(who[among])]))


_at_threshold = partial(
    Measure,
    reference=_PEPE,
    family="threshold",
    ideal=1.0,
    better="higher",
    needs_threshold=True,
)
SENSITIVITY = _at_threshold(
    "sensitivity",
    "Sensitivity",
    "The share of responders whose prediction reaches the threshold.",
    compute=_compute_sensitivity,
)
SPECIFICITY = _at_threshold(
    "specificity",
    "Specificity",
    "The share of the others whose prediction stays below the threshold.",
    compute=_compute_specificity,
)
PPV = _at_threshold(
    "ppv",
    "PPV",
    "The share of responders among those who reach the threshold; it goes with the rate of "
    "response.",
    compute=_compute_ppv,
)
NPV = _at_threshold(
    "npv",
    "NPV",
    "The share of others among those below the threshold; it goes with the rate of response.",
    compute=_compute_npv,
)
