"""The week of a record, by what the dataset says of its visit."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import pandas as pd

from glabella.data.adam.cells import Bools, Floats, State, add_finding
from glabella.data.adam.records import Records
from glabella.domain.imputation import is_summary
from glabella.domain.visits import TIE_DECIMALS
from glabella.errors import DefinitionError

_WEEK = re.compile(r"WEEK\s*(-?\d+(?:\.\d+)?)")
_BEFORE = re.compile(r"(?<!POST)(?<!POST[- ])BASELINE|SCREEN|PRE-?(TREATMENT|DOSE)|RUN-?IN|RANDOM")
_UNSCHEDULED = re.compile(
    r"UNSCH|UNPLAN|END OF|EARLY|TERMINAT|DISCONT|WITHDR|RETRIEV|FOLLOW|POST-? ?BASELINE"
    r"|\b(EOT|EOS|ET|LAST|ENDPOINT|MINIMUM|MAXIMUM|WORST|BEST)\b"
)
_UNITS = {"DAY": "days", "DAYS": "days", "WEEK": "weeks", "WEEKS": "weeks"}
# Two names of one visit may differ by rounding, not by days.
_AGREE_WITHIN = 0.5
Rule = Literal["awtarget", "avisit", "avisitn", "ady"]


def derive_weeks(state: State, records: Records) -> Records:
    """Derive the week of each record since treatment, or a later period, began.

    Returns
    -------
    Records
        With a column ``week``: 0 for a flagged baseline, at most 0 for what precedes it, NaN
        where nothing says; and ``is_early``: whether another record precedes treatment.

    Notes
    -----
    ``AWTARGET`` in days is divided by 7: the visit of week 8 aims at day 56. Where all targets
    are the first days of weeks instead (57, 113), counted from day 1 like ``ADY``, one day is
    taken off first. ``ADY`` has no day 0, so day 1 is week 0 and day 8 week 1. A scheduled visit
    keeps its planned week however late it was held; a visit without one, unscheduled or at the
    end of treatment, has the week of its day.

    References
    ----------
    .. [1] CDISC. Analysis Data Model Implementation Guide v1.3, section 3.3.3.
    """
    by_day, is_early = _count_from_day(records)
    names = records.read_texts("avisit")
    is_flagged = records.rows["is_baseline"].to_numpy()
    later = ~is_flagged & ~is_early & ~_is_matching(names, _BEFORE)
    weeks = {
        "awtarget": _read_targets(records, later),
        "avisit": _read_names(names),
        "avisitn": np.where(
            _is_matching(names, _UNSCHEDULED), np.nan, records.read_numbers("avisitn")
        ),
        "ady": by_day,
    }
    weeks = {
        rule: week if rule == "ady" else _count_from_period(records, week)
        for rule, week in weeks.items()
    }
    rule = _choose_rule(state, records, weeks, later)
    week = np.where(np.isnan(weeks[rule]), by_day, weeks[rule])
    _note_rule(state, records, rule, int((later & np.isnan(weeks[rule]) & ~np.isnan(week)).sum()))
    _note_conflicts(state, records, rule, weeks, later)
    # A record at or before the baseline is never after it, whatever its visit is called.
    week = np.where(is_early & ~is_flagged, np.fmin(week, 0.0), week)
    week = np.where(np.isnan(week) & (names == "BASELINE").to_numpy(), 0.0, week)
    early = ~is_flagged & ((week <= 0) | (np.isnan(week) & _is_matching(names, _BEFORE)))
    rows = records.rows.assign(week=np.where(is_flagged, 0.0, week), is_early=early)
    return Records(records.file, records.parameter, records.variable, records.columns, rows)


def _is_matching(names: pd.Series, pattern: re.Pattern[str]) -> Bools:
    found = {name: bool(pattern.search(name)) for name in names.unique()}
    return names.map(found).to_numpy(dtype=bool)


def _count_from_day(records: Records) -> tuple[Floats, Bools]:
    """Weeks by the day, and which records are at or before the baseline or the first dose."""
    # What was carried forward has the day it was carried from; the average of a visit's readings
    # has the visit's, but the worst of all visits may have that of any.
    kinds = {kind: kind == "" or is_summary(kind) for kind in records.rows["dtype"].unique()}
    own = records.rows["dtype"].map(kinds).to_numpy(dtype=bool)
    is_summed = own & (records.rows["dtype"] != "").to_numpy()
    of_any = is_summed & _is_matching(records.read_texts("avisit"), _UNSCHEDULED)
    own = (own & ~of_any) | records.rows["is_baseline"].to_numpy()
    day = np.where(own, records.read_numbers("ady"), np.nan)
    start = _find_starts(records, day)
    is_first = (records.rows["period"] == 1).to_numpy()
    from_treatment = np.where(day >= 1, day - 1, day) / 7
    week = np.where(is_first, from_treatment, (day - start) / 7)
    return week, (day <= start) | (is_first & (day <= 1))


def _find_starts(records: Records, values: Floats) -> Floats:
    """The baseline record's own value, for each record of the same person and period."""
    key = records.visit_key
    flagged = records.rows["is_baseline"].to_numpy() & ~np.isnan(values)
    starts = pd.Series(values[flagged], index=key[flagged].to_numpy())
    starts = starts[~starts.index.duplicated()]
    return np.asarray(key.map(starts).to_numpy(dtype=float))


def _count_from_period(records: Records, week: Floats) -> Floats:
    """Count weeks of later periods from their own baseline, where they run on from the first."""
    start = _find_starts(records, week)
    runs_on = (records.rows["period"] > 1).to_numpy() & (start >= 1)
    return np.where(runs_on, np.round(week - start, TIE_DECIMALS), week)


def _read_targets(records: Records, later: Bools) -> Floats:
    target = records.read_numbers("awtarget")
    units = records.read_texts("awu").map(_UNITS)
    in_days = (units == "days").to_numpy()
    aims = target[in_days & later & ~np.isnan(target)]
    first_days = len(aims) > 0 and bool((aims % 7 == 1).all())
    week = np.where(in_days, (target - 1 if first_days else target) / 7, target)
    return np.where(units.isna().to_numpy(), np.nan, week)


def _read_names(names: pd.Series) -> Floats:
    week_of = {name: float(found[1]) for name in names.unique() if (found := _WEEK.fullmatch(name))}
    return names.map(week_of).to_numpy(dtype=float)


def _choose_rule(state: State, records: Records, weeks: dict[str, Floats], later: Bools) -> str:
    rule = state.source.week
    if rule != "auto":
        if later.any() and np.isnan(weeks[rule][later]).all():
            raise DefinitionError(
                f"{rule.upper()} gives no record of '{records.parameter}' a week",
                place=state.name_place("week"),
                remedy="AVISIT must read like `Week 8`, AWTARGET needs AWU in days or weeks; "
                "`week:` may name another of awtarget, avisit, avisitn and ady.",
            )
        return rule
    names = records.read_texts("avisit")
    blank = (names == "").to_numpy() & ("AVISIT" in records.columns)
    scheduled = later & ~_is_matching(names, _UNSCHEDULED) & ~blank
    for name in ("awtarget", "avisit"):
        if scheduled.any() and not np.isnan(weeks[name][scheduled]).any():
            return name
    if later.any() and np.isnan(weeks["ady"][later]).all():
        raise DefinitionError(
            f"neither AWTARGET, nor AVISIT, nor ADY gives '{records.parameter}' its weeks",
            place=state.name_place("parameters", records.variable),
            remedy="If AVISITN counts weeks, say `week: avisitn`.",
        )
    return "ady"


def _note_rule(state: State, records: Records, rule: str, by_day: int) -> None:
    if state.source.week == "auto" and rule == "ady":
        add_finding(
            state,
            records.place,
            "neither AWTARGET nor AVISIT gives every scheduled visit a week: its day, ADY, does",
            "`week:` names another.",
        )
    if by_day and rule != "ady":
        add_finding(
            state,
            records.place,
            f"{by_day} records of no planned week, unscheduled or at the end of treatment, have "
            "the week of their day, ADY",
            "Leave them out with `analysis_flag:` if they should not count.",
        )


def _note_conflicts(
    state: State, records: Records, rule: str, weeks: dict[str, Floats], later: Bools
) -> None:
    if rule == "ady":
        return
    apart = np.zeros(len(later), dtype=bool)
    for other in {"awtarget", "avisit"} - {rule}:
        apart |= later & (np.abs(weeks[rule] - weeks[other]) > _AGREE_WITHIN)
    if apart.any():
        add_finding(
            state,
            records.place,
            f"the week by {rule.upper()} is over half a week from that by AVISIT or AWTARGET in "
            f"{int(apart.sum())} of {len(apart)} records",
            "`week:` says which is right.",
            "warn",
        )
    day, low, high = (records.read_numbers(name) for name in ("ady", "awlo", "awhi"))
    planned = later & (records.rows["dtype"] == "").to_numpy() & ~np.isnan(weeks[rule])
    outside = (
        planned & ((day < low) | (day > high)) & (records.read_texts("awu").map(_UNITS) == "days")
    )
    if outside.any():
        add_finding(
            state,
            records.place,
            f"{int(outside.sum())} of {len(apart)} records were taken outside the window of their "
            "visit, AWLO to AWHI",
            "Compare ADY with the visit they stand for.",
            "warn",
        )
    if rule == "avisitn":
        _note_visit_numbers(state, records, weeks, planned)


def _note_visit_numbers(
    state: State, records: Records, weeks: dict[str, Floats], planned: Bools
) -> None:
    """AVISITN may count visits, not weeks; days tell."""
    drift = np.abs(weeks["avisitn"] - weeks["ady"])[planned]
    drift = drift[~np.isnan(drift)]
    if len(drift) and np.median(drift) > 1:
        add_finding(
            state,
            records.place,
            f"AVISITN is over a week from ADY in {int((drift > 1).sum())} of {len(drift)} records: "
            "it may number visits",
            "Name what gives the week with `week:`.",
            "warn",
        )
