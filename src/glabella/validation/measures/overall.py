"""Error over all participants: Brier score and log loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.validation.measures.estimation.estimate import (
    Estimate,
    compute_error_of_sum,
    estimate_mean,
    make_missing_estimate,
)
from glabella.validation.measures.evaluation import Evaluation, Floats, explain_few
from glabella.validation.measures.measure import Measure, Tier

# Predictions are kept off 0 and 1 for logarithms alone, so that candidates can be compared; no
# figure is printed that it would change.
_EDGE = 1e-12


def compute_losses(responded: npt.ArrayLike, probability: npt.ArrayLike) -> Floats:
    """Negative log likelihood of each prediction.

    Returns
    -------
    array of float, shape (n_predictions,)
        In nats; lower is better.
    """
    inside = np.clip(np.asarray(probability, dtype=float), _EDGE, 1.0 - _EDGE)
    outcome = np.asarray(responded, dtype=float)
    return np.asarray(
        -(outcome * np.log(inside) + (1.0 - outcome) * np.log(1.0 - inside)), dtype=float
    )


def average_over_participants(
    values: Floats,
    responded: npt.ArrayLike,
    participant: npt.ArrayLike,
    *,
    lowest: float | None = None,
    highest: float | None = None,
) -> Estimate:
    """Average a value of each prediction, with an interval over participants."""
    who = pd.factorize(np.asarray(participant))[0]
    if len(values) == 0:
        return make_missing_estimate("there are no predictions")
    sums = np.bincount(who, weights=values)
    counts = np.bincount(who)
    value = float(values.mean())
    few = explain_few(np.asarray(responded, dtype=bool), who)
    if few:
        return make_missing_estimate(few)
    influence = (sums - value * counts) / len(values)
    error = compute_error_of_sum(influence)
    return estimate_mean(value, error, lowest=lowest, highest=highest)


def _compute_brier(evaluation: Evaluation) -> Estimate:
    error = (evaluation.probability - evaluation.outcome) ** 2
    return average_over_participants(
        error, evaluation.outcome, evaluation.who, lowest=0.0, highest=1.0
    )


def _compute_log_loss(evaluation: Evaluation) -> Estimate:
    outcome, predicted = evaluation.outcome, evaluation.probability
    if np.where(outcome, predicted <= _EDGE, predicted >= 1.0 - _EDGE).any():
        # Any number would be that of the rounding.
        return make_missing_estimate("a prediction of 0 or 1 was wrong, so the loss has no bound")
    losses = compute_losses(outcome, predicted)
    return average_over_participants(losses, outcome, evaluation.who, lowest=0.0)


def _compute_scaled_brier(evaluation: Evaluation) -> Estimate:
    outcome = evaluation.outcome.astype(float)
    error = (evaluation.probability - outcome) ** 2
    rate = float(outcome.mean())
    chance = rate * (1.0 - rate)
    value = float(1.0 - error.mean() / chance)
    # The rate is estimated too: d(1 - error / chance) by the delta method.
    each = (value - 1.0) * (1.0 - 2.0 * rate) * (rate - outcome) / chance
    each -= (error - error.mean()) / chance
    influence = np.bincount(evaluation.who, weights=each) / len(outcome)
    return estimate_mean(value, compute_error_of_sum(influence), highest=1.0)


def compute_loss_gain(
    responded: npt.ArrayLike,
    probability: npt.ArrayLike,
    reference: npt.ArrayLike,
    *,
    participant: npt.ArrayLike,
) -> Estimate:
    """Difference of two log losses over the same participants, with an interval over them.

    Returns
    -------
    Estimate
        The reference's log loss less the candidate's, in nats. Null where a class has under five
        participants.

    References
    ----------
    .. [1] Diebold FX, Mariano RS. Comparing predictive accuracy. J Bus Econ Stat 1995;13:253-263.
       Participants are independent here, so that no correlation in time enters.

    Examples
    --------
    >>> gain = compute_loss_gain(
    ...     [1] * 5 + [0] * 5, [0.8] * 5 + [0.2] * 5, [0.5] * 10, participant=range(10))
    >>> round(gain.value, 3)
    0.47
    """
    fewer = compute_losses(responded, reference) - compute_losses(responded, probability)
    return average_over_participants(fewer, responded, participant)


def _compare_losses(evaluation: Evaluation, reference: Floats) -> Estimate:
    return compute_loss_gain(
        evaluation.outcome, evaluation.probability, reference, participant=evaluation.who
    )


BRIER = Measure(
    "brier",
    "Brier score",
    "The mean squared distance of prediction and outcome: 0 is perfect, lower is better.",
    "Brier, Mon Weather Rev 1950;78:1",
    _compute_brier,
    family="overall",
    tier=Tier.BRIEF,
    digits=3,
    ideal=0.0,
    better="lower",
    pooled_on="identity",
    weighed_by="participants",
)
LOG_LOSS = Measure(
    "log_loss",
    "Log loss",
    "The mean negative log likelihood of the outcome, in nats: lower is better.",
    "Good, J R Stat Soc B 1952;14:107",
    _compute_log_loss,
    family="overall",
    tier=Tier.BRIEF,
    digits=3,
    ideal=0.0,
    better="lower",
    pooled_on="identity",
    weighed_by="participants",
    compare=_compare_losses,
    noun="log loss",
)
SCALED_BRIER = Measure(
    "scaled_brier",
    "Scaled Brier score",
    "The share of the base rate's Brier score that the predictions take away: 1 is perfect, 0 what "
    "the rate alone gives, below 0 worse than that.",
    "Steyerberg et al., Epidemiology 2010;21:128",
    _compute_scaled_brier,
    family="overall",
    ideal=1.0,
    better="higher",
)
