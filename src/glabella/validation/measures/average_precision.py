"""Average precision: the area under the precision-recall curve."""

from __future__ import annotations

import numpy as np
import pandas as pd

from glabella.validation.measures.estimation.estimate import (
    Estimate,
    compute_error_of_sum,
    estimate_proportion,
)
from glabella.validation.measures.evaluation import Bools, Evaluation, Floats
from glabella.validation.measures.measure import Measure


def _compute_average_precision(evaluation: Evaluation) -> Estimate:
    """Average over responders the precision at their prediction.

    Tied predictions make one step, and steps are not interpolated. Folds of a repetition are
    ranked together: in a fold of two dozen even chance gives far more than the prevalence.
    """
    outcome, score, labels = evaluation.outcome, evaluation.probability, evaluation.repetition
    precision, gathered = np.zeros(len(score)), np.zeros(len(score))
    for rows in pd.Series(labels).groupby(labels).indices.values():
        precision[rows], gathered[rows] = _sum_influence(outcome[rows], score[rows])
    cases = int(outcome.sum())
    value = float(precision[outcome].sum() / cases)
    each = (gathered + np.where(outcome, precision - value, 0.0)) / cases
    influence = np.bincount(evaluation.who, weights=each)
    return estimate_proportion(value, compute_error_of_sum(influence))


def _sum_influence(outcome: Bools, score: Floats) -> tuple[Floats, Floats]:
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


# The interval is on the logit scale as Boyd's is; the error is of the influence, by participant.
AVERAGE_PRECISION = Measure(
    "average_precision",
    "Average precision",
    "The area under the precision-recall curve: the share of responders among those predicted at "
    "least as high, averaged over responders of all arms; the rate of response is chance, 1 "
    "perfect.",
    "Davis and Goadrich, ICML 2006:233; Boyd et al., ECML PKDD 2013:451",
    _compute_average_precision,
    family="discrimination",
    ideal=1.0,
    better="higher",
)
