"""All measures of a candidate, for each design of validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.validation.folds.sample import Sample
from glabella.validation.measures.attempt import attempt, attempt_estimate, attempt_estimates
from glabella.validation.measures.average_precision import compute_average_precision
from glabella.validation.measures.calibration import (
    Calibration,
    compute_calibration,
    compute_observed_expected,
)
from glabella.validation.measures.calibration_curve import (
    CalibrationCurve,
    fit_calibration_curve,
    measure_calibration_error,
    no_curve,
)
from glabella.validation.measures.classification import (
    compute_npv,
    compute_ppv,
    compute_sensitivity,
    compute_specificity,
)
from glabella.validation.measures.discrimination import (
    compute_brier_score,
    compute_concordance,
    compute_log_loss,
    compute_scaled_brier,
)
from glabella.validation.measures.estimate import Estimate, not_estimable
from glabella.validation.measures.registry import DESCRIBED
from glabella.validation.measures.rubin import pool_estimates

__all__ = ["Performance"]

MEASURES = tuple(DESCRIBED)
# Likelier to respond than not, which needs no view of what a false hope costs.
DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True)
class Performance:
    """The measures of one set of out-of-fold predictions.

    Parameters
    ----------
    n : int
        Participants.
    events : float
        Responders; where outcomes are imputed, their mean number.
    estimates : dict of Estimate
        By measure, as in `MEASURES`. ``auc`` is the headline: concordance over pairs of the same
        trial, arm and outer fold in the active arms; ``auc_control`` is its mirror in the control
        arms; ``auc_all`` pairs all arms and trials of an outer fold.
    pairs, pairs_control : int
        Pairs behind ``auc`` and ``auc_control``, in one repetition.
    threshold : float
        Of ``sensitivity``, ``specificity``, ``ppv`` and ``npv``.
    """

    n: int
    events: float
    estimates: dict[str, Estimate]
    pairs: int
    pairs_control: int
    threshold: float = DEFAULT_THRESHOLD


@dataclass(frozen=True)
class GroupPerformance:
    """The measures for one trial or site.

    Parameters
    ----------
    group : str
        Its name.
    performance : Performance
        Its measures.
    """

    group: str
    performance: Performance


def measure_performance(
    predictions: pd.DataFrame, sample: Sample, *, threshold: float = DEFAULT_THRESHOLD
) -> Performance:
    """Compute every measure; where outcomes are imputed, pool it by Rubin's rules.

    Parameters
    ----------
    predictions : DataFrame
        Rows of `collect_predictions` of one candidate and design.
    sample : Sample
        The participants.
    threshold : float
        Predictions at or above it say response, for sensitivity and its like.

    Returns
    -------
    Performance
        With intervals, or reasons. The calibration index is of the curve that is pooled over
        imputations: a distance without a sign is not pooled itself.
    """
    each = [
        _measure_completed(predictions, sample, outcomes.astype(bool), threshold)
        for outcomes in sample.outcomes
    ]
    units = len(np.unique(sample.people[predictions["row"].to_numpy()]))
    estimates = attempt_estimates(
        {
            name: partial(pool_estimates, [one.estimates[name] for one in each], units=units)
            for name in each[0].estimates
        }
    )
    estimates["ici"] = attempt_estimate(
        lambda: measure_calibration_error(fit_curve(predictions, sample)).ici
    )
    return Performance(
        n=each[0].n,
        events=each[0].events if len(each) == 1 else float(np.mean([one.events for one in each])),
        estimates={name: estimates[name] for name in MEASURES},
        pairs=round(float(np.mean([one.pairs for one in each]))),
        pairs_control=round(float(np.mean([one.pairs_control for one in each]))),
        threshold=threshold,
    )


def fit_curve(predictions: pd.DataFrame, sample: Sample) -> CalibrationCurve:
    """Fit the calibration curve of out-of-fold predictions.

    Parameters
    ----------
    predictions : DataFrame
        Rows of `collect_predictions` of one candidate and design.
    sample : Sample
        The participants.

    Returns
    -------
    CalibrationCurve
        Of all repetitions together, with participants as clusters; without points and with the
        reason where it could not be computed.
    """
    rows = predictions["row"].to_numpy()
    return attempt(
        lambda: fit_calibration_curve(
            sample.outcomes[:, rows],
            predictions["probability"].to_numpy(dtype=float),
            participant=sample.people[rows],
        ),
        lambda failure: no_curve(failure.words),
    )


def _measure_completed(
    predictions: pd.DataFrame,
    sample: Sample,
    outcomes: npt.NDArray[np.bool_],
    threshold: float,
) -> Performance:
    rows = predictions["row"].to_numpy()
    person = sample.people[rows]
    outcome = outcomes[rows]
    probability = predictions["probability"].to_numpy(dtype=float)
    repeats = int(predictions["repeat"].nunique())
    outer = _number(predictions, "repeat", "fold", "group")
    cells = pd.factorize(sample.strata[rows])[0]
    within = outer * (cells.max() + 1) + cells
    active = sample.active[rows]

    def concordance(mask: np.ndarray, strata: np.ndarray) -> tuple[Estimate, int]:
        return attempt(
            lambda: compute_concordance(
                outcome[mask],
                probability[mask],
                strata=strata[mask],
                participant=person[mask],
                repeats=repeats,
            ),
            lambda failure: (not_estimable(failure.words), 0),
        )

    headline, pairs = concordance(active, within)
    mirror, pairs_control = (
        concordance(~active, within)
        if sample.has_arms
        else (not_estimable("the analysis has no control arm"), 0)
    )
    # A trial validated inside is ranked by itself, whatever the number of its repetition.
    repetition = _number(predictions, "repeat", "group")

    def of(measure: Callable[..., Estimate], **how: Any) -> Callable[[], Estimate]:
        return partial(measure, outcome, probability, participant=person, **how)

    calibration = attempt(
        lambda: compute_calibration(outcome, probability, participant=person),
        lambda failure: Calibration(not_estimable(failure.words), not_estimable(failure.words)),
    )
    participants = np.unique(rows)
    return Performance(
        n=len(participants),
        events=int(outcomes[participants].sum()),
        estimates=attempt_estimates(
            {
                "auc": lambda: headline,
                "auc_control": lambda: mirror,
                "auc_all": lambda: concordance(np.ones(len(rows), dtype=bool), outer)[0],
                "brier": of(compute_brier_score),
                "log_loss": of(compute_log_loss),
                "calibration_slope": lambda: calibration.slope,
                "calibration_intercept": lambda: calibration.intercept,
                "average_precision": of(compute_average_precision, strata=repetition),
                "scaled_brier": of(compute_scaled_brier),
                "observed_expected": of(compute_observed_expected),
                "sensitivity": of(compute_sensitivity, threshold=threshold),
                "specificity": of(compute_specificity, threshold=threshold),
                "ppv": of(compute_ppv, threshold=threshold),
                "npv": of(compute_npv, threshold=threshold),
            }
        ),
        pairs=pairs,
        pairs_control=pairs_control,
    )


def _number(predictions: pd.DataFrame, *columns: str) -> npt.NDArray[np.int_]:
    """Number the combinations of some columns in order of first appearance."""
    numbers = np.zeros(len(predictions), dtype=int)
    for column in columns:
        codes, levels = pd.factorize(predictions[column])
        numbers = numbers * (len(levels) + 1) + codes
    return np.asarray(pd.factorize(numbers)[0], dtype=int)


def measure_by_group(
    predictions: pd.DataFrame, sample: Sample, *, threshold: float = DEFAULT_THRESHOLD
) -> tuple[GroupPerformance, ...]:
    """Compute every measure for each trial or site.

    Parameters
    ----------
    predictions : DataFrame
        Rows of `collect_predictions` of one candidate and design.
    sample : Sample
        The participants.
    threshold : float
        As in `measure_performance`.

    Returns
    -------
    tuple of GroupPerformance
        In order of first appearance.
    """
    return tuple(
        GroupPerformance(str(group), measure_performance(part, sample, threshold=threshold))
        for group, part in predictions.groupby("group", sort=False)
    )


def measure_by_arm(
    predictions: pd.DataFrame, sample: Sample, *, threshold: float = DEFAULT_THRESHOLD
) -> tuple[GroupPerformance, ...]:
    """Compute every measure within each arm.

    Parameters
    ----------
    predictions : DataFrame
        Rows of `collect_predictions` of one candidate and design.
    sample : Sample
        The participants.
    threshold : float
        As in `measure_performance`.

    Returns
    -------
    tuple of GroupPerformance
        Active arms first, then in order of first appearance; empty where there are no arms.
        ``auc`` is the concordance within the arm, whatever its role.
    """
    if not sample.has_arms:
        return ()
    arm = sample.arm[predictions["row"].to_numpy()]
    names = dict.fromkeys([*sample.arm[sample.active], *sample.arm])
    within = replace(sample, active=np.ones(sample.n, dtype=bool))
    return tuple(
        GroupPerformance(
            str(name), measure_performance(predictions[arm == name], within, threshold=threshold)
        )
        for name in names
    )
