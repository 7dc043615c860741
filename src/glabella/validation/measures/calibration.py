"""Calibration: intercept and slope on the log-odds scale, and grouped observed rates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit
from statsmodels.stats.proportion import proportion_confint

from glabella.validation.measures.estimation.estimate import (
    Estimate,
    compute_error_of_sum,
    estimate_mean,
    estimate_ratio,
    make_missing_estimate,
)
from glabella.validation.measures.estimation.logistic import SAME_LOG_ODDS, fit_clustered
from glabella.validation.measures.evaluation import Evaluation, explain_few
from glabella.validation.measures.measure import Measure, Tier

__all__ = ["compute_calibration"]


_COX = "Cox, Biometrika 1958;45:562; Van Calster et al., BMC Med 2019;17:230"


@dataclass(frozen=True)
class Calibration:
    """How predicted log odds relate to observed response.

    Parameters
    ----------
    slope : Estimate
        Of a logistic regression of response on predicted log odds: 1 is ideal, below 1 means
        predictions too extreme.
    intercept : Estimate
        Calibration in the large, with the slope held at 1: 0 is ideal, above 0 means that
        response is commoner than predicted.
    """

    slope: Estimate
    intercept: Estimate


@dataclass(frozen=True)
class CalibrationGroup:
    """Participants of similar prediction.

    Parameters
    ----------
    n : int
        How many.
    predicted : float
        Their mean prediction.
    observed, low, high : float
        Their rate of response with Wilson's 95 % interval.
    """

    n: int
    predicted: float
    observed: float
    low: float
    high: float


def compute_calibration(
    responded: npt.ArrayLike, probability: npt.ArrayLike, *, participant: npt.ArrayLike
) -> Calibration:
    """Estimate calibration intercept and slope, with participants as clusters.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability : array of float, shape (n_predictions,)
        The out-of-fold prediction in [0, 1].
    participant : array, shape (n_predictions,)
        Who each prediction is of.

    Returns
    -------
    Calibration
        Null with a reason where a class has under five participants, predictions are constant,
        or they separate the classes.

    References
    ----------
    .. [1] Cox DR. Two further applications of a model for binary regression. Biometrika
       1958;45:562-565.
    .. [2] Van Calster B et al. Calibration: the Achilles heel of predictive analytics. BMC Med
       2019;17:230.
    """
    outcome = np.asarray(responded, dtype=float)
    who = pd.factorize(np.asarray(participant))[0]
    few = explain_few(outcome.astype(bool), who)
    if few:
        return Calibration(make_missing_estimate(few), make_missing_estimate(few))
    predicted = np.asarray(probability, dtype=float)
    if ((predicted <= 0) | (predicted >= 1)).any():
        reason = "a prediction of exactly 0 or 1 has no log odds"
        return Calibration(make_missing_estimate(reason), make_missing_estimate(reason))
    log_odds = logit(predicted)
    intercept = _fit(outcome, np.ones((len(outcome), 1)), who, offset=log_odds)
    if np.ptp(log_odds) < SAME_LOG_ODDS:
        return Calibration(make_missing_estimate("the prediction is the same for all"), intercept)
    cases, others = log_odds[outcome == 1], log_odds[outcome == 0]
    # With one covariate the likelihood has a maximum only where the classes overlap on both sides
    # (Albert and Anderson, Biometrika 1984;71:1-10).
    if others.max() <= cases.min() or cases.max() <= others.min():
        return Calibration(make_missing_estimate("the predictions separate the classes"), intercept)
    slope = _fit(outcome, np.column_stack([np.ones(len(outcome)), log_odds]), who)
    return Calibration(slope, intercept)


def group_calibration(
    responded: npt.ArrayLike, probability: npt.ArrayLike, *, groups: int
) -> list[CalibrationGroup]:
    """Compare predicted with observed response in groups of equal size.

    Parameters
    ----------
    responded : array of float, shape (n_participants,)
        The outcome: 1, 0, or the probability of 1 where it is imputed.
    probability : array of float, shape (n_participants,)
        The prediction in [0, 1].
    groups : int
        How many groups; fewer where predictions tie.

    Returns
    -------
    list of CalibrationGroup
        From the lowest predictions to the highest.
    """
    frame = pd.DataFrame(
        {"responded": np.asarray(responded, dtype=float), "probability": probability}
    )
    middle = (frame["probability"].rank(method="average") - 0.5) / len(frame)
    bins = (middle * groups).astype(int)
    result = []
    for _, members in frame.groupby(bins, observed=True):
        low, high = proportion_confint(members["responded"].sum(), len(members), method="wilson")
        observed = float(members["responded"].mean())
        result.append(
            CalibrationGroup(
                n=len(members),
                predicted=float(members["probability"].mean()),
                observed=observed,
                # Rounding puts an end beyond 0 or 1 where nobody or everybody responded.
                low=min(max(float(low), 0.0), observed),
                high=max(min(float(high), 1.0), observed),
            )
        )
    return result


def _fit(
    outcome: npt.NDArray[np.float64],
    design: npt.NDArray[np.float64],
    who: npt.NDArray[np.int_],
    offset: npt.NDArray[np.float64] | None = None,
) -> Estimate:
    fit = fit_clustered(outcome, design, who, offset=offset)
    if fit is None:
        return make_missing_estimate("the regression did not converge")
    return estimate_mean(float(fit.coefficients[-1]), float(np.sqrt(fit.covariance[-1, -1])))


def _calibrate(evaluation: Evaluation) -> Calibration:
    return compute_calibration(
        evaluation.outcome, evaluation.probability, participant=evaluation.who
    )


def _calibrate_active(evaluation: Evaluation) -> Calibration:
    active = evaluation.select_active()
    found = _calibrate(active)
    if evaluation.has_arms and not _differs_within(active):
        # Rates that differ from fold to fold alone would give a slope of chance.
        reason = "the predictions do not differ within any stratum"
        return replace(found, slope=make_missing_estimate(reason))
    return found


def _differs_within(evaluation: Evaluation) -> bool:
    ranges = pd.Series(evaluation.probability).groupby(evaluation.stratum).agg(np.ptp)
    return bool((ranges > SAME_LOG_ODDS).any())


def _compute_observed_expected(evaluation: Evaluation) -> Estimate:
    outcome, predicted = evaluation.outcome.astype(float), evaluation.probability
    expected = float(predicted.sum())
    # So little that the ratio is beyond what a number can hold is none.
    if expected <= np.finfo(float).tiny * len(outcome):
        return make_missing_estimate("no response is predicted")
    influence = np.bincount(evaluation.who, weights=outcome / outcome.sum() - predicted / expected)
    return estimate_ratio(float(outcome.sum()) / expected, compute_error_of_sum(influence))


CALIBRATION_SLOPE = Measure(
    "calibration_slope",
    "Calibration slope",
    "By how much the log odds of response rise with one of predicted log odds, within the active "
    "arms: 1 is ideal, below 1 predictions are too extreme.",
    _COX,
    lambda it: it.compute_once(_calibrate_active).slope,
    family="calibration",
    tier=Tier.BRIEF,
    ideal=1.0,
    pooled_on="identity",
)
CALIBRATION_INTERCEPT = Measure(
    "calibration_intercept",
    "Calibration intercept",
    "Calibration in the large, the log odds of response beyond those predicted, within the active "
    "arms: 0 is ideal, above 0 response is commoner than predicted.",
    _COX,
    lambda it: it.compute_once(_calibrate_active).intercept,
    family="calibration",
    tier=Tier.PAGE,
    ideal=0.0,
    pooled_on="identity",
)
CALIBRATION_SLOPE_ALL = Measure(
    "calibration_slope_all",
    "Calibration slope, all arms",
    "The same over all arms together, where a right difference between arms can hide predictions "
    "that are wrong within them.",
    _COX,
    lambda it: it.compute_once(_calibrate).slope,
    family="calibration",
    ideal=1.0,
    pooled_on="identity",
    needs_control=True,
    is_within_arm=False,
)
CALIBRATION_INTERCEPT_ALL = Measure(
    "calibration_intercept_all",
    "Calibration intercept, all arms",
    "The same over all arms together.",
    _COX,
    lambda it: it.compute_once(_calibrate).intercept,
    family="calibration",
    ideal=0.0,
    pooled_on="identity",
    needs_control=True,
    is_within_arm=False,
)
OBSERVED_EXPECTED = Measure(
    "observed_expected",
    "O:E",
    "The responders that there were over those that were predicted: 1 is ideal, above 1 response "
    "is commoner than predicted.",
    "Debray et al., BMJ 2017;356:i6460",
    _compute_observed_expected,
    family="calibration",
    ideal=1.0,
    pooled_on="log",
)
