"""Finds features that are later scores or changes under another name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from glabella.data.checks import Finding
from glabella.features.leakage.column_dependence import (
    Bools,
    Floats,
    count_orders,
    count_uncommon,
    find_function,
    is_equal,
    is_in_same_order,
)
from glabella.features.leakage.columns import Column, is_covering, is_told_before
from glabella.features.leakage.grading import judge_agreement, make_finding
from glabella.features.leakage.later_visits import LaterVisit

# A correction after a copy was drawn, or a visit near a window's edge, parts the two.
_NEARLY_ALL = 0.95
_WORTH_A_FULL_LOOK = 0.6
_FEWEST_PROBED = 20
_ONE_TO_ONE_FROM = 10


@dataclass(frozen=True)
class Target:
    """A later score, or a change to it, that a feature may be a copy of.

    Parameters
    ----------
    words : str
        What it is.
    values : array of float, shape (n_participants,)
        NaN where unknown.
    multiples : tuple of float
        By which it may have been multiplied: the sign turned, a percentage.
    changed : array of bool, shape (n_participants,)
        In whom it is told from what was known before: the score is another one.
    visit : LaterVisit
        The visit.
    """

    words: str
    values: Floats
    multiples: tuple[float, ...]
    changed: Bools
    visit: LaterVisit


def list_targets(visit: LaterVisit) -> Iterator[Target]:
    """List the score of a visit and its changes."""
    name, later = f"'{visit.variable}' {visit.when}", visit.values
    changed = ~np.isnan(later)
    for earlier in visit.before:
        changed &= later != earlier
    if not changed.any():
        return
    yield Target(name, later, (1.0,), changed, visit)
    for earlier in visit.before:
        change = later - earlier
        known = changed & ~np.isnan(change)
        yield Target(f"the change of {name}", change, (1.0, -1.0), known, visit)
        fraction = np.divide(change, earlier, out=np.full(len(change), np.nan), where=earlier != 0)
        words = f"the relative change of {name}"
        known = changed & ~np.isnan(fraction)
        yield Target(words, fraction, (1.0, -1.0, 100.0, -100.0), known, visit)


def find_copy(column: Column, targets: Sequence[Target]) -> Iterator[Finding]:
    """Find what a feature is a copy of."""
    for target in targets:
        both = column.known & ~np.isnan(target.values)
        probe = column.probe[both[column.probe]]
        yield from _find_equal(column, target, both, probe, len(targets))
        yield from _find_following(column, target, both, probe, len(targets))


def _find_equal(
    column: Column, target: Target, both: Bools, probe: np.ndarray, comparisons: int
) -> Iterator[Finding]:
    if not column.is_ordered:
        return
    probe = probe[target.changed[probe]]
    for multiple in target.multiples:
        near = is_equal(
            column.values[probe], multiple * target.values[probe], decimals=column.decimals
        )
        if len(near) >= _FEWEST_PROBED and near.mean() < _WORTH_A_FULL_LOOK:
            continue
        rows = both & target.changed
        values = column.values[rows]
        equal = is_equal(values, multiple * target.values[rows], decimals=column.decimals)
        n, other = len(equal), int((~equal).sum())
        if not n or other > (1 - _NEARLY_ALL) * n:
            continue
        uncommon = count_uncommon(values)
        severity = judge_agreement(
            _compute_chance_of_near(values, other), 4 * comparisons, uncommon
        )
        if severity is None or _is_equal_before(column, rows, target.visit.before):
            continue
        yield make_finding(
            column.name,
            "warn" if target.visit.is_static else severity,
            f"it equals {target.words} in {n - other} of {n} participants in whom that can be "
            "told from what was known before",
        )
        return


def _compute_chance_of_near(values: Floats, other: int) -> float:
    n, levels = len(values), len(np.unique(values))
    ways = gammaln(n + 1) - gammaln(other + 1) - gammaln(n - other + 1) + other * np.log(levels)
    return float(ways - count_orders(values))


def _is_equal_before(column: Column, rows: Bools, before: tuple[Floats, ...]) -> bool:
    """Say whether a feature is an earlier value after all, or follows from one in all."""
    for known in before:
        both = rows & ~np.isnan(known)
        if not is_covering(both, rows):
            continue
        for sign in (1.0, -1.0):
            same = is_equal(column.values[both], sign * known[both], decimals=column.decimals)
            if same.mean() >= _NEARLY_ALL:
                return True
    return is_told_before(column, column.known, before, exactly=True)


def _find_following(
    column: Column, target: Target, both: Bools, probe: np.ndarray, comparisons: int
) -> Iterator[Finding]:
    is_ordered = column.is_ordered
    in_probe = _find_chance(column.values[probe], target.values[probe], is_ordered, sharing=1)
    if in_probe is None and len(probe) >= _FEWEST_PROBED:
        return
    if _find_chance(column.values[both], target.values[both], is_ordered) is None:
        return
    rows = both & target.changed
    values = column.values[rows]
    chance = _find_chance(values, target.values[rows], is_ordered)
    if chance is None or is_told_before(column, both, target.visit.before):
        return
    severity = judge_agreement(chance, comparisons, count_uncommon(values))
    if severity is None:
        return
    is_told = any(is_covering(rows & ~np.isnan(known), rows) for known in target.visit.before)
    one_to_one = len(np.unique(values)) >= _ONE_TO_ONE_FROM
    if target.visit.is_static or not (is_told or one_to_one):
        # Smoking at entry follows from cigarettes counted later, and nothing was assessed before
        # that could show it.
        severity = "warn"
    yield make_finding(
        column.name,
        severity,
        f"it follows from {target.words} in all {len(values)} participants in whom that can be "
        "told from what was known before",
    )


def _find_chance(
    values: Floats, target: Floats, is_ordered: bool, *, sharing: int = 5
) -> float | None:
    """In either direction: a copy may have been rounded, or what it is held against."""
    chance = find_function(values, target, is_ordered=is_ordered, sharing=sharing)
    if chance is None and is_ordered and is_in_same_order(values, target):
        return find_function(target, values, is_ordered=True)
    return chance
