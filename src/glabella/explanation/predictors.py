"""Which features predict, in which direction, with which uncertainty, and for which patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.explanation.attributions import Attributions
from glabella.explanation.noise import Noise
from glabella.explanation.refits import RefitAttributions
from glabella.explanation.roles import FeatureRole, adjust_roles, measure_role
from glabella.models.encoding import fit_encoding
from glabella.models.grouping import Grouping
from glabella.validation.across_trials.pooled_measures import describe_pooled
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.estimation.estimate import LEVEL, Estimate

# A rank correlation closer to 0 is not called a direction.
MIXED = 0.3
_FEWEST_REFITS = 20
_TAILS = ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Predictor:
    """The estimates for one feature, or for a group of features that is shown as one.

    Parameters
    ----------
    feature, label : str
        Its name and its label.
    is_patient : bool
        Whether it is a property of the patient; the arm is not, and has no rank.
    importance : Estimate
        Mean absolute attribution of held-out participants; the interval is the spread of refits
        to bootstrap samples, each measured in the participants that it left out.
    rank, rank_low, rank_high : int or None
        Its rank among the patient's features, 1 the most important, and the interval of the rank
        over refits.
    direction : float
        Rank correlation of value and attribution; NaN if the values have no order or the feature
        is not used.
    upper : str
        The values that the direction describes: ``higher``, or the label of a category's second
        level.
    holds : float or None
        The proportion of refits in which the direction is the same; None without refits or
        direction.
    p : float or None
        Family-wise p-value: how often the most important of permuted features is as important.
    is_beyond_noise : bool or None
        Whether it is distinguished from noise; None if that was not tested.
    by_trial : dict of float
        Mean absolute attribution of the participants of each trial.
    role : FeatureRole or None
        For a feature of the patient, what it predicts.
    """

    feature: str
    label: str
    is_patient: bool
    importance: Estimate
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    direction: float
    upper: str
    holds: float | None
    p: float | None
    is_beyond_noise: bool | None
    by_trial: dict[str, float]
    role: FeatureRole | None

    @property
    def words(self) -> str:
        """The direction in words."""
        if self.is_beyond_noise is False:
            return "none is distinguished from noise"
        if math.isnan(self.direction):
            return "no order"
        if abs(self.direction) < MIXED:
            return "mixed"
        return f"{self.upper} goes with {'response' if self.direction > 0 else 'no response'}"

    @property
    def reversed_in(self) -> tuple[str, ...]:
        """Trials in which the direction is reversed; none if not distinguished from noise."""
        if self.role is None or self.is_beyond_noise is False:
            return ()
        return self.role.reversed_in

    @property
    def kind(self) -> str:
        """What it predicts, in the words of the report."""
        if not self.is_patient:
            return "the arm"
        if self.is_beyond_noise is False:
            return "not distinguished from noise"
        if self.role is None:
            return "not known"
        if self.role.role == "of the effect":
            return "effect modifier"
        if self.role.role == "of the effect, in the other direction":
            return (
                "effect modifier in the opposite direction: under the treatment it predicts less, "
                "or the reverse"
            )
        if self.role.role == "prognostic":
            return "prognostic: it predicts without the treatment too"
        return "predictor in the active arm; whether an effect modifier is not known"

    def as_json(self) -> dict[str, Any]:
        """Convert to plain values; unknown ones are None."""
        role = self.role
        return {
            "feature": self.feature,
            "label": self.label,
            "is_patient": self.is_patient,
            "mean_absolute": self.importance.as_json(),
            "rank": self.rank,
            "rank_low": self.rank_low,
            "rank_high": self.rank_high,
            "direction": None if math.isnan(self.direction) else self.direction,
            "direction_words": self.words,
            "upper": self.upper,
            "holds": self.holds,
            "p": self.p,
            "is_beyond_noise": self.is_beyond_noise,
            "kind": self.kind,
            "by_trial": self.by_trial,
            "reversed_in": list(self.reversed_in),
            "concordance": None
            if role is None
            else {
                "active": role.active.as_json(),
                "control": role.control.as_json(),
                "difference": role.difference.as_json(),
                "interaction": role.interaction.as_json(),
                "beyond_severity": role.beyond_severity.as_json(),
                "trials": {trial: item.as_json() for trial, item in role.trials},
                "pooled": describe_pooled(role.pooled),
                "role": role.role,
                "p_effect": role.p_effect,
                "p_control": role.p_control,
            },
        }


@dataclass(frozen=True)
class Pair:
    """The interaction of two features, beyond what each adds alone.

    Parameters
    ----------
    left, right : str
        The labels of the features.
    size : Estimate
        Mean absolute interaction, with the spread of refits, each measured in the participants
        that it left out.
    """

    left: str
    right: str
    size: Estimate

    def as_json(self) -> dict[str, Any]:
        """Convert to plain values."""
        return {"left": self.left, "right": self.right, "size": self.size.as_json()}


def measure_predictors(
    attributions: Attributions,
    sample: Sample,
    refits: Sequence[RefitAttributions],
    noise: Noise | None,
    grouping: Grouping | None = None,
) -> tuple[Predictor, ...]:
    """Measure the importance, direction and role of each feature.

    Returns
    -------
    tuple of Predictor
        The patient's features first, the most important first, then the arm. The p-values of the
        roles are adjusted for the number of features that are distinguished from noise, or of all
        if that was not tested.
    """
    table = attributions.summarise()
    together = grouping or Grouping()
    patient = [name for name, mine in zip(table.feature, table.is_patient, strict=True) if mine]
    severity = _find_severity(sample)
    encoding = fit_encoding(
        sample.features.columns,
        [spec for spec in sample.features.specs if spec.part == "patient"],
        fill_and_scale=True,
    )
    encoded = encoding.transform(sample.features.columns)
    owners = [column.feature for column in encoding.columns]
    severe = {spec.name for spec in sample.features.specs if spec.is_severity}
    ranks = _rank_refits(refits, patient) if len(refits) >= _FEWEST_REFITS else None
    found = []
    for row in table.to_dict("records"):
        name, is_patient = str(row["feature"]), bool(row["is_patient"])
        importance, direction = float(row["mean_absolute"]), float(row["direction"])
        at, members = attributions.features.index(name), together.list_members(name)
        place = patient.index(name) if is_patient else None
        rank_low, rank_high = _find_ranks(ranks, place)
        found.append(
            Predictor(
                feature=name,
                label=str(row["label"]),
                is_patient=is_patient,
                importance=_estimate_spread(
                    importance, np.array([each.importance[at] for each in refits])
                ),
                rank=None if place is None else place + 1,
                rank_low=rank_low,
                rank_high=rank_high,
                direction=direction,
                upper=str(row["upper"]),
                holds=_compute_agreement(direction, [each.directions[at] for each in refits]),
                p=None if noise is None or place is None else noise.find_p(importance),
                is_beyond_noise=None
                if noise is None or noise.threshold is None or place is None
                else importance > noise.threshold,
                by_trial={
                    str(trial): float(attributions.sizes[sample.trial == trial, at].mean())
                    for trial in dict.fromkeys(sample.trial.tolist())
                },
                role=measure_role(
                    sample,
                    _select_score(attributions, at, direction),
                    None if severe & set(members) else severity,
                    _number_values(sample, members),
                    encoded[:, [owner not in members for owner in owners]],
                )
                if is_patient
                else None,
            )
        )
    return tuple(sorted(_adjust(found), key=lambda item: not item.is_patient))


def _find_severity(sample: Sample) -> Floats | None:
    """Find severity at baseline; None if no feature is severity."""
    for spec in sample.features.specs:
        if spec.is_severity:
            return sample.features.frame[spec.name].to_numpy(dtype=float)
    return None


def _adjust(found: Sequence[Predictor]) -> list[Predictor]:
    """Adjust the roles of features distinguished from noise for the number of these features."""
    claimed = {
        item.feature: item.role
        for item in found
        if item.role is not None and item.is_beyond_noise is not False
    }
    adjusted = dict(zip(claimed, adjust_roles(list(claimed.values())), strict=True))
    return [replace(item, role=adjusted.get(item.feature, item.role)) for item in found]


def _number_values(sample: Sample, members: Sequence[str]) -> npt.NDArray[np.int_]:
    """Give participants who share the values of all these features the same number."""
    number = np.zeros(sample.n, dtype=int)
    for name in members:
        codes, distinct = pd.factorize(sample.features.frame[name], use_na_sentinel=False)
        number = pd.factorize(number * len(distinct) + codes)[0]
    return number


def measure_pairs(
    attributions: Attributions, refits: Sequence[RefitAttributions]
) -> tuple[Pair, ...]:
    """Rank the pairs of features that a refit uses by their interaction, the largest first."""
    if not refits:
        return ()
    drawn = np.stack([each.pairs for each in refits])
    count = drawn.shape[1]
    pairs = [
        Pair(
            attributions.labels[left],
            attributions.labels[right],
            _estimate_spread(float(drawn[:, left, right].mean()), drawn[:, left, right]),
        )
        for left in range(count)
        for right in range(left + 1, count)
        if drawn[:, left, right].max() > 0
    ]
    return tuple(sorted(pairs, key=lambda pair: -(pair.size.value or 0.0)))


def _estimate_spread(value: float, drawn: Floats) -> Estimate:
    """Estimate an interval from the spread of refits, with their median moved to the value."""
    if len(drawn) < _FEWEST_REFITS:
        return Estimate(value, reason="too few refits to bootstrap samples")
    low, middle, high = np.quantile(drawn, [_TAILS[0], 0.5, _TAILS[1]])
    return Estimate(
        value, max(value + float(low - middle), 0.0), value + float(high - middle), lowest=0.0
    )


def _rank_refits(refits: Sequence[RefitAttributions], patient: Sequence[str]) -> Floats:
    places = [refits[0].features.index(name) for name in patient]
    sizes = np.stack([each.importance[places] for each in refits])
    return np.asarray(np.argsort(np.argsort(-sizes, axis=1, kind="stable"), axis=1) + 1.0)


def _find_ranks(ranks: Floats | None, place: int | None) -> tuple[int | None, int | None]:
    if ranks is None or place is None:
        return None, None
    low, high = np.quantile(ranks[:, place], _TAILS, method="nearest")
    return int(low), int(high)


def _compute_agreement(direction: float, drawn: Sequence[float]) -> float | None:
    if math.isnan(direction) or len(drawn) < _FEWEST_REFITS:
        return None
    # A feature that a refit does not use has no direction there.
    return float(np.mean([not math.isnan(each) and each * direction > 0 for each in drawn]))


def _select_score(attributions: Attributions, at: int, direction: float) -> Floats:
    """Select the feature's ranks, higher for likelier response; else its attributions."""
    ranks = attributions.ranks[:, at]
    if math.isnan(direction) or abs(direction) < MIXED or np.isnan(ranks).all():
        return np.asarray(attributions.values[:, at])
    return np.asarray(ranks if direction > 0 else -ranks)
