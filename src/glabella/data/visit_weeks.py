"""Which visit an assessment belongs to, where weeks are planned ones and where they are days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.tables import PatientTables, find_positions

# A week at which under one in twenty of a trial was seen is no visit of its schedule.
RARELY = 0.05
# Who is wrongly taken for a drop-out adds to the share of drop-outs, which is small itself.
_MOST_DOUBTFUL = 0.02
# Two weeks up to this far apart may be the same visit, held on different days.
_NEAR = 1.0 + 1e-6

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class VisitWeeks:
    """The weeks of a variable's assessments, as visits.

    Parameters
    ----------
    rows : DataFrame
        One row an assessment of a trial whose visits can be told apart: ``trial``, ``person``
        (position among the participants), ``week`` of the visit, and ``is_visit``: whether those
        still followed are expected at that week.
    rounded : tuple of str
        Trials whose weeks are days of their own; each counts at the nearest whole week.
    untold : tuple of str
        Trials whose visits can't be told apart by their weeks.
    """

    rows: pd.DataFrame
    rounded: tuple[str, ...]
    untold: tuple[str, ...]


def find_visit_weeks(tables: PatientTables, variable: str) -> VisitWeeks:
    """Find the visit that each assessment of a variable belongs to.

    Notes
    -----
    Where people who share a visit were seen on different days, a week that some of them lack is
    no sign that they left. An assessment is astray if its person has no other within a week of it
    and more people were seen at another week as near. Where a week that counts is mostly of such,
    or over one in twenty are, weeks are taken for days and go to the nearest whole one. A week is
    then a visit if at least half of those still followed were seen at it, and not astray. If over
    one in fifty were seen for the last time at a week that is none, or twice at one that is, and
    before the last visit, it can't be told whether they left, and the trial is given up.
    """
    rows = find_assessments(tables, variable)
    sizes = tables.participants["studyid"].value_counts()
    parts, rounded, untold = [], [], []
    for trial, part in rows.groupby("trial", sort=False):
        person = part["person"].to_numpy(dtype=np.intp)
        week = part["week"].to_numpy(dtype=float)
        if _is_planned(person, week, int(sizes.get(trial, 0))):
            parts.append(part.assign(is_visit=True))
            continue
        whole = round_week(week)
        is_visit = _find_visits(person, whole)
        if _count_doubtful(person, whole, is_visit) > _MOST_DOUBTFUL * len(np.unique(person)):
            untold.append(str(trial))
            continue
        if (whole != week).any():
            rounded.append(str(trial))
        parts.append(part.assign(week=whole, is_visit=is_visit))
    empty = rows.iloc[:0].assign(is_visit=False)
    made = pd.concat(parts, ignore_index=True) if parts else empty
    return VisitWeeks(made, tuple(rounded), tuple(untold))


def round_week(week: npt.ArrayLike) -> Floats:
    """Give the nearest whole week; a half belongs to the later one."""
    return np.asarray(np.floor(np.asarray(week, dtype=float) + 0.5), dtype=float)


def find_assessments(tables: PatientTables, variable: str) -> pd.DataFrame:
    """Locate the assessments of a variable.

    Returns
    -------
    DataFrame
        ``trial``, ``person`` (position among the participants) and ``week``.
    """
    rows = tables.assessments[tables.assessments["paramcd"] == variable]
    return pd.DataFrame(
        {
            "trial": rows["studyid"].astype(object).to_numpy(),
            "person": find_positions(rows, tables.participants),
            "week": rows["week"].to_numpy(dtype=float),
        }
    )


def _is_planned(person: Positions, week: Floats, n_people: int) -> bool:
    after = week > 0
    if not after.any():
        return True
    astray = _find_astray(person[after], week[after])
    if astray.mean() > RARELY:
        return False
    at = pd.Series(astray).groupby(week[after]).agg(["size", "mean"])
    counts = at["size"] >= RARELY * n_people
    return not (counts & (at["mean"] > 0.5)).any()


def _find_astray(person: Positions, week: Floats) -> Bools:
    weeks, at, counts = np.unique(week, return_inverse=True, return_counts=True)
    low = np.searchsorted(weeks, weeks - _NEAR)
    high = np.searchsorted(weeks, weeks + _NEAR, side="right")
    commonest = [lo + int(np.argmax(counts[lo:hi])) for lo, hi in zip(low, high, strict=True)]
    is_commonest = np.asarray(commonest) == np.arange(len(weeks))
    # Persons stand so far apart on one line that nobody's weeks come near another's.
    line = person * (np.ptp(week) + 3 * _NEAR) + week
    ordered = np.sort(line)
    near = np.searchsorted(ordered, line + _NEAR, side="right") - np.searchsorted(
        ordered, line - _NEAR
    )
    return np.asarray((near == 1) & ~is_commonest[at], dtype=bool)


def _find_visits(person: Positions, week: Floats) -> Bools:
    last = pd.Series(week).groupby(person).max().to_numpy()
    after = week > 0
    astray = np.zeros(len(week), dtype=bool)
    if after.any():
        astray[after] = _find_astray(person[after], week[after])
    is_visit = {
        number: number <= 0
        or (
            len(np.unique(person[week == number])) >= 0.5 * (last >= number).sum()
            and astray[week == number].mean() <= 0.5
        )
        for number in np.unique(week)
    }
    return np.asarray([is_visit[number] for number in week], dtype=bool)


def _count_doubtful(person: Positions, week: Floats, is_visit: Bools) -> int:
    """Count who may have been seen at a visit for which they are missing."""
    frame = pd.DataFrame({"person": person, "week": week, "is_visit": is_visit})
    frame["is_twice"] = frame.duplicated(["person", "week"], keep=False)
    last = frame.sort_values("week", kind="stable").groupby("person").last()
    later_visits = frame.loc[is_visit & (week > 0), "week"]
    if later_visits.empty:
        return int((last["week"] > 0).sum())
    left = (last["week"] > 0) & (last["week"] < later_visits.max())
    return int((left & (~last["is_visit"] | last["is_twice"])).sum())
