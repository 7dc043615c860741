"""A smooth calibration curve with a band, and how far it is from the ideal.

The curve is a logistic regression of response on a restricted cubic spline of the predicted log
odds. Beside loess, which Austin and Steyerberg (2019) prefer by little, it has a likelihood: its
band takes participants as clusters, it stays inside (0, 1), imputed outcomes are pooled by Rubin's
rules, and it takes milliseconds for all repetitions of cross-validation together, so that nobody's
predictions need to be averaged first and the curve is of single models, as the slope is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from glabella.validation.measures.estimation.estimate import (
    QUANTILE,
    Estimate,
    make_missing_estimate,
)
from glabella.validation.measures.estimation.logistic import SAME_LOG_ODDS, fit_clustered
from glabella.validation.measures.estimation.rubin import pool_values
from glabella.validation.measures.evaluation import Evaluation, explain_few
from glabella.validation.measures.measure import Measure

__all__ = ["fit_calibration_curve", "measure_calibration_error"]

Floats = npt.NDArray[np.float64]

# Harrell's places: quantiles that leave enough participants outside the outer knots.
_QUANTILES = {3: (0.1, 0.5, 0.9), 4: (0.05, 0.35, 0.65, 0.95)}
# Ten participants of the rarer class for each coefficient (Peduzzi et al., J Clin Epidemiol
# 1996;49:1373-1379); four coefficients bend often enough for any calibration worth drawing.
_CLASS_PER_COEFFICIENT = 10
_MOST_COEFFICIENTS = 4
# A bend within a hundredth of the way between the outer knots is a kink, and what it is fitted to
# are the few participants there.
_CLOSEST_KNOTS = 0.01
# Log odds that no participant has: a fit that reaches them has no maximum.
_NO_LOG_ODDS = 20.0


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """Observed chance of response over predictions, with a pointwise 95 % band.

    Parameters
    ----------
    predicted : array of float, shape (n_points,)
        Every prediction that was made, once and in order; empty where there is no curve.
    count : array of int, shape (n_points,)
        How often each was made.
    observed, low, high : array of float, shape (n_points,)
        The chance of response there, and its band with participants as clusters.
    coefficients : int
        Of the regression: 2 is a straight line of log odds; 3 and 4 are bent.
    reason : str or None
        Why there is no curve.
    """

    predicted: Floats
    count: npt.NDArray[np.int_]
    observed: Floats
    low: Floats
    high: Floats
    coefficients: int
    reason: str | None = None

    def frame(self) -> pd.DataFrame:
        """Tabulate the curve.

        Returns
        -------
        DataFrame
            A row a point: ``predicted``, ``count``, ``observed``, ``low``, ``high``.
        """
        names = ("predicted", "count", "observed", "low", "high")
        return pd.DataFrame({name: getattr(self, name) for name in names})


@dataclass(frozen=True)
class CalibrationError:
    """How far predictions are from the calibration curve, in probability.

    Parameters
    ----------
    ici : Estimate
        Integrated calibration index: the mean distance.
    e50, e90 : Estimate
        The distance that half, and nine in ten, of the predictions do not exceed.
    """

    ici: Estimate
    e50: Estimate
    e90: Estimate


@dataclass(frozen=True)
class _Fit:
    """Coefficients and their covariance, once a completed set of outcomes."""

    values: list[Floats]
    covariances: list[Floats]


def fit_calibration_curve(
    responded: npt.ArrayLike, probability: npt.ArrayLike, *, participant: npt.ArrayLike
) -> CalibrationCurve:
    """Fit the calibration curve of out-of-fold predictions.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,) or (n_imputations, n_predictions)
        The outcome; one row for each completed set where it is imputed.
    probability : array of float, shape (n_predictions,)
        The out-of-fold prediction in [0, 1].
    participant : array, shape (n_predictions,)
        Who each prediction is of.

    Returns
    -------
    CalibrationCurve
        With a coefficient for each ten participants of the rarer class, two at least and four at
        most, and fewer where predictions hardly differ or the bent curve has no maximum; where
        all are the same, the observed rate. Without points and with a reason where a class has
        under five participants, a prediction is exactly 0 or 1, or they separate the classes.

    References
    ----------
    .. [1] Harrell FE. Regression Modeling Strategies. 2nd ed. Springer, 2015, section 2.4.
    .. [2] Austin PC, Steyerberg EW. The Integrated Calibration Index (ICI) and related metrics
       for quantifying the calibration of logistic regression models. Stat Med
       2019;38:4051-4065.
    """
    outcomes = np.atleast_2d(np.asarray(responded, dtype=float))
    predicted = np.asarray(probability, dtype=float)
    who = pd.factorize(np.asarray(participant))[0]
    for outcome in outcomes:
        few = explain_few(outcome.astype(bool), who)
        if few:
            return make_missing_curve(few)
    if ((predicted <= 0) | (predicted >= 1)).any():
        return make_missing_curve("a prediction of exactly 0 or 1 has no log odds")
    log_odds = logit(predicted)
    rarer = min(_count_rarer(outcome.astype(bool), who) for outcome in outcomes)
    wanted = int(np.clip(rarer // _CLASS_PER_COEFFICIENT, 2, _MOST_COEFFICIENTS))
    if np.ptp(log_odds) < SAME_LOG_ODDS:
        wanted = 1
    elif any(_is_separated(outcome, log_odds) for outcome in outcomes):
        return make_missing_curve("the predictions separate the classes")
    for coefficients in range(wanted, min(wanted, 2) - 1, -1):
        bend = _make_basis(log_odds, coefficients)
        fit = None if bend is None else _fit_all(outcomes, bend(log_odds), who)
        if bend is not None and fit is not None:
            return _compute_curve(bend, fit, predicted, units=len(np.unique(who)))
    return make_missing_curve("the regression did not converge")


def measure_calibration_error(curve: CalibrationCurve) -> CalibrationError:
    """Measure the distance of predictions from their calibration curve.

    Parameters
    ----------
    curve : CalibrationCurve
        From `fit_calibration_curve`.

    Returns
    -------
    CalibrationError
        0 is ideal. The bounds are of the least and the greatest distance that curves inside the
        band have at each prediction. So they hold 0 where the ideal lies inside the band, which an
        interval around the estimate can't: a distance has no sign, and even ideal predictions are
        a little away from the curve of few participants. They are rather too wide than too
        narrow, as errors of the curve do not all go the same way.

    References
    ----------
    .. [1] Austin PC, Steyerberg EW. The Integrated Calibration Index (ICI) and related metrics
       for quantifying the calibration of logistic regression models. Stat Med
       2019;38:4051-4065.
    """
    if curve.reason is not None:
        missing = make_missing_estimate(curve.reason)
        return CalibrationError(missing, missing, missing)
    ends = np.abs(np.stack([curve.low, curve.high]) - curve.predicted)
    inside = (curve.low <= curve.predicted) & (curve.predicted <= curve.high)
    distances = [
        np.repeat(each, curve.count)
        for each in (
            np.abs(curve.observed - curve.predicted),
            np.where(inside, 0.0, ends.min(axis=0)),
            ends.max(axis=0),
        )
    ]

    def summarise(how: Callable[[Floats], np.floating]) -> Estimate:
        value, low, high = (float(how(distance)) for distance in distances)
        return Estimate(value, low, high)

    return CalibrationError(
        ici=summarise(np.mean),
        e50=summarise(lambda distance: np.quantile(distance, 0.5)),
        e90=summarise(lambda distance: np.quantile(distance, 0.9)),
    )


def make_missing_curve(reason: str) -> CalibrationCurve:
    """Make the curve of what has none.

    Parameters
    ----------
    reason : str
        Why not.

    Returns
    -------
    CalibrationCurve
        Without points.
    """
    none = np.empty(0)
    return CalibrationCurve(none, none.astype(int), none, none, none, 0, reason)


def _count_rarer(outcome: npt.NDArray[np.bool_], who: npt.NDArray[np.int_]) -> int:
    return min(len(np.unique(who[outcome])), len(np.unique(who[~outcome])))


def _is_separated(outcome: Floats, log_odds: Floats) -> bool:
    cases, others = log_odds[outcome == 1], log_odds[outcome == 0]
    return bool(others.max() <= cases.min() or cases.max() <= others.min())


def _make_basis(log_odds: Floats, coefficients: int) -> Callable[[Floats], Floats] | None:
    """Make the columns of the regression; None where predictions differ too little for them."""
    if coefficients <= 2:
        return lambda x: np.column_stack([np.ones(len(x)), x][:coefficients])
    knots = np.quantile(log_odds, _QUANTILES[coefficients])
    # Where many share a prediction, or nearly so, knots fall together, and a bend has no place.
    closest = max(_CLOSEST_KNOTS * (knots[-1] - knots[0]), SAME_LOG_ODDS)
    if np.diff(knots).min() < closest or len(np.unique(log_odds.round(9))) < coefficients:
        return None

    def compute_basis(x: Floats) -> Floats:
        cubes = np.maximum(x[:, None] - knots, 0.0) ** 3
        last = knots[-1] - knots[-2]
        first = (knots[-1] - knots[:-2]) / last
        second = (knots[-2] - knots[:-2]) / last
        bent = cubes[:, :-2] - cubes[:, [-2]] * first + cubes[:, [-1]] * second
        return np.column_stack([np.ones(len(x)), x, bent / (knots[-1] - knots[0]) ** 2])

    return compute_basis


def _fit_all(outcomes: Floats, design: Floats, who: npt.NDArray[np.int_]) -> _Fit | None:
    """Fit each completed set; None where one has no maximum."""
    fit = _Fit([], [])
    for outcome in outcomes:
        found = fit_clustered(outcome, design, who)
        if found is None or np.abs(design @ found.coefficients).max() > _NO_LOG_ODDS:
            return None
        fit.values.append(found.coefficients)
        fit.covariances.append(found.covariance)
    return fit


def _compute_curve(
    bend: Callable[[Floats], Floats], fit: _Fit, predicted: Floats, *, units: int
) -> CalibrationCurve:
    points, count = np.unique(predicted, return_counts=True)
    design = bend(logit(points))
    centers = np.stack([design @ values for values in fit.values])
    variances = np.stack([((design @ each) * design).sum(axis=1) for each in fit.covariances])
    errors = np.sqrt(np.maximum(variances, 0.0))
    if len(centers) == 1:
        center, half = centers[0], QUANTILE * errors[0]
    else:
        center, half, *_ = pool_values(centers, errors, units=units)
    return CalibrationCurve(
        points,
        count,
        expit(center),
        expit(center - half),
        expit(center + half),
        design.shape[1],
    )


def _compute_ici(evaluation: Evaluation) -> Estimate:
    active = evaluation.select_active()
    curve = fit_calibration_curve(active.outcomes, active.probability, participant=active.who)
    return measure_calibration_error(curve).ici


ICI = Measure(
    "ici",
    "ICI",
    "The integrated calibration index, the mean distance of the predictions from a smooth "
    "calibration curve, within the active arms: 0 is ideal; the interval contains what curves "
    "inside the band allow.",
    "Austin and Steyerberg, Stat Med 2019;38:4051",
    _compute_ici,
    family="calibration",
    digits=3,
    ideal=0.0,
    better="lower",
    takes_all_sets=True,
)
