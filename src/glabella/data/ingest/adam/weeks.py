"""The week of a record, by what the dataset says of its visit."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.checks import to_text
from glabella.errors import DefinitionError

Floats = npt.NDArray[np.float64]
_WEEK = re.compile(r"^\s*week\s+(\d+(?:\.\d+)?)\s*$", re.IGNORECASE)
_DAYS = {"DAYS": 1.0, "DAY": 1.0, "WEEKS": 7.0, "WEEK": 7.0}
# Two ways of naming one visit may differ by rounding, not by days.
_AGREE_WITHIN = 0.5


@dataclass(frozen=True)
class Weeks:
    """The week of each record.

    Parameters
    ----------
    week : array of float, shape (n_records,)
        Since treatment began; NaN where nothing says.
    rule : str
        The column that gave most of them.
    by_day : int
        How many were taken from ``ADY`` because that column was blank.
    conflicting : int
        How many records two columns give weeks that differ by more than half a week.
    """

    week: Floats
    rule: str
    by_day: int
    conflicting: int


def find_weeks(frame: pd.DataFrame, rule: str, *, place: str) -> Weeks:
    """Find the week of each record.

    Parameters
    ----------
    frame : DataFrame
        Records of a BDS dataset, after baseline.
    rule : str
        As in `AdamSource`.
    place : str
        Where the source is declared.

    Returns
    -------
    Weeks
        By the rule; by ``ADY`` where its column is blank.

    Raises
    ------
    DefinitionError
        If the dataset lacks what the rule needs.

    References
    ----------
    .. [1] CDISC. Analysis Data Model Implementation Guide v1.3, section 3.3 (BDS timing).
    """
    given = {
        "awtarget": _by_target(frame),
        "avisit": _by_name(frame),
        "avisitn": _numbers(frame, "AVISITN"),
        "ady": _by_day(frame),
    }
    order = ("awtarget", "avisit", "ady") if rule == "auto" else (rule,)
    chosen = next(
        (
            name
            for name in order
            if (values := given[name]) is not None and not np.isnan(values).all()
        ),
        None,
    )
    if chosen is None and len(frame):
        raise DefinitionError(
            f"the dataset has no {' or '.join(name.upper() for name in order)} that gives a week",
            place=place,
            remedy="Say with `week:` what does: awtarget, avisit, avisitn or ady.",
        )
    chosen = chosen or order[0]
    week = given[chosen] if given[chosen] is not None else np.full(len(frame), np.nan)
    assert week is not None
    by_day = given["ady"]
    fallback = np.isnan(week) if by_day is not None else np.zeros(len(frame), dtype=bool)
    if by_day is not None:
        week = np.where(fallback, by_day, week)
    first, second = given["awtarget"], given["avisit"]
    conflicting = 0
    if first is not None and second is not None:
        with np.errstate(invalid="ignore"):
            conflicting = int((np.abs(first - second) > _AGREE_WITHIN).sum())
    return Weeks(week, chosen.upper(), int((fallback & ~np.isnan(week)).sum()), conflicting)


def _numbers(frame: pd.DataFrame, column: str) -> Floats | None:
    if column not in frame:
        return None
    values = frame[column]
    if not pd.api.types.is_numeric_dtype(values.dtype):
        values = pd.to_numeric(to_text(values).astype(object).replace("", None), errors="coerce")
    return values.to_numpy(dtype=float, na_value=np.nan)


def _by_target(frame: pd.DataFrame) -> Floats | None:
    """A target of 56 days is the visit of week 8."""
    target = _numbers(frame, "AWTARGET")
    if target is None:
        return None
    units = (
        to_text(frame["AWU"]).astype(object).str.upper().map(_DAYS).to_numpy(dtype=float)
        if "AWU" in frame
        else np.full(len(frame), 1.0)
    )
    return target * units / 7.0


def _by_name(frame: pd.DataFrame) -> Floats | None:
    if "AVISIT" not in frame:
        return None
    names = to_text(frame["AVISIT"]).astype(object)
    week_of = {
        name: float(match.group(1)) for name in names.unique() if (match := _WEEK.match(name))
    }
    return names.map(week_of).to_numpy(dtype=float)


def _by_day(frame: pd.DataFrame) -> Floats | None:
    """Day 1 is the first of treatment, and there is no day 0."""
    day = _numbers(frame, "ADY")
    return None if day is None else np.where(day >= 1, day - 1, day) / 7.0
