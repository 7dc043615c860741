"""What a stated threshold makes of predictions: sensitivity, specificity, predictive values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.domain.small_counts import FEWEST_TOLD
from glabella.validation.measures.discrimination import explain_few
from glabella.validation.measures.estimate import (
    Estimate,
    estimate_proportion,
    not_estimable,
    standard_error_of_sum,
)

__all__ = ["compute_npv", "compute_ppv", "compute_sensitivity", "compute_specificity"]

Bools = npt.NDArray[np.bool_]


def compute_sensitivity(
    responded: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    threshold: float,
    participant: npt.ArrayLike,
) -> Estimate:
    """Share of the responders whose prediction reaches the threshold.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability : array of float, shape (n_predictions,)
        The prediction in [0, 1].
    threshold : float
        A prediction at or above it says response.
    participant : array, shape (n_predictions,)
        Who each prediction is of.

    Returns
    -------
    Estimate
        In [0, 1]; null if a class has under five participants, or it is a share of under ten.

    References
    ----------
    .. [1] Pepe MS. The Statistical Evaluation of Medical Tests for Classification and Prediction.
       Oxford, 2003, chapter 2.

    Examples
    --------
    >>> compute_sensitivity([1] * 10 + [0] * 5, [0.9, 0.7, 0.5, 0.4, 0.8] * 2 + [0.1] * 5,
    ...                     threshold=0.5, participant=range(15)).value
    0.8
    """
    outcome, says = _classify(responded, probability, threshold)
    return _share(says, outcome, outcome, participant, "responded")


def compute_specificity(
    responded: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    threshold: float,
    participant: npt.ArrayLike,
) -> Estimate:
    """Share of the others whose prediction stays below the threshold.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability : array of float, shape (n_predictions,)
        The prediction in [0, 1].
    threshold : float
        A prediction at or above it says response.
    participant : array, shape (n_predictions,)
        Who each prediction is of.

    Returns
    -------
    Estimate
        In [0, 1]; null if a class has under five participants, or it is a share of under ten.

    References
    ----------
    .. [1] Pepe MS. The Statistical Evaluation of Medical Tests for Classification and Prediction.
       Oxford, 2003, chapter 2.

    Examples
    --------
    >>> compute_specificity([1] * 5 + [0] * 10, [0.9] * 5 + [0.1, 0.2, 0.3, 0.4, 0.5] * 2,
    ...                     threshold=0.5, participant=range(15)).value
    0.8
    """
    outcome, says = _classify(responded, probability, threshold)
    return _share(~says, ~outcome, outcome, participant, "did not respond")


def compute_ppv(
    responded: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    threshold: float,
    participant: npt.ArrayLike,
) -> Estimate:
    """Positive predictive value: share of responders among those who reach the threshold.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability : array of float, shape (n_predictions,)
        The prediction in [0, 1].
    threshold : float
        A prediction at or above it says response.
    participant : array, shape (n_predictions,)
        Who each prediction is of.

    Returns
    -------
    Estimate
        In [0, 1], at the rate of response of these participants; null where a class has under
        five, or under five reach the threshold.

    References
    ----------
    .. [1] Pepe MS. The Statistical Evaluation of Medical Tests for Classification and Prediction.
       Oxford, 2003, chapter 2.

    Examples
    --------
    >>> compute_ppv([1] * 8 + [0] * 2 + [1] * 2 + [0] * 8, [0.9] * 10 + [0.1] * 10,
    ...             threshold=0.5, participant=range(20)).value
    0.8
    """
    outcome, says = _classify(responded, probability, threshold)
    return _share(outcome, says, outcome, participant, "reach the threshold")


def compute_npv(
    responded: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    threshold: float,
    participant: npt.ArrayLike,
) -> Estimate:
    """Negative predictive value: share of others among those below the threshold.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability : array of float, shape (n_predictions,)
        The prediction in [0, 1].
    threshold : float
        A prediction at or above it says response.
    participant : array, shape (n_predictions,)
        Who each prediction is of.

    Returns
    -------
    Estimate
        In [0, 1], at the rate of response of these participants; null where a class has under
        five, or under five are below the threshold.

    References
    ----------
    .. [1] Pepe MS. The Statistical Evaluation of Medical Tests for Classification and Prediction.
       Oxford, 2003, chapter 2.

    Examples
    --------
    >>> compute_npv([1] * 8 + [0] * 2 + [1] * 2 + [0] * 8, [0.9] * 10 + [0.1] * 10,
    ...             threshold=0.5, participant=range(20)).value
    0.8
    """
    outcome, says = _classify(responded, probability, threshold)
    return _share(~outcome, ~says, outcome, participant, "are below the threshold")


def _classify(
    responded: npt.ArrayLike, probability: npt.ArrayLike, threshold: float
) -> tuple[Bools, Bools]:
    return np.asarray(responded, dtype=bool), np.asarray(probability, dtype=float) >= threshold


def _share(
    wanted: Bools, among: Bools, outcome: Bools, participant: npt.ArrayLike, whose: str
) -> Estimate:
    """Give the share of `among` that is `wanted`, participants as clusters."""
    who = pd.factorize(np.asarray(participant))[0]
    few = explain_few(outcome, who)
    if few:
        return not_estimable(few)
    members = len(np.unique(who[among]))
    if members < FEWEST_TOLD:
        # A share of so few is a count of them.
        return not_estimable(f"under {FEWEST_TOLD} participants {whose}")
    value = float(wanted[among].mean())
    influence = np.bincount(who[among], weights=wanted[among] - value) / int(among.sum())
    return estimate_proportion(value, standard_error_of_sum(influence[np.unique(who[among])]))
