"""Finds features that say who stayed: known only when follow-up has ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import hypergeom

from glabella.data.checks import Finding
from glabella.features.leakage.column_dependence import Bools, Floats, find_decision
from glabella.features.leakage.columns import Column
from glabella.features.leakage.grading import CERTAIN, FEWEST, judge_agreement, make_finding

# Who completed may have missed one visit of many, and who stopped may have come back for one.
_HARDLY_ANY = 0.02
_TIMES_AS_OFTEN = 10


def find_followed(
    column: Column, followed: Sequence[tuple[str, Floats]], trials: npt.NDArray[np.intp]
) -> Iterator[Finding]:
    """Find whether a category or two-valued feature says who was followed."""
    if column.is_ordered and column.n_levels > 2:
        yield from _find_exact(column.known, column.with_missing, followed, column)
        return
    yield from _find_exact(column.known, column.values, followed, column)
    yield from _find_exact(column.known, column.with_missing, followed, column)
    yield from _find_near(column, followed, trials)


def _find_exact(
    known: Bools, values: Floats, followed: Sequence[tuple[str, Floats]], column: Column
) -> Iterator[Finding]:
    for words, happened in followed:
        rows = ~np.isnan(values) & ~np.isnan(happened)
        is_so = happened[rows] == 1
        fewest = min(int(is_so.sum()), int((~is_so).sum()))
        chance = find_decision(values[rows], is_so, is_ordered=False)
        if fewest < FEWEST or chance is None:
            continue
        severity = judge_agreement(chance, 2 * len(followed), fewest)
        if severity is None:
            continue
        if not _is_separating_levels(known[rows], is_so) and column.n_levels > 1:
            yield make_finding(
                column.name,
                "warn",
                f"it is recorded of just those among {len(is_so)} participants who {words}, or of "
                "just the others",
            )
            continue
        yield make_finding(
            column.name,
            severity,
            f"it says of each of {len(is_so)} participants who {words}, which is known only later",
        )


def _is_separating_levels(known: Bools, is_so: Bools) -> bool:
    """Say whether the recorded values alone tell; else only their lack does."""
    return bool(is_so[known].any() and not is_so[known].all())


def _find_near(
    column: Column, followed: Sequence[tuple[str, Floats]], trials: npt.NDArray[np.intp]
) -> Iterator[Finding]:
    values = column.with_missing
    levels = np.unique(values)
    for words, happened in followed:
        for level in levels:
            rows = ~np.isnan(happened) & _is_differing_within(values == level, trials)
            lost, n = happened[rows] == 0, int(rows.sum())
            if not FEWEST <= lost.sum() <= n - FEWEST:
                continue
            has = values[rows] == level
            with_it, others = int(lost[has].sum()), int(lost[~has].sum())
            of, rest = int(has.sum()), n - int(has.sum())
            is_contrast = others * of >= _TIMES_AS_OFTEN * with_it * rest
            if with_it > _HARDLY_ANY * of or not is_contrast:
                continue
            chance = hypergeom.logcdf(with_it, n, int(lost.sum()), of)
            if chance + np.log(len(levels) * len(followed)) < CERTAIN:
                yield make_finding(
                    column.name,
                    "warn",
                    f"with one of its values {of - with_it} of {of} participants {words}, "
                    f"without it {rest - others} of {rest}: it may show who stayed in the trial",
                )
                return


def _is_differing_within(has: Bools, trials: npt.NDArray[np.intp]) -> Bools:
    """Say which participants are of a trial where some have a value and others have not."""
    share = np.bincount(trials, weights=has) / np.maximum(np.bincount(trials), 1)
    return np.asarray((share > 0) & (share < 1))[trials]
