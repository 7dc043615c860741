"""Logistic regression of few coefficients, with participants as clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from glabella.models.penalised import find_losses

Floats = npt.NDArray[np.float64]

_MOST_STEPS = 50
_MOST_HALVINGS = 30
# Beyond, probabilities are 0 or 1 in double precision: the likelihood has no maximum.
_NO_LOG_ODDS = 40.0


@dataclass(frozen=True)
class ClusteredFit:
    """Coefficients, and how they would vary with other participants.

    Parameters
    ----------
    coefficients : array of float, shape (n_columns,)
        Of maximum likelihood.
    covariance : array of float, shape (n_columns, n_columns)
        The sandwich over participants, multiplied by participants over participants less
        coefficients.
    """

    coefficients: Floats
    covariance: Floats


def fit_clustered(
    outcome: Floats,
    design: Floats,
    who: npt.NDArray[np.int_],
    *,
    offset: Floats | None = None,
) -> ClusteredFit | None:
    """Fit by Newton's method with halved steps.

    Parameters
    ----------
    outcome : array of float, shape (n_predictions,)
        1 or 0.
    design : array of float, shape (n_predictions, n_columns)
        With a column of ones where there is to be an intercept.
    who : array of int, shape (n_predictions,)
        The participant, numbered from 0 without gaps.
    offset : array of float, shape (n_predictions,), optional
        Added to the log odds.

    Returns
    -------
    ClusteredFit or None
        None where the likelihood has no maximum, or columns depend on each other.

    Notes
    -----
    A general library's regression takes most of its time to prepare what is not asked here, and
    every trial of every repetition asks for three of them.

    References
    ----------
    .. [1] McCullagh P, Nelder JA. Generalized Linear Models. 2nd ed. Chapman and Hall, 1989.
    .. [2] MacKinnon JG, White H. Some heteroskedasticity-consistent covariance matrix estimators
       with improved finite sample properties. J Econom 1985;29:305-325: their HC1, with the
       participants counted.
    """
    known = np.zeros(len(outcome)) if offset is None else offset
    coefficients = np.zeros(design.shape[1])
    log_odds = known.copy()
    loss = float(find_losses(log_odds, outcome).sum())
    try:
        for _ in range(_MOST_STEPS):
            probability = expit(log_odds)
            hessian = (design.T * (probability * (1.0 - probability))) @ design
            score = design.T @ (outcome - probability)
            step = np.linalg.solve(hessian, score)
            length = 1.0
            for _ in range(_MOST_HALVINGS):
                tried = coefficients + length * step
                reached = known + design @ tried
                lost = float(find_losses(reached, outcome).sum())
                if lost <= loss:
                    break
                length /= 2.0
            else:
                # No step is any better: rounding is all that is left.
                tried, reached, lost = coefficients, log_odds, loss
            coefficients, log_odds, loss = tried, reached, lost
            if float(score @ step) <= 1e-14 * (1.0 + loss):
                break
        else:
            return None
        probability = expit(log_odds)
        bread = np.linalg.inv((design.T * (probability * (1.0 - probability))) @ design)
    except np.linalg.LinAlgError:
        return None
    if np.abs(log_odds - known).max(initial=0.0) > _NO_LOG_ODDS:
        return None
    scores = design * (outcome - probability)[:, None]
    units = int(who.max()) + 1
    if units < len(who):
        scores = np.column_stack([np.bincount(who, weights=column) for column in scores.T])
    covariance = bread @ (scores.T @ scores) @ bread * (units / (units - design.shape[1]))
    if not np.isfinite(covariance).all():
        return None
    return ClusteredFit(coefficients, covariance)
