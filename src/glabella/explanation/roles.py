"""What a feature predicts: response in both arms, or the treatment's effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from glabella.explanation.interaction import measure_interaction
from glabella.validation.across_trials.meta_analysis import PooledMeasure, pool_trials
from glabella.validation.comparison.choice import adjust_by_holm
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.discrimination import compute_concordance
from glabella.validation.measures.estimation.attempt import attempt, attempt_estimate
from glabella.validation.measures.estimation.estimate import LEVEL, Estimate, make_missing_estimate
from glabella.validation.measures.estimation.rubin import pool_estimates

Role = Literal[
    "of the effect", "of the effect, in the other direction", "prognostic", "can't be told"
]
CONSTANT = "constant in this trial"
_ALPHA = 1.0 - LEVEL
_CHANCE = 0.5
_THIRDS = 3
_QUANTILE = float(norm.ppf(0.975))

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FeatureRole:
    """How well a feature alone separates responders from non-responders, by arm and trial.

    Every estimate except `interaction` is a concordance: in which proportion of pairs of a
    responder and a non-responder of the same trial and arm the responder has the value for which
    the model predicts the higher probability. 0.5 is chance.

    Parameters
    ----------
    active, control : Estimate
        In the active arms, and in the control arms.
    difference : Estimate
        Active less control.
    interaction : Estimate
        How much larger the log odds ratio given the other features is in the active arms, from
        `glabella.explanation.interaction.measure_interaction`.
    beyond_severity : Estimate
        In the active arms, among participants in the same third of severity at baseline.
    trials : tuple of tuple of str and Estimate
        In the active arms of each trial.
    pooled : PooledMeasure
        Over trials, with their heterogeneity.
    p_effect, p_control : float or None
        Two-sided p-values: of no difference between the arms (the larger of the p-values of
        `difference` and of `interaction`, as both must show one) and of chance in the control
        arm; None if it can't be tested. `adjust_roles` adjusts them for several features.
    p_trials : tuple of float or None
        Two-sided p-value of chance in each trial.
    """

    active: Estimate
    control: Estimate
    difference: Estimate
    interaction: Estimate
    beyond_severity: Estimate
    trials: tuple[tuple[str, Estimate], ...]
    pooled: PooledMeasure
    p_effect: float | None
    p_control: float | None
    p_trials: tuple[float | None, ...]

    @property
    def role(self) -> Role:
        """Of the effect if the arms differ, prognostic if it predicts in the control arms.

        The role is not known if both may be chance. A feature that predicts better in the control
        arms predicts less, or the reverse, under the treatment: it modifies the effect too. The
        arms must differ both in concordance and in the log odds ratio given the other features,
        in the same direction. If another feature predicts in one arm alone, or noise differs, a
        feature with the same effect in both arms has a lower concordance in one, which alone
        would be taken for an effect (docs/validation_study.md, line 6).
        """
        if _is_beyond_chance(self.p_effect) and self.difference.value is not None:
            if self.difference.value > 0:
                return "of the effect"
            return "of the effect, in the other direction"
        if _is_beyond_chance(self.p_control) and (self.control.value or 0.0) > _CHANCE:
            return "prognostic"
        return "can't be told"

    @property
    def reversed_in(self) -> tuple[str, ...]:
        """The trials in which the direction is reversed, beyond chance in each."""
        return tuple(
            trial
            for (trial, item), p in zip(self.trials, self.p_trials, strict=True)
            if _is_beyond_chance(p) and item.value is not None and item.value < _CHANCE
        )


def adjust_roles(roles: Sequence[FeatureRole]) -> tuple[FeatureRole, ...]:
    """Adjust the p-values of several features for their number, by Holm's procedure.

    Returns
    -------
    tuple of FeatureRole
        Adjusted over the features for the difference between the arms and for the control arm,
        and over features and trials for reversals. Intervals are not adjusted.

    References
    ----------
    .. [1] Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat
       1979;6:65-70.
    """
    effects = adjust_by_holm([role.p_effect for role in roles])
    controls = adjust_by_holm([role.p_control for role in roles])
    trials = iter(adjust_by_holm([p for role in roles for p in role.p_trials]))
    return tuple(
        replace(
            role,
            p_effect=effect,
            p_control=control,
            p_trials=tuple(next(trials) for _ in role.p_trials),
        )
        for role, effect, control in zip(roles, effects, controls, strict=True)
    )


def _is_beyond_chance(p: float | None) -> bool:
    return p is not None and p < _ALPHA


def measure_role(
    sample: Sample,
    score: Floats,
    severity: Floats | None,
    values: npt.NDArray[np.int_] | None = None,
    others: Floats | None = None,
) -> FeatureRole:
    """Measure a feature's concordance by arm, by trial and beyond severity.

    ``score`` is higher where the model predicts response to be likelier; participants with a
    missing score are excluded. ``severity`` is None for severity itself. ``values`` has the same
    number for participants with the same value of the feature, if the score can differ between
    them. ``others`` are the other features, standardised and without missing values, which the
    log odds ratios are adjusted for.

    Returns
    -------
    FeatureRole
        Over the strata (trial, cohort and arm) in which the feature varies: in the others every
        pair is a tie, which has no information on the feature and would look like certain chance.
        An estimate that can't be computed has its reason.
    """
    same = pd.factorize(score)[0] if values is None else values
    known = ~np.isnan(score)
    active, control = known & sample.active, known & ~sample.active
    in_active = _measure(sample, score, active, same)
    in_control = (
        _measure(sample, score, control, same)
        if sample.has_arms
        else make_missing_estimate("there is no control arm")
    )
    if severity is None:
        beyond = make_missing_estimate("severity itself, or there is none at baseline")
    else:
        alike = known & sample.active & ~np.isnan(severity)
        beyond = _measure(sample, score, alike, same, _cut_into_thirds(severity, alike))
    trials = [
        (str(trial), _measure_trial(sample, score, active & (sample.trial == trial), same))
        for trial in dict.fromkeys(sample.trial.tolist())
    ]
    difference = in_active - in_control
    given = np.empty((sample.n, 0)) if others is None else others
    interaction = attempt_estimate(lambda: measure_interaction(sample, score, given))
    return FeatureRole(
        in_active,
        in_control,
        difference,
        interaction,
        beyond,
        tuple(trials),
        attempt(
            lambda: pool_trials(trials),
            lambda failure: PooledMeasure(make_missing_estimate(failure.words), (), {}),
        ),
        _find_p_of_both(difference, interaction),
        in_control.p_value(_CHANCE),
        tuple(item.p_value(_CHANCE) for _, item in trials),
    )


def _measure_trial(
    sample: Sample, score: Floats, among: npt.NDArray[np.bool_], same: npt.NDArray[np.int_]
) -> Estimate:
    if among.any() and len(np.unique(same[among])) == 1:
        return make_missing_estimate(CONSTANT)
    return _measure(sample, score, among, same)


def _measure(
    sample: Sample,
    score: Floats,
    among: npt.NDArray[np.bool_],
    same: npt.NDArray[np.int_],
    within: npt.NDArray[np.int_] | None = None,
) -> Estimate:
    return attempt_estimate(lambda: _compute_concordance(sample, score, among, same, within))


def _compute_concordance(
    sample: Sample,
    score: Floats,
    among: npt.NDArray[np.bool_],
    same: npt.NDArray[np.int_],
    within: npt.NDArray[np.int_] | None,
) -> Estimate:
    rows = np.flatnonzero(among)
    strata = pd.factorize(sample.strata[rows])[0]
    if within is not None:
        strata = strata * _THIRDS + within[rows]
    varies = pd.Series(same[rows]).groupby(strata).transform("nunique").to_numpy() > 1
    if len(rows) and not varies.any():
        return make_missing_estimate("it is constant in every trial and arm")
    rows, strata = rows[varies], strata[varies]
    each = [
        compute_concordance(
            outcome[rows], score[rows], strata=strata, participant=sample.people[rows]
        )[0]
        for outcome in sample.outcomes
    ]
    return pool_estimates(each, units=len(np.unique(sample.people[rows])))


def _cut_into_thirds(severity: Floats, among: npt.NDArray[np.bool_]) -> npt.NDArray[np.int_]:
    levels = np.arange(1, _THIRDS) / _THIRDS
    cuts = np.quantile(severity[among], levels) if among.any() else np.empty(0)
    return np.asarray(np.searchsorted(cuts, severity, "right"), dtype=int)


def _find_p_of_both(difference: Estimate, interaction: Estimate) -> float | None:
    """Find the larger p-value, as both must be beyond chance; 1 if their directions differ."""
    each = [item.p_value() for item in (difference, interaction)]
    if None in each:
        return None
    if (difference.value or 0.0) * (interaction.value or 0.0) <= 0.0:
        return 1.0
    return max(float(p) for p in each if p is not None)
