"""What a feature is a predictor of: response in either arm, or the treatment's effect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from glabella.validation.intervals import Estimate, not_estimable
from glabella.validation.metrics import compute_concordance
from glabella.validation.pooling import PooledMeasure, pool_trials
from glabella.validation.rubin import pool_estimates
from glabella.validation.sample import Sample

Role = Literal["of the effect", "prognostic", "can't be told"]
_THIRDS = 3
_QUANTILE = float(norm.ppf(0.975))

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FeatureRole:
    """How well a feature tells responders from others, and in whom.

    Every figure is a concordance: how often, of a responder and another of the same trial and arm,
    the responder lies where the model puts the likelier. 0.5 is chance. The feature stands alone.

    Parameters
    ----------
    active, control : Estimate
        In the active arms, and in the others.
    difference : Estimate
        Active less control.
    beyond_severity : Estimate
        In the active arms, among participants in the same third of severity at baseline.
    trials : tuple of tuple of str and Estimate
        In the active arms of each trial.
    pooled : PooledMeasure
        Over trials, with their heterogeneity.
    """

    active: Estimate
    control: Estimate
    difference: Estimate
    beyond_severity: Estimate
    trials: tuple[tuple[str, Estimate], ...]
    pooled: PooledMeasure

    @property
    def role(self) -> Role:
        """Of the effect where it works better in the active arms, prognostic where in the others.

        Neither can be told where both intervals hold chance.
        """
        if self.difference.low is not None and self.difference.low > 0:
            return "of the effect"
        if self.control.low is not None and self.control.low > 0.5:
            return "prognostic"
        return "can't be told"

    @property
    def reversed_in(self) -> tuple[str, ...]:
        """The trials in which it goes the other way, beyond their own chance."""
        return tuple(
            trial for trial, item in self.trials if item.high is not None and item.high < 0.5
        )


def measure_role(sample: Sample, score: Floats, severity: Floats | None) -> FeatureRole:
    """Measure a feature's concordance by arm, by trial and beyond severity.

    Parameters
    ----------
    sample : Sample
        The participants.
    score : array of float, shape (n_participants,)
        The feature, turned so that higher is what the model holds likelier to respond; NaN where
        missing: these participants are left out.
    severity : array of float, shape (n_participants,), or None
        Severity at baseline; None where there is none, or the feature is severity itself.

    Returns
    -------
    FeatureRole
        What can't be estimated has its reason.
    """
    known = ~np.isnan(score)
    active, control = known & sample.active, known & ~sample.active
    in_active = _measure(sample, score, active)
    in_control = (
        _measure(sample, score, control)
        if sample.has_arms
        else not_estimable("there is no control arm")
    )
    if severity is None:
        beyond = not_estimable("severity itself, or there is none at baseline")
    else:
        alike = known & sample.active & ~np.isnan(severity)
        beyond = _measure(sample, score, alike, _cut_into_thirds(severity, alike))
    trials = [
        (str(trial), _measure(sample, score, active & (sample.trial == trial)))
        for trial in dict.fromkeys(sample.trial.tolist())
    ]
    return FeatureRole(
        in_active,
        in_control,
        _subtract(in_active, in_control),
        beyond,
        tuple(trials),
        pool_trials(trials),
    )


def _measure(
    sample: Sample,
    score: Floats,
    among: npt.NDArray[np.bool_],
    within: npt.NDArray[np.int_] | None = None,
) -> Estimate:
    rows = np.flatnonzero(among)
    strata: Sequence[str] = sample.strata[rows].tolist()
    if within is not None:
        strata = [f"{cell}|{third}" for cell, third in zip(strata, within[rows], strict=True)]
    each = [
        compute_concordance(
            outcome[rows], score[rows], strata=strata, participant=sample.people[rows]
        )[0]
        for outcome in sample.outcomes
    ]
    return pool_estimates(each, units=len(np.unique(sample.people[rows])))


def _cut_into_thirds(severity: Floats, among: npt.NDArray[np.bool_]) -> npt.NDArray[np.int_]:
    shares = np.arange(1, _THIRDS) / _THIRDS
    cuts = np.quantile(severity[among], shares) if among.any() else np.empty(0)
    return np.asarray(np.searchsorted(cuts, severity, "right"), dtype=int)


def _subtract(one: Estimate, other: Estimate) -> Estimate:
    """The difference of two concordances of different participants."""
    if one.value is None or other.value is None:
        return not_estimable(str(one.reason if one.value is None else other.reason))
    value = one.value - other.value
    errors = [_find_error(item) for item in (one, other)]
    if None in errors:
        return Estimate(value, reason="one of the two has no interval")
    error = math.hypot(*(float(each or 0.0) for each in errors))
    half = _QUANTILE * error
    return Estimate(
        value,
        max(value - half, -1.0),
        min(value + half, 1.0),
        standard_error=error,
        lowest=-1.0,
        highest=1.0,
    )


def _find_error(item: Estimate) -> float | None:
    """The standard error of the concordance itself."""
    if item.standard_error is None or item.value is None:
        return None
    steep = item.value * (1.0 - item.value) if item.scale == "logit" else 1.0
    return item.standard_error * steep
