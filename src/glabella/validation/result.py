"""What validation came to, candidate by candidate, and its plain form."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from glabella.validation.across import find_gaps, plain_pooled, pool_groups
from glabella.validation.intervals import Estimate
from glabella.validation.performance import MEASURES, GroupPerformance, Performance


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

    def as_json(self) -> dict[str, Any]:
        """Give the figures as plain values.

        Returns
        -------
        dict
            ``status``, ``role``, ``error``, ``pooled``, ``inside``, ``across``. What can't be
            estimated is None, with its reason under ``reasons``. ``across`` has ``groups``, the
            ``random_effects`` over them by measure, and the ``gaps`` to the other designs.
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
        Each measure with ``_low`` and ``_high``, counts, and ``reasons`` for what is None.
    """
    plain: dict[str, Any] = {"n": performance.n, "events": performance.events}
    reasons = {}
    for name in MEASURES:
        estimate = performance.estimates[name]
        plain[name] = estimate.value
        plain[f"{name}_low"] = estimate.low
        plain[f"{name}_high"] = estimate.high
        if estimate.reason is not None:
            reasons[name] = estimate.reason
    plain["pairs"] = performance.pairs
    plain["pairs_control"] = performance.pairs_control
    plain["reasons"] = reasons
    return plain


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
    flat: dict[str, float] = {f"{design}.pairs": float(performance.pairs)}
    for name in MEASURES:
        estimate: Estimate = performance.estimates[name]
        parts = {"": estimate.value, "_low": estimate.low, "_high": estimate.high}
        for suffix, value in parts.items():
            if value is not None:
                flat[f"{design}.{name}{suffix}"] = value
    return flat


def _plain_group(group: GroupPerformance) -> dict[str, Any]:
    return {"group": group.group, **plain_performance(group.performance)}
