"""What validation came to, candidate by candidate, and its plain form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from glabella.domain.small_counts import SUPPRESSED, Told, suppress_group, suppress_groups
from glabella.validation.across_trials.pooled_measures import (
    describe_pooled,
    find_gaps,
    pool_groups,
)
from glabella.validation.comparison.gain import Gain
from glabella.validation.measures.estimation.estimate import Estimate, describe_estimates
from glabella.validation.measures.performance import GroupPerformance, Performance
from glabella.validation.measures.registry import MEASURES

__all__ = ["CandidateResult"]

WHOLE_DESIGNS = ("pooled", "across", "external")


@dataclass(frozen=True)
class CandidateResult:
    """One candidate's figures under each design.

    Parameters
    ----------
    name, description : str
        The candidate.
    role : str
        ``candidate`` or ``reference``.
    error : str or None
        Why it failed; then there are no figures.
    pooled, across : Performance or None
        None where the design was not asked for, or it failed.
    inside : tuple of GroupPerformance or None
        By trial.
    groups : tuple of GroupPerformance
        By trial or site left out.
    seconds : float
        Time of all its fits.
    gains : mapping of tuple of Gain
        By design, over each reference; empty for a reference.
    arms : tuple of GroupPerformance
        Repeated cross-validation over all participants, measured within each arm.
    """

    name: str
    description: str
    role: str
    error: str | None
    pooled: Performance | None
    inside: tuple[GroupPerformance, ...] | None
    across: Performance | None
    groups: tuple[GroupPerformance, ...]
    seconds: float
    gains: Mapping[str, tuple[Gain, ...]] = field(default_factory=dict)
    arms: tuple[GroupPerformance, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give the figures as plain values.

        Returns
        -------
        dict
            ``status``, ``role``, ``error``, ``pooled``, ``inside``, ``across``, ``arms``,
            ``gains``. What can't be estimated is None, with its reason under ``reasons``.
            ``across`` has ``groups``, the ``random_effects`` over them by measure, and the
            ``gaps`` to the other designs. ``gains`` are by design and reference, in concordance
            and log loss, above 0 for the better, with ``p`` and ``p_holm`` of the log loss.
        """
        across = None if self.across is None else describe_performance(self.across)
        if across is not None:
            across["groups"] = describe_groups(self.groups)
            across["random_effects"] = {
                measure: describe_pooled(pooled)
                for measure, pooled in pool_groups(self.groups).items()
            }
            across["gaps"] = asdict(find_gaps(self.pooled, self.inside, self.groups))
        return {
            "status": "ok" if self.error is None else "failed",
            "role": self.role,
            "error": self.error,
            "pooled": None if self.pooled is None else describe_performance(self.pooled),
            "inside": None if self.inside is None else describe_groups(self.inside),
            "across": across,
            "arms": describe_groups(self.arms),
            "gains": {
                design: {
                    gain.against: {
                        **describe_estimates(gain.estimates),
                        "p": gain.p_value,
                        "p_holm": gain.p_holm,
                        "is_better": gain.is_better,
                        "over_trials": None
                        if gain.over_trials is None
                        else describe_pooled(gain.over_trials),
                    }
                    for gain in gains
                }
                for design, gains in self.gains.items()
            },
        }


def describe_performance(performance: Performance, told: Told | None = None) -> dict[str, Any]:
    """Give one set of figures as plain values.

    Parameters
    ----------
    performance : Performance
        The figures.
    told : Told, optional
        What is told of its counts; what may be told of them alone unless stated.

    Returns
    -------
    dict
        Each measure with ``_low`` and ``_high``, counts, the threshold, and ``reasons`` for what
        is None: also for counts under ten, which go into bundles and stores.
    """
    told = told or suppress_group(performance.n, performance.events)
    # Pairs are products of counts.
    has_pairs = told.events is not None
    counts = {
        "n": told.n,
        "events": told.events,
        "pairs": performance.pairs if has_pairs else None,
        "pairs_control": performance.pairs_control if has_pairs else None,
    }
    plain = {
        "n": told.n,
        "events": told.events,
        **describe_estimates({name: performance.estimates[name] for name in MEASURES}),
        "pairs": counts["pairs"],
        "pairs_control": counts["pairs_control"],
        "threshold": performance.threshold,
    }
    plain["reasons"] |= {name: SUPPRESSED for name, count in counts.items() if count is None}
    return plain


def describe_groups(groups: Sequence[GroupPerformance]) -> list[dict[str, Any]]:
    """Give the figures of the trials, sites or arms of a whole as plain values.

    Parameters
    ----------
    groups : sequence of GroupPerformance
        All of them.

    Returns
    -------
    list of dict
        Each as `describe_performance`, with its name; counts that would give a small one away are
        not told.
    """
    told = suppress_groups([(group.performance.n, group.performance.events) for group in groups])
    return [
        {"group": group.group, **describe_performance(group.performance, mine)}
        for group, mine in zip(groups, told, strict=True)
    ]


def name_metrics(design: str, performance: Performance) -> dict[str, float]:
    """Name each figure for a tracking store.

    Parameters
    ----------
    design : str
        ``pooled``, ``across`` or ``external``, or what names a group.
    performance : Performance
        The figures.

    Returns
    -------
    dict of float
        ``pooled.auc`` and so on; what can't be estimated is left out, and so are the pairs of a
        group, and of few participants.
    """
    named = {f"{design}.{name}": performance.estimates[name] for name in MEASURES}
    told = suppress_group(performance.n, performance.events)
    # Of groups, pairs would give away a count that is not told.
    is_whole = design in WHOLE_DESIGNS and told.events is not None
    pairs = {f"{design}.pairs": float(performance.pairs)} if is_whole else {}
    return {**pairs, **_name_values(named)}


def name_gains(design: str, gains: Iterable[Gain]) -> dict[str, float]:
    """Name each gain for a tracking store.

    Parameters
    ----------
    design : str
        ``pooled`` or ``across``.
    gains : iterable of Gain
        Over each reference.

    Returns
    -------
    dict of float
        ``pooled.gain_auc_over_severity`` and so on; what can't be estimated is left out.
    """
    return _name_values(
        {
            f"{design}.gain_{measure}_over_{gain.against}": estimate
            for gain in gains
            for measure, estimate in gain.estimates.items()
        }
    )


def _name_values(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    flat: dict[str, float] = {}
    for name, estimate in estimates.items():
        flat |= {key: each for key, each in estimate.as_columns(name).items() if each is not None}
    return flat
