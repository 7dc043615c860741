"""What validation came to, candidate by candidate, and its plain form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from glabella.validation.across_trials.pooled_measures import find_gaps, plain_pooled, pool_groups
from glabella.validation.comparison.gain import Gain
from glabella.validation.measures.estimate import Estimate, plain_estimates
from glabella.validation.measures.performance import MEASURES, GroupPerformance, Performance


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
        across = None if self.across is None else plain_performance(self.across)
        if across is not None:
            across["groups"] = [_plain_group(group) for group in self.groups]
            across["random_effects"] = {
                measure: plain_pooled(pooled)
                for measure, pooled in pool_groups(self.groups).items()
            }
            across["gaps"] = asdict(find_gaps(self.pooled, self.inside, self.groups))
        return {
            "status": "ok" if self.error is None else "failed",
            "role": self.role,
            "error": self.error,
            "pooled": None if self.pooled is None else plain_performance(self.pooled),
            "inside": None
            if self.inside is None
            else [_plain_group(group) for group in self.inside],
            "across": across,
            "arms": [_plain_group(group) for group in self.arms],
            "gains": {
                design: {
                    gain.against: {
                        **plain_estimates({"auc": gain.auc, "log_loss": gain.log_loss}),
                        "p": gain.p_value,
                        "p_holm": gain.p_holm,
                        "is_better": gain.is_better,
                    }
                    for gain in gains
                }
                for design, gains in self.gains.items()
            },
        }


def plain_performance(performance: Performance) -> dict[str, Any]:
    """Give one set of figures as plain values.

    Parameters
    ----------
    performance : Performance
        The figures.

    Returns
    -------
    dict
        Each measure with ``_low`` and ``_high``, counts, the threshold, and ``reasons`` for what
        is None.
    """
    return {
        "n": performance.n,
        "events": performance.events,
        **plain_estimates({name: performance.estimates[name] for name in MEASURES}),
        "pairs": performance.pairs,
        "pairs_control": performance.pairs_control,
        "threshold": performance.threshold,
    }


def flatten_metrics(design: str, performance: Performance) -> dict[str, float]:
    """Name each figure for a tracking store.

    Parameters
    ----------
    design : str
        ``pooled`` or ``across``.
    performance : Performance
        The figures.

    Returns
    -------
    dict of float
        ``pooled.auc`` and so on; what can't be estimated is left out.
    """
    named = {f"{design}.{name}": performance.estimates[name] for name in MEASURES}
    return {f"{design}.pairs": float(performance.pairs), **_flatten(named)}


def flatten_gains(design: str, gains: Iterable[Gain]) -> dict[str, float]:
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
    return _flatten(
        {
            f"{design}.gain_{measure}_over_{gain.against}": estimate
            for gain in gains
            for measure, estimate in (("auc", gain.auc), ("log_loss", gain.log_loss))
        }
    )


def _flatten(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    flat = {}
    for name, estimate in estimates.items():
        parts = {"": estimate.value, "_low": estimate.low, "_high": estimate.high}
        flat.update(
            {f"{name}{suffix}": value for suffix, value in parts.items() if value is not None}
        )
    return flat


def _plain_group(group: GroupPerformance) -> dict[str, Any]:
    return {"group": group.group, **plain_performance(group.performance)}
