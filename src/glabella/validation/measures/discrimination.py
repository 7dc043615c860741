"""Discrimination and error of out-of-fold predictions, with participants as the unit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.validation.measures.estimate import (
    Estimate,
    estimate_mean,
    estimate_proportion,
    not_estimable,
    standard_error_of_sum,
)

__all__ = ["compute_brier_score", "compute_concordance", "compute_log_loss", "compute_scaled_brier"]

FEWEST_OF_A_CLASS = 5
# Predictions are kept off 0 and 1 for logarithms alone, so that candidates can be compared; no
# figure is printed that it would change.
_EDGE = 1e-12

Floats = npt.NDArray[np.float64]


def count_concordance(
    responded: npt.NDArray[np.bool_], probability: Floats, strata: npt.NDArray[np.int_]
) -> tuple[Floats, Floats]:
    """Count, for each prediction, the pairs it is in and how many of them agree.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability : array of float, shape (n_predictions,)
        The prediction; higher means likelier.
    strata : array of int, shape (n_predictions,)
        Only a responder and a non-responder of the same stratum form a pair.

    Returns
    -------
    tuple of array, each of shape (n_predictions,)
        Agreeing pairs (a tie counts one half) and all pairs that the prediction is in.
    """
    agreeing = np.zeros(len(responded))
    pairs = np.zeros(len(responded))
    order = np.argsort(strata, kind="stable")
    bounds = np.flatnonzero(np.diff(strata[order])) + 1
    for rows in np.split(order, bounds):
        cases, controls = rows[responded[rows]], rows[~responded[rows]]
        if not len(cases) or not len(controls):
            continue
        below = np.sort(probability[controls])
        above = np.sort(probability[cases])
        agreeing[cases] = (
            np.searchsorted(below, probability[cases], "left")
            + np.searchsorted(below, probability[cases], "right")
        ) / 2.0
        agreeing[controls] = (
            len(cases)
            - (
                np.searchsorted(above, probability[controls], "left")
                + np.searchsorted(above, probability[controls], "right")
            )
            / 2.0
        )
        pairs[cases] = len(controls)
        pairs[controls] = len(cases)
    return agreeing, pairs


def compute_concordance(
    responded: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    strata: npt.ArrayLike,
    participant: npt.ArrayLike,
    repeats: int = 1,
) -> tuple[Estimate, int]:
    """Concordance over pairs of the same stratum, with an interval over participants.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability : array of float, shape (n_predictions,)
        The out-of-fold prediction; higher means likelier.
    strata : array, shape (n_predictions,)
        Trial, arm and outer fold (of one repetition) together.
    participant : array, shape (n_predictions,)
        Who each prediction is of; a participant has one in each repetition, and one for each
        period of a crossover.
    repeats : int
        How many repetitions, to count pairs in one of them on average.

    Returns
    -------
    tuple of Estimate and int
        The share of agreeing pairs, and the pairs of an average repetition. Null where a class
        has under five participants, or no stratum holds both classes.

    References
    ----------
    .. [1] DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more
       correlated receiver operating characteristic curves. Biometrics 1988;44:837-845. With one
       stratum and one repetition the variance is theirs.
    .. [2] LeDell E, Petersen M, van der Laan M. Computationally efficient confidence intervals
       for cross-validated area under the ROC curve estimates. Electron J Stat 2015;9:1583-1607.

    Examples
    --------
    >>> estimate, pairs = compute_concordance(
    ...     [1] * 5 + [0] * 5, [5, 6, 7, 8, 4, 1, 2, 3, 4, 5],
    ...     strata=[0] * 10, participant=list(range(10)))
    >>> estimate.value, pairs
    (0.92, 25)
    """
    outcome = np.asarray(responded, dtype=bool)
    who = pd.factorize(np.asarray(participant))[0]
    few = explain_few(outcome, who)
    if few:
        return not_estimable(few), 0
    labels = pd.factorize(np.asarray(strata))[0]
    agreeing, pairs = count_concordance(outcome, np.asarray(probability, dtype=float), labels)
    total = float(pairs[outcome].sum())
    if total == 0:
        return not_estimable("no stratum holds both a responder and another"), 0
    paired = pairs > 0
    few = explain_few(outcome[paired], who[paired])
    if few:
        return not_estimable(f"in pairs: {few}"), round(total / repeats)
    value, error = average_over_pairs(agreeing, pairs, outcome, who)
    if 0.0 < value < 1.0 and not np.any(agreeing - value * pairs):
        by_construction = "the predictions do not differ within any stratum"
        return Estimate(value, reason=by_construction), round(total / repeats)
    return estimate_proportion(value, error), round(total / repeats)


def average_over_pairs(
    counted: Floats, pairs: Floats, outcome: npt.NDArray[np.bool_], who: npt.NDArray[np.int_]
) -> tuple[float, float]:
    """Average something counted over pairs, with its standard error over participants.

    Parameters
    ----------
    counted, pairs : array of float, shape (n_predictions,)
        For each prediction the sum over the pairs that it is in, and their number.
    outcome : array of bool, shape (n_predictions,)
        The outcome.
    who : array of int, shape (n_predictions,)
        The participant, numbered from 0.

    Returns
    -------
    tuple of float
        The mean, and its standard error as DeLong has it: a variance for each class.
    """
    total = float(pairs[outcome].sum())
    value = float(counted[outcome].sum() / total)
    variance = 0.0
    by_class = []
    for members in (outcome, ~outcome):
        weights = (counted - value * pairs)[members] / total
        influence = np.bincount(who[members], weights=weights, minlength=who.max() + 1)
        by_class.append(influence)
        variance += standard_error_of_sum(influence[np.unique(who[members])]) ** 2
    # Who is a responder in one period of a crossover and none in another adds a covariance.
    variance += 2.0 * float(by_class[0] @ by_class[1])
    return value, float(np.sqrt(max(variance, 0.0)))


def compute_brier_score(
    responded: npt.ArrayLike, probability: npt.ArrayLike, *, participant: npt.ArrayLike
) -> Estimate:
    """Mean squared distance between prediction and outcome.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability : array of float, shape (n_predictions,)
        The prediction in [0, 1].
    participant : array, shape (n_predictions,)
        Who each prediction is of.

    Returns
    -------
    Estimate
        0 is perfect; 0.25 is what predicting one half for all gives.

    References
    ----------
    .. [1] Brier GW. Verification of forecasts expressed in terms of probability. Mon Weather Rev
       1950;78:1-3.
    """
    error = (np.asarray(probability, dtype=float) - np.asarray(responded, dtype=float)) ** 2
    return average_over_participants(error, responded, participant, lowest=0.0, highest=1.0)


def compute_scaled_brier(
    responded: npt.ArrayLike, probability: npt.ArrayLike, *, participant: npt.ArrayLike
) -> Estimate:
    """Share of the base rate's Brier score that the predictions take away.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability : array of float, shape (n_predictions,)
        The prediction in [0, 1].
    participant : array, shape (n_predictions,)
        Who each prediction is of.

    Returns
    -------
    Estimate
        1 is perfect; 0 is what predicting the rate of these participants for all gives, and
        below 0 is worse.

    References
    ----------
    .. [1] Steyerberg EW et al. Assessing the performance of prediction models: a framework for
       traditional and novel measures. Epidemiology 2010;21:128-138.

    Examples
    --------
    >>> round(compute_scaled_brier(
    ...     [1] * 5 + [0] * 5, [0.8] * 5 + [0.2] * 5, participant=range(10)).value, 10)
    0.84
    """
    outcome = np.asarray(responded, dtype=float)
    who = pd.factorize(np.asarray(participant))[0]
    few = explain_few(outcome.astype(bool), who)
    if few:
        return not_estimable(few)
    error = (np.asarray(probability, dtype=float) - outcome) ** 2
    rate = float(outcome.mean())
    chance = rate * (1.0 - rate)
    value = float(1.0 - error.mean() / chance)
    # The rate is estimated too: d(1 - error / chance) by the delta method.
    each = (value - 1.0) * (1.0 - 2.0 * rate) * (rate - outcome) / chance
    each -= (error - error.mean()) / chance
    influence = np.bincount(who, weights=each) / len(outcome)
    return estimate_mean(value, standard_error_of_sum(influence), highest=1.0)


def compute_losses(responded: npt.ArrayLike, probability: npt.ArrayLike) -> Floats:
    """Negative log likelihood of each prediction.

    Parameters
    ----------
    responded : array of float, shape (n_predictions,)
        The outcome: 1, 0, or the probability of 1 where it is imputed.
    probability : array of float, shape (n_predictions,)
        The prediction in [0, 1].

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


def compute_log_loss(
    responded: npt.ArrayLike, probability: npt.ArrayLike, *, participant: npt.ArrayLike
) -> Estimate:
    """Mean negative log likelihood.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability : array of float, shape (n_predictions,)
        The prediction in [0, 1].
    participant : array, shape (n_predictions,)
        Who each prediction is of.

    Returns
    -------
    Estimate
        In nats; lower is better. Null where a prediction of 0 or 1 was wrong: its loss has no
        bound, and any number would be that of the rounding.
    """
    outcome = np.asarray(responded, dtype=bool)
    predicted = np.asarray(probability, dtype=float)
    if np.where(outcome, predicted <= _EDGE, predicted >= 1.0 - _EDGE).any():
        return not_estimable("a prediction of 0 or 1 was wrong, so the loss has no bound")
    losses = compute_losses(outcome, predicted)
    return average_over_participants(losses, outcome, participant, lowest=0.0)


def average_over_participants(
    values: Floats,
    responded: npt.ArrayLike,
    participant: npt.ArrayLike,
    *,
    lowest: float | None = None,
    highest: float | None = None,
) -> Estimate:
    """Average a value of each prediction, with an interval over participants.

    Parameters
    ----------
    values : array of float, shape (n_predictions,)
        Of each prediction.
    responded : array of bool, shape (n_predictions,)
        The outcome.
    participant : array, shape (n_predictions,)
        Who each prediction is of.
    lowest, highest : float, optional
        The ends of the range of the values, where the interval is cut.

    Returns
    -------
    Estimate
        Null where a class has under five participants.
    """
    who = pd.factorize(np.asarray(participant))[0]
    if len(values) == 0:
        return not_estimable("there are no predictions")
    sums = np.bincount(who, weights=values)
    counts = np.bincount(who)
    value = float(values.mean())
    few = explain_few(np.asarray(responded, dtype=bool), who)
    if few:
        return not_estimable(few)
    influence = (sums - value * counts) / len(values)
    error = standard_error_of_sum(influence)
    return estimate_mean(value, error, lowest=lowest, highest=highest)


def explain_few(outcome: npt.NDArray[np.bool_], who: npt.NDArray[np.int_]) -> str | None:
    """Say that a class has too few participants for a figure.

    Parameters
    ----------
    outcome : array of bool, shape (n_predictions,)
        The outcome.
    who : array of int, shape (n_predictions,)
        The participant.

    Returns
    -------
    str or None
        The reason, which goes into a bundle and a store, so without the counts; None where both
        classes have at least five.
    """
    responders = len(np.unique(who[outcome]))
    others = len(np.unique(who[~outcome]))
    if min(responders, others) >= FEWEST_OF_A_CLASS:
        return None
    return f"under {FEWEST_OF_A_CLASS} of a class"
