"""The score at the endpoint modelled first, and the probability of response read off it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy.stats import logistic, norm

from glabella.features.spec import FeatureSpec
from glabella.models.encoding import Features
from glabella.models.estimators.interface import Floats
from glabella.models.estimators.linear import DEVIATIONS, LinearModel
from glabella.models.penalised import PenalisedFit, fit_shifts

__all__ = ["ScoreRegressionModel"]

# Standard deviations of a logistic distribution in units of its scale.
_LOGISTIC = np.pi / np.sqrt(3.0)
_ENOUGH_KNOWN = 10
_FILLS = 50
_SETTLED = 1e-4


class ScoreRegressionModel(LinearModel):
    """Penalised linear regression of how far the score ends up from the response threshold.

    The margin is the distance between a participant's score at the endpoint and the score at
    which response begins, positive for responders. Where the threshold is a share of baseline,
    and baseline severity is a feature, this is the score adjusted for baseline: the threshold is
    linear in baseline. The margin's mean is linear in the features, under a normal prior whose
    width is averaged over by its marginal likelihood, and in the arm, which has no prior; its
    residuals follow a logistic distribution whose spread is that of leave-one-out residuals, so
    that the log odds of response are linear too. Each arm's intercept is set so that as many
    responses are expected in it as were observed.

    Who responded or not and has no score, by the strategy for missing outcomes, counts with the
    margin that is expected on that side of the threshold.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The columns that may be used.
    random_state : int, optional
        Not used: the fit is deterministic.

    References
    ----------
    .. [1] Altman DG, Royston P. The cost of dichotomising continuous variables. BMJ 2006;332:1080.
    .. [2] Suissa S, Blais L. Binary regression with continuous outcomes. Stat Med 1995;14:247-255.
    .. [3] MacKay DJC. Bayesian interpolation. Neural Comput 1992;4:415-447.
    .. [4] Tobin J. Estimation of relationships for limited dependent variables. Econometrica
       1958;26:24-36.
    """

    needs_margin: ClassVar[bool] = True

    def __init__(self, specs: Sequence[FeatureSpec] = (), random_state: int | None = None):
        super().__init__(specs=specs, random_state=random_state)

    def fit(self, X: Features, y: npt.ArrayLike, margin: npt.ArrayLike | None = None) -> Self:
        """Fit to training rows.

        Parameters
        ----------
        X : DataFrame or FeatureColumns, shape (n_rows, n_columns)
            Features by name.
        y : array of int, shape (n_rows,)
            1 for responders, 0 for others.
        margin : array of float, shape (n_rows,), optional
            How far beyond the threshold of response each score lies; NaN where it is not known,
            or where response was not decided by the score. Without any, `y` alone is fitted to.

        Returns
        -------
        ScoreRegressionModel
            Itself, fitted.

        Raises
        ------
        ValueError
            If `y` holds one class only, or there are infinite numbers.
        """
        columns, responded = self._check_fit(X, y)
        given = np.full(len(responded), np.nan) if margin is None else np.asarray(margin, float)
        if len(given) != len(responded) or np.isinf(given).any():
            raise ValueError("there is not one finite margin for each row")
        # A score that contradicts the response did not decide it.
        known = ~np.isnan(given) & ((given >= 0) == (responded == 1))
        matrix, _ = self._learn_design(columns)
        self._keep(
            _fit_margins(matrix, self._find_free(), responded, np.where(known, given, np.nan))
        )
        return self


def _fit_margins(
    matrix: Floats,
    free: npt.NDArray[np.bool_],
    responded: npt.NDArray[np.int_],
    margin: Floats,
) -> PenalisedFit:
    known = ~np.isnan(margin)
    scale = (float(np.std(margin[known])) if known.sum() > 1 else 0.0) or 1.0
    # Without scores, the threshold is one spread away from either side's mean.
    filled = np.where(known, margin / scale, np.where(responded == 1, 0.8, -0.8))
    fit = _fit_regression(matrix, free, filled, 0.0)
    for _ in range(0 if known.all() else _FILLS):
        expected, variance = _compute_beyond(fit.fitted, fit.deviation, responded)
        refilled = np.where(known, margin / scale, expected)
        moved = float(np.abs(refilled - filled).max())
        filled = refilled
        fit = _fit_regression(matrix, free, filled, float(variance[~known].sum()))
        if moved < _SETTLED:
            break
    left_out = (filled - fit.left_out)[known]
    # What is filled in does not scatter as scores do.
    spread = _find_spread(left_out) if known.sum() >= _ENOUGH_KNOWN else fit.deviation / _LOGISTIC
    shifts = fit_shifts(fit.left_out / spread, responded, matrix[:, free])
    coefficients = fit.coefficients / spread
    coefficients[free] += shifts[:-1]
    return PenalisedFit(float(fit.mean / spread + shifts[-1]), coefficients, float("nan"))


@dataclass(frozen=True)
class _Regression:
    """A ridge regression averaged over penalties."""

    mean: float
    coefficients: Floats
    deviation: float
    fitted: Floats
    left_out: Floats


def _fit_regression(
    matrix: Floats, free: npt.NDArray[np.bool_], target: Floats, scatter: float
) -> _Regression:
    """Regress, and predict each row from all the others.

    What is filled in stands for values that scatter around it: `scatter` is the sum of their
    variances. Free columns have no prior: the others, and the target, are what they leave.
    """
    rows, mean = len(target), float(target.mean())
    basis = _decompose(matrix[:, free])
    others = matrix[:, ~free] - basis.left @ (basis.left.T @ matrix[:, ~free])
    centred = target - mean
    rest = centred - basis.left @ (basis.left.T @ centred)
    shrunk = _decompose(others)
    projected = shrunk.left.T @ rest
    unexplained = max(float((rest**2).sum() - (projected**2).sum()), 0.0) + scatter
    # Of coefficients per residual standard deviation, of which a logistic one has 1.8 units.
    kept = (np.array(DEVIATIONS)[:, None] / _LOGISTIC * shrunk.singular) ** 2
    # Under a prior a projection has (1 + kept) times the residual variance.
    freedom = max(rows - 1 - len(basis.singular), 1)
    variance = (unexplained + (projected**2 / (1.0 + kept)).sum(axis=1)) / freedom
    variance = np.maximum(variance, 1e-12)
    evidence = -0.5 * freedom * np.log(variance) - 0.5 * np.log1p(kept).sum(axis=1)
    weights = np.exp(evidence - evidence.max())
    weights /= weights.sum()
    shrinkage = weights @ (kept / (1.0 + kept))
    coefficients = np.zeros(matrix.shape[1])
    coefficients[~free] = shrunk.solve(shrinkage * projected)
    coefficients[free] = basis.solve(
        basis.left.T @ (centred - matrix[:, ~free] @ coefficients[~free])
    )
    fitted = matrix @ coefficients + mean
    leverage = shrunk.left**2 @ shrinkage + (basis.left**2).sum(axis=1) + 1.0 / rows
    left_out = target - (target - fitted) / np.maximum(1.0 - leverage, 1e-3)
    return _Regression(mean, coefficients, float(weights @ np.sqrt(variance)), fitted, left_out)


@dataclass(frozen=True)
class _Basis:
    """Columns by their singular values, without those that others add up to."""

    left: Floats
    singular: Floats
    right: Floats

    def solve(self, projected: Floats) -> Floats:
        """Give the smallest coefficients with these projections."""
        return np.asarray(self.right.T @ (projected / self.singular))


def _decompose(columns: Floats) -> _Basis:
    left, singular, right = np.linalg.svd(columns, full_matrices=False)
    kept = singular > 1e-10 * max(singular.max(initial=0.0), 1e-12)
    return _Basis(left[:, kept], singular[kept], right[kept])


def _compute_beyond(
    fitted: Floats, deviation: float, responded: npt.NDArray[np.int_]
) -> tuple[Floats, Floats]:
    """Give mean and variance of a normal margin of which only the sign is known."""
    side = np.where(responded == 1, 1.0, -1.0)
    away = side * fitted / deviation
    # The inverse Mills ratio, by logarithms: far on the wrong side both parts vanish.
    mills = np.exp(norm.logpdf(away) - norm.logcdf(away))
    variance = deviation**2 * np.clip(1.0 - mills * (mills + away), 0.0, 1.0)
    return fitted + side * deviation * mills, variance


def _find_spread(residuals: Floats) -> float:
    """Fit the scale of a logistic distribution around nought."""
    _, spread = logistic.fit(residuals, floc=0.0, scale=float(np.std(residuals)) or 1e-3)
    return max(float(spread), 1e-6)
