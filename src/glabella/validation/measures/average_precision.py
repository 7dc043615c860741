"""Average precision: the area under the precision-recall curve."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.validation.measures.discrimination import explain_few
from glabella.validation.measures.estimate import (
    Estimate,
    estimate_proportion,
    not_estimable,
    standard_error_of_sum,
)

__all__ = ["compute_average_precision"]

Floats = npt.NDArray[np.float64]


def compute_average_precision(
    responded: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    strata: npt.ArrayLike,
    participant: npt.ArrayLike,
) -> Estimate:
    """Average precision, with an interval over participants.

    It is the mean over responders of the share of responders among those whose prediction is at
    least theirs.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability : array of float, shape (n_predictions,)
        The out-of-fold prediction; higher means likelier.
    strata : array, shape (n_predictions,)
        The repetition: predictions of two are not ranked together. Its folds are, because in a
        fold of two dozen even chance gives far more than the prevalence.
    participant : array, shape (n_predictions,)
        Who each prediction is of.

    Returns
    -------
    Estimate
        1 is perfect; the rate of response is chance, and exactly what one prediction for all
        gives. Null where a class has under five participants.

    References
    ----------
    .. [1] Davis J, Goadrich M. The relationship between precision-recall and ROC curves. ICML
       2006:233-240. Tied predictions make one step, and steps are not interpolated.
    .. [2] Boyd K, Eng KH, Page CD. Area under the precision-recall curve: point estimates and
       confidence intervals. ECML PKDD 2013:451-466. The interval is on the logit scale, as
       theirs; the standard error is of the influence function, summed by participant.

    Examples
    --------
    >>> estimate = compute_average_precision(
    ...     [1, 1, 1, 1, 0, 1, 0, 0, 0, 0], range(10, 0, -1), strata=[0] * 10,
    ...     participant=range(10))
    >>> round(estimate.value, 4)
    0.9667
    """
    outcome = np.asarray(responded, dtype=bool)
    who = pd.factorize(np.asarray(participant))[0]
    few = explain_few(outcome, who)
    if few:
        return not_estimable(few)
    score = np.asarray(probability, dtype=float)
    precision, gathered = np.zeros(len(score)), np.zeros(len(score))
    labels = pd.factorize(np.asarray(strata))[0]
    for rows in pd.Series(labels).groupby(labels).indices.values():
        precision[rows], gathered[rows] = _follow(outcome[rows], score[rows])
    cases = int(outcome.sum())
    value = float(precision[outcome].sum() / cases)
    each = (gathered + np.where(outcome, precision - value, 0.0)) / cases
    influence = np.bincount(who, weights=each)
    return estimate_proportion(value, standard_error_of_sum(influence))


def _follow(outcome: npt.NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
    """Give the precision at each prediction, and what each adds to that of the responders below.

    With a participant weighted w, precision at i is the weight of responders among those at or
    above i over the weight of all: its derivative by the weight of j is (1 if j responded, less
    the precision) over the number at or above i, for every responder i at or below j.
    """
    level, step = np.unique(score, return_inverse=True)
    at = np.bincount(step, minlength=len(level)).astype(float)
    cases_at = np.bincount(step, weights=outcome, minlength=len(level))
    above = np.cumsum(at[::-1])[::-1]
    precision = np.cumsum(cases_at[::-1])[::-1] / above
    by_case = np.cumsum(cases_at / above)
    by_all = np.cumsum(cases_at * precision / above)
    gathered = np.where(outcome, by_case[step], 0.0) - by_all[step]
    return precision[step], gathered
