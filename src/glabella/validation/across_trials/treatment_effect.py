"""How many more respond in an active arm than under control, stratified by trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glabella.validation.folds.sample import Sample
from glabella.validation.measures.estimation.estimate import (
    QUANTILE,
    Estimate,
    compute_error_of_sum,
    cut,
    estimate_mean,
    estimate_ratio,
    make_missing_estimate,
)
from glabella.validation.measures.estimation.rubin import pool_estimates

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TreatmentEffect:
    """An active arm against all controls of the same trials.

    Parameters
    ----------
    arm : str
        The active arm.
    risk_difference, odds_ratio : Estimate
        Those of Mantel and Haenszel over trials, above 0 and above 1 if more respond in the
        active arm.
    trials : tuple of str
        The trials that have the arm and a control.
    n : int
        Their participants in either.
    without_control : tuple of str
        Trials that have the arm and no control, which say nothing about the effect.
    smallest : float
        The fewest participants with or without response in one arm of a trial, other than none.
    """

    arm: str
    risk_difference: Estimate
    odds_ratio: Estimate
    trials: tuple[str, ...]
    n: int
    without_control: tuple[str, ...]
    smallest: float


def estimate_effects(sample: Sample, arms: Sequence[str]) -> tuple[TreatmentEffect, ...]:
    """Estimate the effect of each active arm, as randomised.

    Parameters
    ----------
    sample : Sample
        The analysed participants.
    arms : sequence of str
        The active arms.

    Returns
    -------
    tuple of TreatmentEffect
        In the order of `arms`, without those that no participant has. Where outcomes are imputed,
        pooled by Rubin's rules.

    References
    ----------
    .. [1] Mantel N, Haenszel W. Statistical aspects of the analysis of data from retrospective
       studies of disease. JNCI 1959;22:719-748.
    .. [2] Greenland S, Robins JM. Estimation of a common effect parameter from sparse follow-up
       data. Biometrics 1985;41:55-68.
    """
    return tuple(_estimate(sample, arm) for arm in arms if (sample.arm == arm).any())


def _estimate(sample: Sample, arm: str) -> TreatmentEffect:
    treated = set(sample.trial[sample.arm == arm].tolist())
    controlled = set(sample.trial[~sample.active].tolist())
    trials = tuple(sorted(treated & controlled))
    rows = np.flatnonzero(np.isin(sample.trial, trials) & ((sample.arm == arm) | ~sample.active))
    people = sample.people[rows]
    _, who = np.unique(people, return_inverse=True)
    strata = [
        _estimate_one(outcome[rows], sample.active[rows], sample.trial[rows], who)
        for outcome in sample.outcomes
    ]
    units = int(who.max()) + 1 if len(who) else 0
    difference, ratio = (
        pool_estimates([pair[at] for pair in strata], units=units) for at in (0, 1)
    )
    return TreatmentEffect(
        arm=arm,
        risk_difference=difference,
        odds_ratio=ratio,
        trials=trials,
        n=len(rows),
        without_control=tuple(sorted(treated - controlled)),
        smallest=_find_smallest(sample, rows),
    )


def _find_smallest(sample: Sample, rows: npt.NDArray[np.int_]) -> float:
    if not len(rows):
        return 0.0
    names, of_trial = np.unique(sample.trial[rows], return_inverse=True)
    cells, count = 2 * of_trial + ~sample.active[rows], 2 * len(names)
    hits = np.bincount(cells, weights=sample.expected[rows], minlength=count)
    each = np.concatenate([hits, np.bincount(cells, minlength=count) - hits])
    return float(each[each > 0].min())


@dataclass(frozen=True)
class _Strata:
    """Responders and participants of each trial, active and control."""

    hits: Floats
    sizes: Floats
    weights: Floats

    @property
    def rates(self) -> Floats:
        return self.hits / self.sizes

    @property
    def total(self) -> float:
        return float(self.weights.sum())


def _estimate_one(
    responded: npt.NDArray[np.int8],
    active: npt.NDArray[np.bool_],
    trial: npt.NDArray[np.str_],
    who: npt.NDArray[np.int_],
) -> tuple[Estimate, Estimate]:
    if not len(trial):
        missing = make_missing_estimate("no trial has the arm and a control")
        return missing, missing
    names, of_trial = np.unique(trial, return_inverse=True)
    cells = 2 * of_trial + ~active
    count = 2 * len(names)
    hits = np.bincount(cells, weights=responded, minlength=count).reshape(-1, 2).T
    sizes = np.bincount(cells, minlength=count).astype(float).reshape(-1, 2).T
    weights = sizes[0] * sizes[1] / sizes.sum(axis=0)
    strata = _Strata(np.asarray(hits, dtype=float), np.asarray(sizes, dtype=float), weights)
    if len(np.unique(who)) == len(who):
        return _estimate_difference(strata), _estimate_ratio(strata)
    # A participant of several periods counts once in the standard error.
    side = (~active).astype(int)
    apart = (responded - strata.rates[side, of_trial]) / strata.sizes[side, of_trial]
    return _estimate_clustered(strata, apart, side, of_trial, who)


def _estimate_difference(strata: _Strata) -> Estimate:
    """Estimate the risk difference, with an interval by inverting its score test.

    References
    ----------
    .. [1] Sato T. On the variance estimator for the Mantel-Haenszel risk difference. Biometrics
       1989;45:1323-1324.
    .. [2] Klingenberg B. A new and improved confidence interval for the Mantel-Haenszel risk
       difference. Stat Med 2014;33:2968-2983.
    """
    (hits, others), (n, m) = strata.hits, strata.sizes
    value = _compute_difference(strata)
    total = n + m
    slope = (n**2 * others - m**2 * hits + n * m * (m - n) / 2) / total**2
    rest = (hits * (m - others) + others * (n - hits)) / (2 * total)
    scaled, squared = float(slope.sum()), strata.total**2
    variance = (value * scaled + float(rest.sum())) / squared
    if not variance > 0:
        return Estimate(value, reason="all or none in either arm responded")
    wide = QUANTILE**2 / squared
    middle = value + 0.5 * wide * scaled
    half = float(np.sqrt(max(middle**2 - value**2 + wide * float(rest.sum()), 0.0)))
    return Estimate(
        value,
        cut(middle - half, -1.0, 1.0),
        cut(middle + half, -1.0, 1.0),
        standard_error=float(np.sqrt(variance)),
        lowest=-1.0,
        highest=1.0,
    )


def _estimate_ratio(strata: _Strata) -> Estimate:
    """Estimate the odds ratio.

    References
    ----------
    .. [1] Robins J, Breslow N, Greenland S. Estimators of the Mantel-Haenszel variance consistent
       in both sparse data and large-strata limiting models. Biometrics 1986;42:311-323.
    """
    (hits, others), (n, m) = strata.hits, strata.sizes
    total = n + m
    for_active, for_control = hits * (m - others) / total, others * (n - hits) / total
    up, down = float(for_active.sum()), float(for_control.sum())
    if up == 0 or down == 0:
        return make_missing_estimate("in an arm all or none responded")
    agree, differ = (hits + m - others) / total, (others + n - hits) / total
    variance = (
        (agree * for_active).sum() / (2 * up**2)
        + (agree * for_control + differ * for_active).sum() / (2 * up * down)
        + (differ * for_control).sum() / (2 * down**2)
    )
    return estimate_ratio(up / down, float(np.sqrt(variance)))


def _estimate_clustered(
    strata: _Strata,
    apart: Floats,
    side: npt.NDArray[np.int_],
    of_trial: npt.NDArray[np.int_],
    who: npt.NDArray[np.int_],
) -> tuple[Estimate, Estimate]:
    """Estimate both with standard errors from what each person adds to them."""
    weights = strata.weights
    added = np.where(side == 0, 1.0, -1.0) * apart * (weights / strata.total)[of_trial]
    difference = estimate_mean(
        _compute_difference(strata),
        compute_error_of_sum(np.bincount(who, weights=added)),
        lowest=-1.0,
        highest=1.0,
    )
    active, control = strata.rates
    up = float((weights * active * (1 - control)).sum())
    down = float((weights * control * (1 - active)).sum())
    if up == 0 or down == 0:
        return difference, make_missing_estimate("in an arm all or none responded")
    of_active = weights * ((1 - control) / up + control / down)
    of_control = -weights * (active / up + (1 - active) / down)
    added = apart * np.where(side == 0, of_active[of_trial], of_control[of_trial])
    error = compute_error_of_sum(np.bincount(who, weights=added))
    return difference, estimate_ratio(up / down, error)


def _compute_difference(strata: _Strata) -> float:
    active, control = strata.rates
    return float((strata.weights * (active - control)).sum() / strata.total)
