"""Penalised likelihoods, averaged over the strength of their penalties by marginal likelihood."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Prior standard deviation of log odds ratios that are not to be shrunk: so wide that an estimate
# with a standard error of 0.3 moves by less than half a percent, and narrow enough that an arm of
# ten in which none responded does not predict certainty.
FREE_DEVIATION = 5.0
# More rows leave the penalty no influence on the fit: its strength is settled on this many.
_ENOUGH_ROWS = 20_000
_MOST_STEPS = 50
# Weighted designs of several fits that are worth holding at once.
_ENOUGH_CELLS = 100_000
# Products of two columns each that are worth holding: 32 MB.
_MOST_PRODUCTS = 4_000_000


@dataclass(frozen=True)
class Block:
    """Columns whose coefficients share one normal prior around nought.

    Parameters
    ----------
    matrix : array of float, shape (n_rows, n_columns)
        Centred; of such a scale that coefficients of different columns are alike beforehand.
    deviations : tuple of float
        Standard deviations of the prior to average over, evenly spaced on the log scale.
    free : array of bool, shape (n_columns,), optional
        Columns that are not shrunk, such as the randomised arm; none by default.
    """

    matrix: Floats
    deviations: tuple[float, ...]
    free: npt.NDArray[np.bool_] | None = None

    def list_free(self) -> npt.NDArray[np.bool_]:
        """Whether each column is free."""
        return np.zeros(self.matrix.shape[1], dtype=bool) if self.free is None else self.free


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

    References
    ----------
    .. [1] le Cessie S, van Houwelingen JC. Ridge estimators in logistic regression.
       J R Stat Soc C 1992;41:191-201.
    .. [2] Wood SN. Fast stable restricted maximum likelihood and marginal likelihood estimation
       of semiparametric generalized linear models. J R Stat Soc B 2011;73:3-36.
    """
    return _fit_each(matrix, responded, deviations[None], start=start)[0]


def fit_shifts(log_odds: Floats, responded: npt.NDArray[np.int_], columns: Floats) -> Floats:
    """Fit what is added to given log odds: a coefficient for each free column, and an intercept.

    Predictions then expect as many responders in each arm as there are, whose indicators the
    columns are.

    Returns
    -------
    array of float, shape (n_columns + 1,)
        The intercept last.
    """
    deviations = np.full((1, columns.shape[1]), FREE_DEVIATION)
    (fit,) = _fit_each(columns, responded, deviations, offset=log_odds)
    return np.append(fit.coefficients, fit.intercept)


def _fit_each(
    matrix: Floats,
    responded: npt.NDArray[np.int_],
    deviations: Floats,
    *,
    start: PenalisedFit | None = None,
    offset: Floats | float = 0.0,
) -> list[PenalisedFit]:
    """Fit under each of several priors at once, which costs small data little more than one.

    `deviations` has shape (n_fits, n_columns); all fits start from the same place. `offset` is
    added to the log odds of each row.
    """
    precision = deviations**-2.0
    count, size = precision.shape
    # The intercept comes last, and is not penalised.
    design = np.column_stack([matrix, np.ones(len(matrix))])
    penalty = np.column_stack([precision, np.zeros(count)])
    gram = _WeightedGram(design)
    if start is None:
        rate = (responded.sum() + 0.5) / (len(responded) + 1.0)
        first = np.append(np.zeros(size), np.log(rate / (1.0 - rate)))
    else:
        first = np.append(start.coefficients, start.intercept)
    coefficients = np.tile(first, (count, 1))
    objective, probabilities = _find_objective(
        coefficients @ design.T + offset, responded, coefficients, penalty
    )
    moving, slack = np.arange(count), 1e-12 * (np.abs(objective) + 1.0)
    for _ in range(_MOST_STEPS):
        mine, probability = coefficients[moving], probabilities[moving]
        hessian = _make_hessian(gram, probability, penalty[moving])
        gradient = (probability - responded) @ design + penalty[moving] * mine
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        length = np.ones(len(moving))
        while True:
            tried = mine - length[:, None] * step
            reached, probabilities[moving] = _find_objective(
                tried @ design.T + offset, responded, tried, penalty[moving]
            )
            # At the mode, rounding alone can make a step look like one too far.
            overshoots = ~(reached <= objective[moving] + slack[moving]) & (length >= 1e-6)
            if not overshoots.any():
                break
            length[overshoots] /= 2.0
        gained = objective[moving] - reached
        coefficients[moving], objective[moving] = tried, reached
        moving = moving[gained > 1e-10 * (np.abs(reached) + 1.0)]
        if not len(moving):
            break
    _, log_determinants = np.linalg.slogdet(_make_hessian(gram, probabilities, penalty))
    marginal = -objective + 0.5 * (np.log(precision).sum(axis=1) - log_determinants)
    return [
        PenalisedFit(float(mine[-1]), mine[:-1].copy(), float(evidence))
        for mine, evidence in zip(coefficients, marginal, strict=True)
    ]


def _find_objective(
    log_odds: Floats, responded: npt.NDArray[np.int_], coefficients: Floats, penalty: Floats
) -> tuple[Floats, Floats]:
    """The penalised loss, and the probabilities, of which both need the same exponential."""
    decay = np.exp(-np.abs(log_odds))
    loss = (np.maximum(log_odds, 0.0) + np.log1p(decay)).sum(axis=1) - log_odds @ responded
    # Without a branch for the sign, which costs more than the exponential.
    probability = np.abs((log_odds >= 0.0) - decay / (1.0 + decay))
    return loss + 0.5 * (penalty * coefficients**2).sum(axis=1), probability


def find_losses(log_odds: Floats, responded: npt.ArrayLike) -> Floats:
    """Negative log likelihood of each prediction.

    Returns
    -------
    array of float
        In nats, without overflow. NumPy's ``logaddexp`` would give the same in seven times the
        time.
    """
    softened = np.maximum(log_odds, 0.0) + np.log1p(np.exp(-np.abs(log_odds)))
    return np.asarray(softened - log_odds * np.asarray(responded), dtype=float)


class _WeightedGram:
    """Computes ``design.T @ diag(weight) @ design`` for several weights of the same design.

    The products of its columns stay the same from one step to the next, and all weights are put to
    them in one multiplication; where they are too many, each weight is put to the design anew.
    """

    def __init__(self, design: Floats):
        size = design.shape[1]
        self._design, self._columns = design, np.ascontiguousarray(design.T)
        self._products: Floats | None = None
        if len(design) * size * (size + 1) // 2 <= _MOST_PRODUCTS:
            first, second = np.triu_indices(size)
            self._products = (self._columns[first] * self._columns[second]).T
            self._place = np.empty((size, size), dtype=int)
            self._place[first, second] = self._place[second, first] = np.arange(len(first))

    def apply_weights(self, weight: Floats) -> Floats:
        if self._products is not None:
            return np.asarray((weight @ self._products)[:, self._place])
        return np.asarray((self._columns[None] * weight[:, None, :]) @ self._design)


def _make_hessian(gram: _WeightedGram, probability: Floats, penalty: Floats) -> Floats:
    # Where every fitted probability is 0 or 1 in double precision nothing would be left to solve.
    hessian = gram.apply_weights(np.maximum(probability * (1.0 - probability), 1e-10))
    diagonal = np.arange(penalty.shape[1])
    hessian[:, diagonal, diagonal] += penalty
    return hessian


def average_logistic(
    blocks: Sequence[Block], responded: npt.NDArray[np.int_], seed: int = 0
) -> PenalisedFit:
    """Fit under every combination of the blocks' priors, and average by marginal likelihood.

    A prior's standard deviation is not chosen but averaged over: its marginal likelihood, with
    each combination as likely as another beforehand, weights the coefficients. Few participants
    say little of it, and a choice by cross-validation then follows noise.

    References
    ----------
    .. [1] MacKay DJC. The evidence framework applied to classification networks. Neural Comput
       1992;4:720-736.
    .. [2] Hoeting JA, Madigan D, Raftery AE, Volinsky CT. Bayesian model averaging: a tutorial.
       Stat Sci 1999;14:382-401.
    """
    matrix = np.hstack([block.matrix for block in blocks])
    if len(matrix) > _ENOUGH_ROWS:
        drawn = np.random.default_rng(seed).permutation(len(matrix))[:_ENOUGH_ROWS]
        if len(np.unique(responded[drawn])) == 2:
            settled = _weight_deviations(matrix[drawn], blocks, responded[drawn])
            deviations = np.exp(
                np.sum(settled.weights[:, None] * np.log(settled.deviations), axis=0)
            )
            return fit_logistic(matrix, responded, _repeat_deviations(deviations[None], blocks)[0])
    weighed = _weight_deviations(matrix, blocks, responded)
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


def _repeat_deviations(deviations: Floats, blocks: Sequence[Block]) -> Floats:
    """Give each column the deviation of its block, or that of free columns."""
    each = np.repeat(deviations, [block.matrix.shape[1] for block in blocks], axis=1)
    each[:, np.concatenate([block.list_free() for block in blocks])] = FREE_DEVIATION
    return each


def _weight_deviations(
    matrix: Floats, blocks: Sequence[Block], responded: npt.NDArray[np.int_]
) -> _Weighed:
    fits: list[PenalisedFit] = []
    combinations = list(itertools.product(*(block.deviations for block in blocks)))
    each = _repeat_deviations(np.array(combinations), blocks)
    at_once = max(1, _ENOUGH_CELLS // matrix.size) if matrix.size else len(each)
    for first in range(0, len(each), at_once):
        # The neighbour on the path is near; so the grid costs little more than its longest fit.
        start = fits[-1] if fits else None
        fits += _fit_each(matrix, responded, each[first : first + at_once], start=start)
    evidence = np.array([fit.log_likelihood for fit in fits])
    weights = np.exp(evidence - evidence.max())
    return _Weighed(np.array(combinations), fits, weights / weights.sum())
