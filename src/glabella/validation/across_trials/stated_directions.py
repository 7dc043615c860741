"""Stated directions of features, held against the participants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from glabella.features.spec import FeatureSpec
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.discrimination import compute_concordance
from glabella.validation.measures.estimation.attempt import attempt_estimate
from glabella.validation.measures.estimation.estimate import Estimate
from glabella.validation.measures.estimation.rubin import pool_estimates

Verdict = Literal["agrees", "contradicts", "can't be told"]


@dataclass(frozen=True)
class DirectionTest:
    """One feature's stated direction, and what the participants say.

    Parameters
    ----------
    feature, label : str
        The feature and its words.
    stated : str
        ``increasing`` or ``decreasing``.
    concordance : Estimate
        How often, of a responder and another of the same trial and active arm, the responder's
        value lies where the statement puts it; 0.5 is chance.
    """

    feature: str
    label: str
    stated: str
    concordance: Estimate

    @property
    def verdict(self) -> Verdict:
        """``agrees`` or ``contradicts`` where the whole interval lies on one side of chance."""
        if self.concordance.is_above(0.5):
            return "agrees"
        return "contradicts" if self.concordance.is_below(0.5) else "can't be told"


def judge_directions(sample: Sample) -> tuple[DirectionTest, ...]:
    """Test every direction that the dictionary states.

    Returns
    -------
    tuple of DirectionTest
        In the order of the features; none where nothing is stated. Each feature stands alone:
        what others explain of it is not taken out. Participants without its value are left out.
    """
    return tuple(
        DirectionTest(spec.name, spec.label, spec.direction, _attempt(spec, sample))
        for spec in sample.features.specs
        if spec.part == "patient" and spec.direction is not None
    )


def _attempt(spec: FeatureSpec, sample: Sample) -> Estimate:
    return attempt_estimate(lambda: _measure(spec, sample))


def _measure(spec: FeatureSpec, sample: Sample) -> Estimate:
    values = sample.features.frame[spec.name].to_numpy(dtype=float)
    rows = np.flatnonzero(sample.active & ~np.isnan(values))
    towards = values[rows] if spec.direction == "increasing" else -values[rows]
    each = [
        compute_concordance(
            outcome[rows],
            towards,
            strata=sample.strata[rows],
            participant=sample.people[rows],
        )[0]
        for outcome in sample.outcomes
    ]
    return pool_estimates(each, units=len(np.unique(sample.people[rows])))
