"""Two procedures on the same participants, whose folds may be the same or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.validation.comparison.gain import measure_gain
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.estimation.estimate import Estimate, make_missing_estimate
from glabella.validation.measures.overall import average_over_participants, compute_losses

BY_PARTICIPANT = "participants as units, the fitted models as given"
BY_MEAN_LOSS = (
    "each participant's mean held-out loss, persons as units, the fitted models as given: the "
    "folds differ"
)
_IMPUTED = "outcomes are imputed, and their draws are not kept with the run"
_ROUNDING = 1e-9
_PLACE = ["repeat", "fold", "group", "row"]


@dataclass(frozen=True)
class PairedDifference:
    """One procedure less another on the same participants.

    Parameters
    ----------
    log_loss : Estimate
        Below 0 where the first is better.
    auc : Estimate
        The headline concordance, above 0 where the first is better.
    p_value : float or None
        Two-sided, of no difference in log loss; None where there is no interval.
    method : str
        What the interval of log loss is, in words.
    n : int
        Participants.
    """

    log_loss: Estimate
    auc: Estimate
    p_value: float | None
    method: str
    n: int


def measure_paired(first: pd.DataFrame, second: pd.DataFrame, sample: Sample) -> PairedDifference:
    """Measure the paired difference of two sets of held-out predictions.

    Returns
    -------
    PairedDifference
        Over each participant's mean loss. Where the folds differ, concordance, which pairs
        participants of one fold, has no difference.
    """
    rows = np.unique(first["row"])
    if not np.array_equal(rows, np.unique(second["row"])):
        raise ValueError("the two are not of the same participants")
    is_imputed = bool((~first["responded"].isin([0, 1])).any())
    places, others = (
        table[_PLACE].sort_values(_PLACE).reset_index(drop=True) for table in (first, second)
    )
    is_same = places.equals(others)
    if is_same and _predict_alike(first, second):
        alike = Estimate(0.0, reason="the two predict alike")
        return PairedDifference(alike, alike, None, BY_PARTICIPANT, len(rows))
    if is_same and not is_imputed:
        gain = measure_gain("first", "second", {"first": first, "second": second}, sample)
        return PairedDifference(-gain.log_loss, gain.auc, gain.p_value, BY_PARTICIPANT, len(rows))
    # Both by position, in the same order.
    difference = _average_loss(first) - _average_loss(second)
    if is_imputed:
        value = Estimate(float(difference.mean()), reason=_IMPUTED)
        return PairedDifference(
            value, make_missing_estimate(_IMPUTED), None, BY_MEAN_LOSS, len(rows)
        )
    loss = average_over_participants(difference, sample.outcomes[0][rows], sample.people[rows])
    auc = make_missing_estimate(
        "the folds differ, and concordance pairs participants of the same fold"
    )
    return PairedDifference(loss, auc, loss.p_value(), BY_MEAN_LOSS, len(rows))


def _predict_alike(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Say whether nothing but rounding tells two sets of predictions apart."""
    one, other = (table.sort_values(_PLACE)["probability"].to_numpy() for table in (first, second))
    return bool(np.allclose(one, other, rtol=0.0, atol=_ROUNDING))


def _average_loss(predictions: pd.DataFrame) -> npt.NDArray[np.float64]:
    losses = compute_losses(predictions["responded"], predictions["probability"])
    who = np.unique(predictions["row"], return_inverse=True)[1]
    averages: npt.NDArray[np.float64] = np.bincount(who, weights=losses) / np.bincount(who)
    return averages
