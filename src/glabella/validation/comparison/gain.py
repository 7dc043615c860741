"""What a candidate gains over a reference, on the same pairs and folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from glabella.validation.across_trials.meta_analysis import PooledMeasure, pool_trials
from glabella.validation.comparison.choice import adjust_by_holm
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.discrimination import AUC
from glabella.validation.measures.estimation.estimate import LEVEL, Estimate
from glabella.validation.measures.overall import LOG_LOSS
from glabella.validation.measures.performance import match_predictions
from glabella.validation.measures.registry import MEASURES

_PLACE = ["repeat", "fold", "group", "row"]


@dataclass(frozen=True)
class Gain:
    """What a candidate gains over a reference; above 0 it is better.

    Parameters
    ----------
    candidate, against : str
        Whose gain, over whom.
    estimates : mapping of Estimate
        By measure, of those that say how they are compared.
    p_value : float or None
        Two-sided, of no gain in log loss; None where it is not tested.
    p_holm : float or None
        The same, adjusted for all candidates that are compared with the reference.
    groups : tuple of (str, Estimate)
        The gain in log loss in each trial or site, where each was left out.
    """

    candidate: str
    against: str
    estimates: Mapping[str, Estimate]
    p_value: float | None = None
    p_holm: float | None = None
    groups: tuple[tuple[str, Estimate], ...] = ()

    @cached_property
    def over_trials(self) -> PooledMeasure | None:
        """The gain in log loss over trials left out, by random effects; None where none were."""
        return pool_trials(self.groups) if self.groups else None

    @property
    def auc(self) -> Estimate:
        """In concordance, over the same pairs."""
        return self.estimates[AUC.name]

    @property
    def log_loss(self) -> Estimate:
        """In log loss, of the same participants."""
        return self.estimates[LOG_LOSS.name]

    @property
    def is_better(self) -> bool:
        """Whether a gain in log loss is shown, with all candidates taken into account."""
        p = self.p_value if self.p_holm is None else self.p_holm
        gained = self.log_loss.value is not None and self.log_loss.value > 0
        return gained and p is not None and p < 1.0 - LEVEL


def measure_gain(
    candidate: str,
    against: str,
    predictions: Mapping[str, pd.DataFrame],
    sample: Sample,
    *,
    is_tested: bool = True,
    by_group: bool = False,
) -> Gain:
    """Measure what a candidate gains over a reference.

    Participants are the units, each with the mean over repetitions: folds are too few for a test.

    Returns
    -------
    Gain
        In each measure that is compared; if outcomes are imputed, pooled by Rubin's rules. With a
        p-value of the gain in log loss if it `is_tested`, and the gain in each trial left out if
        asked `by_group`.
    """
    first = predictions[candidate].set_index(_PLACE)["probability"].sort_index()
    second = predictions[against].set_index(_PLACE)["probability"].sort_index()
    if not first.index.equals(second.index):
        raise ValueError(f"{candidate} and {against} were not predicted on the same folds")
    evaluation = match_predictions(first.reset_index(), sample)
    compared = {name: item for name, item in MEASURES.items() if item.compare is not None}
    estimates = {
        name: item.measure_gain(evaluation, second.to_numpy(dtype=float))
        for name, item in compared.items()
    }
    p_value = estimates[LOG_LOSS.name].p_value() if is_tested else None
    groups = _measure_by_group(first, second, sample) if by_group else ()
    return Gain(candidate, against, estimates, p_value, groups=groups)


def _measure_by_group(
    first: pd.Series, second: pd.Series, sample: Sample
) -> tuple[tuple[str, Estimate], ...]:
    names = first.index.get_level_values("group")
    return tuple(
        (
            str(name),
            LOG_LOSS.measure_gain(
                match_predictions(first[names == name].reset_index(), sample),
                second[names == name].to_numpy(dtype=float),
            ),
        )
        for name in dict.fromkeys(names)
    )


def adjust_gains(gains: Mapping[str, Sequence[Gain]]) -> dict[str, tuple[Gain, ...]]:
    """Adjust the gains of all candidates over each reference for their number."""
    adjusted: dict[tuple[str, str], float | None] = {}
    for against in dict.fromkeys(gain.against for mine in gains.values() for gain in mine):
        family = [gain for mine in gains.values() for gain in mine if gain.against == against]
        holm = adjust_by_holm([gain.p_value for gain in family])
        adjusted |= {(gain.candidate, against): p for gain, p in zip(family, holm, strict=True)}
    return {
        name: tuple(replace(gain, p_holm=adjusted[name, gain.against]) for gain in mine)
        for name, mine in gains.items()
    }
