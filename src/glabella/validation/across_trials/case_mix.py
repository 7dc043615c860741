"""How alike a new trial is to those of training, and what that does to concordance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from glabella.validation.measures.estimation.estimate import Estimate, describe_estimates

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TrialLikeness:
    """How well a participant's features tell the new trial from one of training.

    Parameters
    ----------
    trial : str
        The trial of training.
    auc : float
        0.5 where the means are the same, 1 where features name the trial.
    """

    trial: str
    auc: float


@dataclass(frozen=True)
class CaseMix:
    """Where a difference in concordance comes from.

    Parameters
    ----------
    promised : float or None
        The concordance of validation at training; None where it was not estimated.
    expected : float or None
        That which the model would have in the new trial, were its predictions right: it depends
        on how different the participants are alone.
    expected_recalibrated : float or None
        The same of predictions that were recalibrated to the new trial.
    observed : Estimate
        In the new trial.
    """

    promised: float | None
    expected: float | None
    expected_recalibrated: float | None
    observed: Estimate

    @property
    def by_case_mix(self) -> float | None:
        """What other participants do: expected less promised."""
        return _subtract(self.expected, self.promised)

    @property
    def by_model(self) -> float | None:
        """What the model does not get right there: observed less expected."""
        return _subtract(self.observed.value, self.expected)

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {
            "promised": self.promised,
            "expected": self.expected,
            "expected_recalibrated": self.expected_recalibrated,
            **describe_estimates({"observed": self.observed}),
            "by_case_mix": self.by_case_mix,
            "by_model": self.by_model,
        }


def _subtract(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def compute_expected_concordance(probability: npt.ArrayLike, strata: npt.ArrayLike) -> float | None:
    """Compute the concordance that predictions would have, were they right.

    Returns
    -------
    float or None
        Over all pairs, each weighted by its chance of being one of a responder and another; None
        without pairs.

    References
    ----------
    .. [1] van Klaveren D, Gonen M, Steyerberg EW, Vergouwe Y. A new concordance measure for risk
       prediction models in external validation settings. Stat Med 2016;35:4136-4152.

    Examples
    --------
    >>> round(compute_expected_concordance([0.2, 0.8], ["T", "T"]), 4)
    0.9412
    """
    chances = np.asarray(probability, dtype=float)
    cells = pd.factorize(np.asarray(strata))[0]
    agreeing = pairs = 0.0
    for cell in range(cells.max(initial=-1) + 1):
        mine = np.sort(chances[cells == cell])
        if len(mine) < 2:
            continue
        # In order of the prediction a pair agrees where the later one responds and the earlier
        # does not. With a tie both ways round are as likely, so this counts one half of it.
        fails_before = np.concatenate([[0.0], np.cumsum(1.0 - mine)[:-1]])
        responds_before = np.concatenate([[0.0], np.cumsum(mine)[:-1]])
        forward = float(mine @ fails_before)
        agreeing += forward
        pairs += forward + float((1.0 - mine) @ responds_before)
    return agreeing / pairs if pairs > 0.0 else None


def measure_likeness(distance_squared: float, *, columns: int, n: int, n_training: int) -> float:
    """Turn a distance of means into how well trials are told apart by it.

    Returns
    -------
    float
        The AUC of a linear discriminant, were both normal with the same covariance: that of a
        membership model by logistic regression. What chance alone adds to the distance is
        subtracted.

    References
    ----------
    .. [1] Debray TPA et al. A new framework to enhance the interpretation of external validation
       studies of clinical prediction models. J Clin Epidemiol 2015;68:279-289.
    .. [2] Su JQ, Liu JS. Linear combinations of multiple diagnostic markers. J Am Stat Assoc
       1993;88:1350-1355.

    Examples
    --------
    >>> measure_likeness(0.05, columns=4, n=100, n_training=100)
    0.5
    >>> round(measure_likeness(2.08, columns=4, n=100, n_training=100), 3)
    0.841
    """
    by_chance = columns * (1.0 / n + 1.0 / n_training)
    return float(norm.cdf(np.sqrt(max(distance_squared - by_chance, 0.0) / 2.0)))
