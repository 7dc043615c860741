"""Discrimination: concordance over pairs of a responder and another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.validation.measures.estimation.estimate import (
    Estimate,
    compute_error_of_sum,
    estimate_mean,
    estimate_proportion,
    make_missing_estimate,
)
from glabella.validation.measures.evaluation import Bools, Evaluation, Floats, Ints, explain_few
from glabella.validation.measures.measure import Measure, Tier

__all__ = ["compute_concordance"]

# Under these, the standard error is too uncertain for an interval to be promised.
FEWEST_PAIRS = 30
_DELONG = "DeLong et al., Biometrics 1988;44:837; LeDell et al., Electron J Stat 2015;9:1583"


def count_concordance(responded: Bools, probability: Floats, strata: Ints) -> tuple[Floats, Floats]:
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
        has under five participants, or no stratum holds both classes; without an interval under 30
        pairs.

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
        return make_missing_estimate(few), 0
    labels = pd.factorize(np.asarray(strata))[0]
    agreeing, pairs = count_concordance(outcome, np.asarray(probability, dtype=float), labels)
    total = float(pairs[outcome].sum())
    if total == 0:
        return make_missing_estimate("no stratum holds both a responder and another"), 0
    paired = pairs > 0
    few = explain_few(outcome[paired], who[paired])
    if few:
        return make_missing_estimate(f"in pairs: {few}"), round(total / repeats)
    value, error = average_over_pairs(agreeing, pairs, outcome, who)
    if 0.0 < value < 1.0 and not np.any(agreeing - value * pairs):
        by_construction = "the predictions do not differ within any stratum"
        return Estimate(value, reason=by_construction), round(total / repeats)
    if total / repeats < FEWEST_PAIRS:
        few = f"an interval needs {FEWEST_PAIRS} pairs"
        return Estimate(value, reason=few), round(total / repeats)
    return estimate_proportion(value, error), round(total / repeats)


def average_over_pairs(
    counted: Floats, pairs: Floats, outcome: Bools, who: Ints
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
        variance += compute_error_of_sum(influence[np.unique(who[members])]) ** 2
    # Who is a responder in one period of a crossover and none in another adds a covariance.
    variance += 2.0 * float(by_class[0] @ by_class[1])
    return value, float(np.sqrt(max(variance, 0.0)))


def count_pairs(evaluation: Evaluation, among: Bools) -> int:
    """Count the pairs behind a concordance.

    Parameters
    ----------
    evaluation : Evaluation
        Predictions and outcomes of one completed set.
    among : array of bool, shape (n_predictions,)
        Whose.

    Returns
    -------
    int
        Of an average repetition; none if a class has under five participants.
    """
    outcome, stratum = evaluation.outcome[among], evaluation.stratum[among]
    if explain_few(outcome, evaluation.who[among]) is not None:
        return 0
    cases, everybody = np.bincount(stratum, weights=outcome), np.bincount(stratum)
    return round(float(cases @ (everybody - cases)) / evaluation.repeats)


def compute_concordance_gain(
    responded: npt.ArrayLike,
    probability: npt.ArrayLike,
    reference: npt.ArrayLike,
    *,
    strata: npt.ArrayLike,
    participant: npt.ArrayLike,
) -> Estimate:
    """Difference of two concordances over the same pairs, with an interval over participants.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability, reference : array of float, shape (n_predictions,)
        The candidate's and the reference's out-of-fold predictions of the same participants.
    strata : array, shape (n_predictions,)
        Only a responder and a non-responder of the same stratum form a pair.
    participant : array, shape (n_predictions,)
        Who each prediction is of.

    Returns
    -------
    Estimate
        The candidate's concordance less the reference's. Null where a class has under five
        participants in pairs; without an interval where the two order every pair alike.

    References
    ----------
    .. [1] DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more
       correlated receiver operating characteristic curves. Biometrics 1988;44:837-845. With one
       stratum and one repetition the variance is theirs, with the covariance of the two.

    Examples
    --------
    >>> gain = compute_concordance_gain(
    ...     [1] * 5 + [0] * 5, [5, 6, 7, 8, 4, 1, 2, 3, 4, 5], [1] * 10,
    ...     strata=[0] * 10, participant=range(10))
    >>> round(gain.value, 2)
    0.42
    """
    outcome = np.asarray(responded, dtype=bool)
    who = pd.factorize(np.asarray(participant))[0]
    labels = pd.factorize(np.asarray(strata))[0]
    agreeing, pairs = count_concordance(outcome, np.asarray(probability, dtype=float), labels)
    before, _ = count_concordance(outcome, np.asarray(reference, dtype=float), labels)
    paired = pairs > 0
    few = explain_few(outcome[paired], who[paired])
    if few:
        return make_missing_estimate(f"in pairs: {few}")
    if not np.any(agreeing - before):
        return Estimate(0.0, reason="the two order every pair alike")
    return estimate_mean(*average_over_pairs(agreeing - before, pairs, outcome, who))


def _compare(evaluation: Evaluation, reference: Floats) -> Estimate:
    among = evaluation.active
    return compute_concordance_gain(
        evaluation.outcome[among],
        evaluation.probability[among],
        reference[among],
        strata=evaluation.stratum[among],
        participant=evaluation.who[among],
    )


def _compute_concordance_of(evaluation: Evaluation, among: Bools, strata: Ints) -> Estimate:
    estimate, _ = compute_concordance(
        evaluation.outcome[among],
        evaluation.probability[among],
        strata=strata[among],
        participant=evaluation.who[among],
        repeats=evaluation.repeats,
    )
    return estimate


AUC = Measure(
    "auc",
    "Concordance, active arm",
    "The chance that a responder was given a higher prediction than a non-responder of the same "
    "trial, cohort, active arm and outer fold: 0.5 is chance, 1 perfect.",
    _DELONG,
    lambda it: _compute_concordance_of(it, it.active, it.stratum),
    family="discrimination",
    tier=Tier.BRIEF,
    null=0.5,
    ideal=1.0,
    better="higher",
    pooled_on="logit",
    weighed_by="active pairs",
    compare=_compare,
    noun="concordance",
)
AUC_CONTROL = Measure(
    "auc_control",
    "Concordance, control arm",
    "The same in the control arms: what is as high there predicts recovery, not response to the "
    "treatment.",
    _DELONG,
    lambda it: _compute_concordance_of(it, ~it.active, it.stratum),
    family="discrimination",
    tier=Tier.PAGE,
    null=0.5,
    pooled_on="logit",
    weighed_by="control pairs",
    needs_control=True,
    is_within_arm=False,
)
AUC_ALL = Measure(
    "auc_all",
    "AUC, all arms",
    "The same over all pairs of an outer fold: it also rewards knowing the arm or the trial.",
    _DELONG,
    lambda it: _compute_concordance_of(it, np.ones(len(it.active), dtype=bool), it.fold),
    family="discrimination",
    tier=Tier.TABLE,
    null=0.5,
    ideal=1.0,
    better="higher",
    pooled_on="logit",
    is_within_arm=False,
)
