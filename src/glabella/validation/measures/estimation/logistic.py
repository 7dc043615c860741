"""Logistic regression of few coefficients, with participants as clusters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from scipy.special import expit

from glabella.models.penalised import find_losses

Floats = npt.NDArray[np.float64]

# Predictions that differ by less are the same: single precision, in which trees add up, has no
# more digits.
SAME_LOG_ODDS = 1e-6
_MOST_STEPS = 50
_LEAST_LENGTH = 1e-8
# What another step would gain in log likelihood, where no more are taken.
_NO_GAIN = 1e-12
# Where the likelihood has no maximum, steps end with log odds beyond this; patients' are not.
_NO_LOG_ODDS = 25.0
# A column of mean square 1 of which less than this is not a sum of others: double precision has
# sixteen digits, of which the sums behind it take half.
_LEAST_OWN = 1e-8


@dataclass(frozen=True)
class Maximum:
    """The fit of maximum likelihood.

    Parameters
    ----------
    coefficients : array of float, shape (n_columns,)
        Of the design.
    probability : array of float, shape (n_predictions,)
        Fitted.
    log_likelihood : float
        At the maximum.
    information : array of float, shape (n_columns, n_columns)
        The negative second derivative there.
    """

    coefficients: Floats
    probability: Floats
    log_likelihood: float
    information: Floats


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


@dataclass(frozen=True)
class _Basis:
    """The columns of a design, turned so that none depends on another.

    Parameters
    ----------
    columns : array of float, shape (n_predictions, n_columns)
        Orthogonal, of mean square 1.
    triangle : array of float, shape (n_columns, n_columns)
        With which they give the design again.
    """

    columns: Floats
    triangle: Floats

    def to_design_coefficients(self, values: Floats) -> Floats:
        """Give coefficients of these columns, one below the other, as those of the design."""
        return np.asarray(solve_triangular(self.triangle, values), dtype=float)


def _standardise_design(design: Floats) -> _Basis | None:
    """Turn a design; None where a column is a sum of others to as many digits as can be trusted."""
    size = np.sqrt((design**2).mean(axis=0))
    if not np.isfinite(size).all() or (size == 0.0).any() or len(design) < design.shape[1]:
        return None
    columns, triangle = np.linalg.qr(design / size)
    root = np.sqrt(len(design))
    if np.abs(np.diagonal(triangle)).min() < _LEAST_OWN * root:
        return None
    return _Basis(columns * root, triangle * size / root)


def find_maximum(
    outcome: Floats, design: Floats, *, offset: Floats | None = None
) -> Maximum | None:
    """Find the maximum of a likelihood by Newton's method with halved steps.

    Returns
    -------
    Maximum or None
        None where there is no maximum, as classes are separated, or columns depend on each other
        to eight digits.

    Notes
    -----
    A general library's regression takes most of its time to prepare what is not asked here, and
    every trial of every repetition asks for three of them.

    References
    ----------
    .. [1] McCullagh P, Nelder JA. Generalized Linear Models. 2nd ed. Chapman and Hall, 1989.
    """
    basis = _standardise_design(design)
    fit = None if basis is None else _solve_newton(outcome, basis.columns, offset)
    if basis is None or fit is None:
        return None
    return replace(
        fit,
        coefficients=basis.to_design_coefficients(fit.coefficients),
        information=basis.triangle.T @ fit.information @ basis.triangle,
    )


def _solve_newton(outcome: Floats, design: Floats, offset: Floats | None) -> Maximum | None:
    known = np.zeros(len(outcome)) if offset is None else offset
    coefficients, log_odds = np.zeros(design.shape[1]), known
    loss = float(find_losses(log_odds, outcome).sum())
    for _ in range(_MOST_STEPS):
        probability = expit(log_odds)
        information = (design.T * (probability * (1.0 - probability))) @ design
        score = design.T @ (outcome - probability)
        step = _solve(information, score)
        if step is None:
            return None
        if float(score @ step) <= _NO_GAIN:
            return _finish(outcome, design, known, coefficients + step)
        length = 1.0
        while True:
            tried = coefficients + length * step
            reached = known + design @ tried
            lost = float(find_losses(reached, outcome).sum())
            # Sums of thousands of losses are known to so many digits.
            if lost <= loss + _NO_GAIN * (1.0 + loss) or length < _LEAST_LENGTH:
                break
            length /= 2.0
        coefficients, log_odds, loss = tried, reached, lost
    return None


def _finish(outcome: Floats, design: Floats, known: Floats, coefficients: Floats) -> Maximum | None:
    added = design @ coefficients
    if np.abs(added).max(initial=0.0) > _NO_LOG_ODDS:
        return None
    probability = expit(known + added)
    information = (design.T * (probability * (1.0 - probability))) @ design
    loss = float(find_losses(known + added, outcome).sum())
    return Maximum(coefficients, probability, -loss, information)


def fit_clustered(
    outcome: Floats,
    design: Floats,
    who: npt.NDArray[np.int_],
    *,
    offset: Floats | None = None,
) -> ClusteredFit | None:
    """Fit by maximum likelihood, with a covariance over participants.

    Returns
    -------
    ClusteredFit or None
        None where there is no maximum, columns depend on each other, or there are no more
        participants than coefficients.

    References
    ----------
    .. [1] MacKinnon JG, White H. Some heteroskedasticity-consistent covariance matrix estimators
       with improved finite sample properties. J Econom 1985;29:305-325: their HC1, with the
       participants counted.
    """
    units = int(who.max()) + 1
    basis = _standardise_design(design) if units > design.shape[1] else None
    fit = None if basis is None else _solve_newton(outcome, basis.columns, offset)
    if basis is None or fit is None:
        return None
    scores = basis.columns * (outcome - fit.probability)[:, None]
    if units < len(who):
        scores = np.column_stack([np.bincount(who, weights=column) for column in scores.T])
    influence = _solve(fit.information, scores.T)
    if influence is None:
        return None
    influence = basis.to_design_coefficients(influence)
    covariance = influence @ influence.T * (units / (units - design.shape[1]))
    return ClusteredFit(basis.to_design_coefficients(fit.coefficients), covariance)


def _solve(information: Floats, right: Floats) -> Floats | None:
    """Solve for what a singular matrix, as of predictions near 0 and 1 alone, has no answer to."""
    try:
        found = np.linalg.solve(information, right)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(found, dtype=float) if np.isfinite(found).all() else None
