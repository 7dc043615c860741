"""The effect of each active arm as the trials show it, beside what the model implies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from glabella.domain.small_counts import FEWEST_TOLD, suppress_count
from glabella.models.arm_steps import find_arm
from glabella.models.estimators.interface import ResponderModel
from glabella.pipelines.training.parts.part import FittedAnalysis, Part
from glabella.validation.across_trials.treatment_effect import TreatmentEffect, estimate_effects
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.estimation.estimate import Estimate, describe_estimates


@dataclass(frozen=True)
class RandomisedEffect(Part):
    """Risk difference and odds ratio of each active arm, stratified by trial.

    Parameters
    ----------
    effects : tuple of TreatmentEffect
        One for each active arm.
    labels : mapping of str
        What readers call each arm.
    implied : mapping of float or None
        By arm, the mean difference between the probabilities that the kept model gives each
        participant of these trials under the arm and under control; None if the model does not
        use the arm.
    """

    name: ClassVar[str] = "randomised_effect"
    words: ClassVar[str] = "effect of the treatment"
    effects: tuple[TreatmentEffect, ...]
    labels: Mapping[str, str]
    implied: Mapping[str, float | None]

    @classmethod
    def compute(cls, fitted: FittedAnalysis) -> RandomisedEffect | None:
        """Estimate the effects, if the analysis has arms."""
        analysis, sample = fitted.loaded.analysis, fitted.loaded.sample
        if not analysis.arms:
            return None
        effects = estimate_effects(sample, analysis.active_arms)
        return cls(
            effects=effects,
            labels={arm.name: arm.label or arm.name for arm in analysis.arms},
            implied={
                item.arm: compute_implied(fitted.tuned.model, sample, item) for item in effects
            },
        )

    def as_json(self) -> dict[str, Any]:
        """Give the effects as plain values.

        Returns
        -------
        dict
            ``effects``, one an active arm. Where an arm of a trial has fewer than ten participants
            with or without response, estimates are rounded, so that no count follows from them.
        """
        return {"effects": [self._describe(item) for item in self.effects]}

    def list_metrics(self) -> dict[str, float]:
        """List risk difference and odds ratio of each active arm, with their intervals."""
        return {
            f"{self.name}.{name}.{item['arm']}": item[name]
            for item in map(self._describe, self.effects)
            for estimate in ("risk_difference", "odds_ratio")
            for name in (estimate, f"{estimate}_low", f"{estimate}_high")
            if item[name] is not None
        }

    def _describe(self, item: TreatmentEffect) -> dict[str, Any]:
        estimates = {"risk_difference": item.risk_difference, "odds_ratio": item.odds_ratio}
        if item.smallest < FEWEST_TOLD:
            estimates = {name: _round(each) for name, each in estimates.items()}
        return {
            "arm": item.arm,
            "label": self.labels[item.arm],
            "trials": list(item.trials),
            "without_control": list(item.without_control),
            "n": suppress_count(item.n),
            "implied": self.implied[item.arm],
            **describe_estimates(estimates),
        }


def _round(estimate: Estimate) -> Estimate:
    value, low, high = (
        None if each is None else round(each, 2)
        for each in (estimate.value, estimate.low, estimate.high)
    )
    return replace(estimate, value=value, low=low, high=high)


def compute_implied(model: ResponderModel, sample: Sample, effect: TreatmentEffect) -> float | None:
    """Compute the mean difference between arms that a model implies for the participants."""
    arm = find_arm(sample.features.specs)
    if arm is None or not effect.trials:
        return None
    of_trials = np.isin(sample.trial, effect.trials)
    rows = np.flatnonzero(of_trials & ((sample.arm == effect.arm) | ~sample.active))
    frame = sample.features.frame.iloc[rows]

    def predict(level: str) -> float:
        given = pd.Categorical([level] * len(frame), categories=frame[arm].cat.categories)
        return float(model.predict_proba(frame.assign(**{arm: given}))[:, 1].mean())

    controls = pd.Series(sample.arm[rows][~sample.active[rows]]).value_counts(normalize=True)
    against = sum(share * predict(str(level)) for level, share in controls.items())
    return predict(effect.arm) - float(against)
