"""Penalised likelihoods, averaged over the strength of their penalties by marginal likelihood."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Floats = npt.NDArray[np.float64]

# More rows leave the penalty no influence on the fit: its strength is settled on this many.
_ENOUGH_ROWS = 20_000
_MOST_STEPS = 50


@dataclass(frozen=True)
class Block:
    """Columns whose coefficients share one normal prior around nought.

    Parameters
    ----------
    matrix : array of float, shape (n_rows, n_columns)
        Centred; of such a scale that coefficients of different columns are alike beforehand.
    deviations : tuple of float
        Standard deviations of the prior to average over, evenly spaced on the log scale.
    """

    matrix: Floats
    deviations: tuple[float, ...]


@dataclass(frozen=True)
class PenalisedFit:
    """Coefficients of a penalised logistic regression.

    Parameters
    ----------
    intercept : float
        Not penalised.
    coefficients : array of float, shape (n_columns,)
        Block after block.
    log_likelihood : float
        The marginal one, by Laplace's approximation, up to a constant.
    """

    intercept: float
    coefficients: Floats
    log_likelihood: float


def fit_logistic(
    matrix: Floats,
    responded: npt.NDArray[np.int_],
    deviations: Floats,
    *,
    start: PenalisedFit | None = None,
) -> PenalisedFit:
    """Fit a logistic regression whose coefficients have normal priors around nought.

    Parameters
    ----------
    matrix : array of float, shape (n_rows, n_columns)
        Without a column of ones.
    responded : array of int, shape (n_rows,)
        1 for responders, 0 for others; both occur.
    deviations : array of float, shape (n_columns,)
        Standard deviation of each prior; the penalty is its inverse square, halved.
    start : PenalisedFit, optional
        Where to start from, as on a path of penalties.

    Returns
    -------
    PenalisedFit
        At the mode, found by Newton's method with halved steps.

    References
    ----------
    .. [1] le Cessie S, van Houwelingen JC. Ridge estimators in logistic regression.
       J R Stat Soc C 1992;41:191-201.
    .. [2] Wood SN. Fast stable restricted maximum likelihood and marginal likelihood estimation
       of semiparametric generalized linear models. J R Stat Soc B 2011;73:3-36.
    """
    precision = deviations**-2.0
    if start is None:
        rate = (responded.sum() + 0.5) / (len(responded) + 1.0)
        intercept, coefficients = float(np.log(rate / (1.0 - rate))), np.zeros(matrix.shape[1])
    else:
        intercept, coefficients = start.intercept, start.coefficients
    log_odds = matrix @ coefficients + intercept
    objective = _find_objective(log_odds, responded, coefficients, precision)
    for _ in range(_MOST_STEPS):
        residual = expit(log_odds) - responded
        hessian = _make_hessian(matrix, log_odds, precision)
        gradient = np.append(matrix.T @ residual + precision * coefficients, residual.sum())
        step = np.linalg.solve(hessian, gradient)
        length = 1.0
        while True:
            tried = coefficients - length * step[:-1]
            tried_intercept = intercept - length * step[-1]
            log_odds = matrix @ tried + tried_intercept
            reached = _find_objective(log_odds, responded, tried, precision)
            if reached <= objective or length < 1e-6:
                break
            length /= 2.0
        gained = objective - reached
        intercept, coefficients, objective = tried_intercept, tried, reached
        if gained <= 1e-10 * (abs(objective) + 1.0):
            break
    _, log_determinant = np.linalg.slogdet(_make_hessian(matrix, log_odds, precision))
    marginal = -objective + 0.5 * float(np.log(precision).sum() - log_determinant)
    return PenalisedFit(float(intercept), coefficients, marginal)


def _find_objective(
    log_odds: Floats, responded: npt.NDArray[np.int_], coefficients: Floats, precision: Floats
) -> float:
    loss = np.logaddexp(0.0, log_odds).sum() - log_odds @ responded
    return float(loss + 0.5 * (precision * coefficients**2).sum())


def _make_hessian(matrix: Floats, log_odds: Floats, precision: Floats) -> Floats:
    """Bordered by the intercept, which comes last."""
    # Where every fitted probability is 0 or 1 in double precision nothing would be left to solve.
    weight = np.maximum(expit(log_odds) * expit(-log_odds), 1e-10)
    weighted = matrix * weight[:, None]
    size = matrix.shape[1]
    hessian = np.empty((size + 1, size + 1))
    hessian[:size, :size] = matrix.T @ weighted + np.diag(precision)
    hessian[:size, size] = hessian[size, :size] = weighted.sum(axis=0)
    hessian[size, size] = weight.sum()
    return hessian


def average_logistic(
    blocks: Sequence[Block], responded: npt.NDArray[np.int_], seed: int = 0
) -> PenalisedFit:
    """Fit under every combination of the blocks' priors, and average by marginal likelihood.

    A prior's standard deviation is not chosen but averaged over: its marginal likelihood, with
    each combination as likely as another beforehand, weights the coefficients. Few participants
    say little of it, and a choice by cross-validation then follows noise.

    Parameters
    ----------
    blocks : sequence of Block
        At least one, with the same rows.
    responded : array of int, shape (n_rows,)
        1 for responders, 0 for others; both occur.
    seed : int
        Of the rows that settle the weights, where there are more than 20,000; on all of them
        only the combination nearest to the weighted mean is then fitted.

    Returns
    -------
    PenalisedFit
        The weighted mean of the fits.

    References
    ----------
    .. [1] MacKay DJC. The evidence framework applied to classification networks. Neural Comput
       1992;4:720-736.
    .. [2] Hoeting JA, Madigan D, Raftery AE, Volinsky CT. Bayesian model averaging: a tutorial.
       Stat Sci 1999;14:382-401.
    """
    matrix = np.hstack([block.matrix for block in blocks])
    sizes = [block.matrix.shape[1] for block in blocks]
    if len(matrix) > _ENOUGH_ROWS:
        drawn = np.random.default_rng(seed).permutation(len(matrix))[:_ENOUGH_ROWS]
        if len(np.unique(responded[drawn])) == 2:
            settled = _weigh(matrix[drawn], sizes, blocks, responded[drawn])
            deviations = np.exp(
                np.sum(settled.weights[:, None] * np.log(settled.deviations), axis=0)
            )
            return fit_logistic(matrix, responded, np.repeat(deviations, sizes))
    weighed = _weigh(matrix, sizes, blocks, responded)
    return PenalisedFit(
        float(weighed.weights @ [fit.intercept for fit in weighed.fits]),
        weighed.weights @ np.array([fit.coefficients for fit in weighed.fits]),
        max(fit.log_likelihood for fit in weighed.fits),
    )


@dataclass(frozen=True)
class _Weighed:
    deviations: Floats
    fits: list[PenalisedFit]
    weights: Floats


def _weigh(
    matrix: Floats,
    sizes: Sequence[int],
    blocks: Sequence[Block],
    responded: npt.NDArray[np.int_],
) -> _Weighed:
    fits: list[PenalisedFit] = []
    combinations = list(itertools.product(*(block.deviations for block in blocks)))
    for deviations in combinations:
        # The neighbour on the path is near; so the grid costs little more than its longest fit.
        start = fits[-1] if fits else None
        fits.append(
            fit_logistic(matrix, responded, np.repeat(np.array(deviations), sizes), start=start)
        )
    evidence = np.array([fit.log_likelihood for fit in fits])
    weights = np.exp(evidence - evidence.max())
    return _Weighed(np.array(combinations), fits, weights / weights.sum())
