"""Chained equations: each column with gaps regressed on all others, gaps drawn, and again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# The chain forgets where it began within a few rounds; the usual number is five to ten.
_ROUNDS = 10
# Keeps a regression on all but collinear visits solvable; far below what it changes.
_RIDGE = 1e-5


def draw_missing(
    scores: Floats, covariates: Floats, *, count: int, random: np.random.Generator
) -> Floats:
    """Draw the missing cells of a table of scores several times.

    Returns
    -------
    array of float, shape (count, n, n_columns)
        Observed cells as they were. A column without any observed cell stays missing.

    References
    ----------
    .. [1] van Buuren S. Flexible Imputation of Missing Data, 2nd edition. CRC Press, 2018,
       algorithms 3.1 (Bayesian linear regression) and 4.3 (chained equations).
    """
    missing: npt.NDArray[np.bool_] = np.asarray(np.isnan(scores))
    seen = ~missing.all(axis=0)
    filled = np.broadcast_to(scores, (count, *scores.shape)).copy()
    gaps_in = np.asarray(missing.any(axis=0)) & np.asarray(seen)
    for column in np.flatnonzero(gaps_in):
        observed = scores[~missing[:, column], column]
        size = (count, int(missing[:, column].sum()))
        filled[:, missing[:, column], column] = random.choice(observed, size)
    # The column with the fewest gaps first, as the chain then begins with what is best known.
    order = np.argsort(missing.sum(axis=0), kind="stable")
    gappy = [column for column in order if gaps_in[column]]
    for _ in range(_ROUNDS if gappy else 0):
        for column in gappy:
            others = [other for other in np.flatnonzero(seen) if other != column]
            design = _make_design(filled[:, :, others], covariates)
            gaps = np.asarray(missing[:, column])
            filled[:, gaps, column] = _draw(design, filled[0, ~gaps, column], gaps, random)
    return filled


def _make_design(predictors: Floats, covariates: Floats) -> Floats:
    count, n, _ = predictors.shape
    fixed = np.broadcast_to(covariates, (count, n, covariates.shape[1]))
    columns = np.concatenate([predictors, fixed], axis=2)
    center = columns.mean(axis=1, keepdims=True)
    spread = columns.std(axis=1, keepdims=True)
    scaled = (columns - center) / np.where(spread > 0, spread, 1.0)
    return np.concatenate([np.ones((count, n, 1)), scaled], axis=2)


def _draw(
    design: Floats, observed: Floats, gaps: npt.NDArray[np.bool_], random: np.random.Generator
) -> Floats:
    """Draw variance, then coefficients, then the missing values, once for each imputation."""
    count, _, width = design.shape
    known = design[:, ~gaps]
    cross = known.transpose(0, 2, 1) @ known
    cross += _RIDGE * np.eye(width) * np.diagonal(cross, axis1=1, axis2=2)[:, None, :]
    inverse = np.linalg.inv(cross)
    center = inverse @ (known.transpose(0, 2, 1) @ observed)[:, :, None]
    residual = observed - (known @ center)[:, :, 0]
    freedom = max(len(observed) - width, 1)
    sigma = np.sqrt((residual**2).sum(axis=1) / random.chisquare(freedom, count))
    root = np.linalg.cholesky((inverse + inverse.transpose(0, 2, 1)) / 2)
    drawn = center + sigma[:, None, None] * (root @ random.standard_normal((count, width, 1)))
    noise = random.standard_normal((count, int(gaps.sum())))
    return np.asarray((design[:, gaps] @ drawn)[:, :, 0] + sigma[:, None] * noise)
