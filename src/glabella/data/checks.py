"""Values against the dictionary: what is wrong with each, and how often, without showing any."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.cells import is_missing, match_codes, to_numbers, to_text
from glabella.data.dictionary import BY_TRIAL, Variable
from glabella.domain.scales import SCALES
from glabella.errors import MOST_SHOWN, DataError, GlabellaError, join_errors

# So many of a kind are still read one by one.
_MOST_OF_A_KIND = 3
_MOST_PLACES = 5
_PARTICULARS = re.compile(r"'[^']*'|\d[\d.,]*")


class RowsError(DataError):
    """Rows of a table are at fault.

    Parameters
    ----------
    finding : str
        What is wrong, without any value.
    place, remedy : str, optional
        As in every error.
    rows : DataFrame, optional
        ``file``, ``row``, ``column`` and ``finding``: for a file beside the data, never a message.
    """

    def __init__(
        self,
        finding: str,
        *,
        place: str | None = None,
        remedy: str | None = None,
        rows: pd.DataFrame | None = None,
    ):
        super().__init__(finding, place=place, remedy=remedy)
        self.rows = rows


@dataclass(frozen=True)
class Parsed:
    """A column as typed values, and what is wrong with each.

    Parameters
    ----------
    values : Series
        Floats for numbers, ordinals and scores; codes for categories. Missing where the cell was
        blank or at fault.
    kinds : tuple of str
        The faults that there are, in words that hold no value.
    which : array of int, shape (n_rows,)
        Each cell's fault, counted from 1 in `kinds`; 0 where nothing is wrong.
    """

    values: pd.Series
    kinds: tuple[str, ...]
    which: npt.NDArray[np.int8]

    @property
    def faults(self) -> npt.NDArray[np.object_]:
        """For each row what is wrong; None where nothing is."""
        return np.array([None, *self.kinds], dtype=object)[self.which]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a table.

    Parameters
    ----------
    place : str
        The file and column.
    finding : str
        What is wrong and how often, without any value.
    remedy : str
        What to do.
    severity : str
        ``stop``: nothing can be trusted until it is mended; ``warn``: a figure may mislead;
        ``note``: worth knowing.
    """

    place: str
    finding: str
    remedy: str
    severity: Literal["stop", "warn", "note"] = "stop"


def parse_values(
    raw: pd.Series,
    variable: Variable,
    *,
    scales: pd.Series | None = None,
    notes_scales: bool = True,
) -> Parsed:
    """Turn a column into typed values, noting each fault by its row."""
    if variable.type == "category":
        codes, which, kind = parse_codes(raw, variable)
        words = np.array([*variable.codes, np.nan], dtype=object)
        return Parsed(pd.Series(words[codes], raw.index, dtype=object), (kind,), which)
    numbers, missing = _read_numbers(raw, variable.codes)
    low, high, bounds = _find_limits(variable, scales, len(raw))
    finite = np.isfinite(numbers)
    no_scale = f"has no known scale ({', '.join(sorted(SCALES))})"
    with np.errstate(invalid="ignore"):
        wrong = {
            "is not a number": np.isnan(numbers) & ~missing,
            "is not a finite number": np.isinf(numbers),
            no_scale: np.isnan(low) & finite,
            f"is outside {bounds}": ((numbers < low) | (numbers > high)) & finite,
        }
        if variable.type == "ordinal":
            wrong["is not a whole number"] = (numbers != np.floor(numbers)) & finite
    if not notes_scales:
        numbers = np.where(np.isnan(low), np.nan, numbers)
        wrong = {kind: rows for kind, rows in wrong.items() if kind != no_scale}
    which = np.zeros(len(raw), dtype=np.int8)
    for number, rows in reversed(list(enumerate(wrong.values(), start=1))):
        if rows.any():
            which[rows] = number
            numbers = np.where(rows, np.nan, numbers)
    return Parsed(pd.Series(numbers, index=raw.index), tuple(wrong), which)


def parse_codes(
    raw: pd.Series, variable: Variable
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int8], str]:
    """Turn a column of a category into positions among the dictionary's codes.

    Returns
    -------
    tuple of array of int, shape (n_rows,), array of int, shape (n_rows,), and str
        Each cell's position, -1 where missing or at fault; 1 where it is at fault; and the fault.
    """
    try:
        at, levels = pd.factorize(raw)
    except TypeError:
        # Cells that are lists, which a Parquet file may hold: as text they are no code.
        at, levels = pd.factorize(raw.map(str))
    text = to_text(pd.Series(levels))
    found = pd.Index(list(variable.codes)).get_indexer(pd.Index(match_codes(text, variable.codes)))
    wrong = (found < 0) & ~is_missing(text)
    # The last stands for a missing cell, whose place is -1.
    codes = np.append(found, -1)[at]
    which = np.append(wrong, False)[at].astype(np.int8)
    return codes, which, f"is not one of the codes {', '.join(variable.codes)}"


def _read_numbers(
    raw: pd.Series, codes: Iterable[str]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    numbers = to_numbers(raw).to_numpy()
    if pd.api.types.is_bool_dtype(raw.dtype):
        return numbers, raw.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(raw.dtype):
        return numbers, np.isnan(numbers)
    return numbers, np.isnan(numbers) & is_missing(to_text(raw), codes)


def count_faults(faults: npt.NDArray[np.object_], *, place: str, remedy: str) -> list[Finding]:
    """Group a column's faults by kind."""
    counts = pd.Series(faults, dtype=object).value_counts()
    return [
        Finding(
            place=place,
            finding=f"{count} of {len(faults)} values: each {kind}",
            remedy=remedy,
        )
        for kind, count in counts.items()
    ]


def group_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Group findings that differ in their places and numbers alone.

    Returns
    -------
    list of Finding
        Up to three of a kind stay as they are. Of more, those that read alike become one with
        their places; others are counted after the first three.

    Examples
    --------
    >>> few = "under 5 of a class"
    >>> group_findings([Finding(f"arm {name}", few, "", "note") for name in "abcdefg"])[0].place
    'arm a; arm b; arm c; arm d; arm e and 2 more'
    """
    kinds: dict[tuple[str, ...], list[Finding]] = {}
    for item in findings:
        key = (item.severity, *(_PARTICULARS.sub("", text) for text in (item.finding, item.remedy)))
        kinds.setdefault(key, []).append(item)
    grouped: list[Finding] = []
    for kind in kinds.values():
        if len(kind) <= _MOST_OF_A_KIND:
            grouped.extend(kind)
        elif len({(item.finding, item.remedy) for item in kind}) == 1:
            grouped.append(replace(kind[0], place=_list_places(kind)))
        else:
            rest = kind[_MOST_OF_A_KIND:]
            what = f"{len(rest)} more findings of the same kind, with other numbers or names"
            grouped.extend(kind[:_MOST_OF_A_KIND])
            grouped.append(Finding(_list_places(rest), what, "", kind[0].severity))
    return grouped


def _list_places(findings: Sequence[Finding]) -> str:
    places = list(dict.fromkeys(item.place for item in findings))
    more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
    return "; ".join(places[:_MOST_PLACES]) + more


def raise_findings(findings: Sequence[Finding], *, rows: pd.DataFrame | None = None) -> None:
    """Raise one error that holds all findings, grouped and bounded in length."""
    findings = [item for item in findings if item.severity == "stop"]
    if not findings:
        return
    grouped = group_findings(findings)
    first = grouped[0]
    if len(grouped) == 1:
        raise RowsError(first.finding, place=first.place, remedy=first.remedy, rows=rows)
    shown = grouped[:MOST_SHOWN]
    lines = [f"  {item.place}: {item.finding}. {item.remedy}".rstrip() for item in shown]
    if len(grouped) > len(shown):
        lines.append(f"  ... and more of {len(grouped) - len(shown)} other kinds")
    error = RowsError(f"{len(findings)} findings in the data\n" + "\n".join(lines), rows=rows)
    error.parts = tuple(
        DataError(item.finding, place=item.place, remedy=item.remedy) for item in grouped
    )
    raise error


def join_refusals(errors: Sequence[GlabellaError]) -> GlabellaError:
    """Make one refusal of those of several tables, with the rows at fault of all."""
    joined = join_errors(errors)
    rows = [e.rows for e in errors if isinstance(e, RowsError) and e.rows is not None]
    if len(errors) == 1 or not rows:
        return joined
    error = RowsError(
        joined.finding,
        place=joined.place,
        remedy=joined.remedy,
        rows=pd.concat(rows, ignore_index=True),
    )
    error.parts = joined.parts
    return error


def _find_limits(
    variable: Variable, scales: pd.Series | None, n_rows: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], str]:
    """Give the lowest and the highest value, of all rows or of each, and both in words."""
    if variable.range is not None:
        low, high = variable.range
        bounds = f"{low:g} to {high:g}" + (f" {variable.unit}" if variable.unit else "")
        return np.array(low), np.array(high), bounds
    if variable.scale == BY_TRIAL:
        names = pd.Series([None] * n_rows) if scales is None else scales
        low_by_name = {name: scale.minimum for name, scale in SCALES.items()}
        high_by_name = {name: scale.maximum for name, scale in SCALES.items()}
        codes, levels = pd.factorize(names, use_na_sentinel=False)
        return (
            np.array([low_by_name.get(name, np.nan) for name in levels], dtype=float)[codes],
            np.array([high_by_name.get(name, np.nan) for name in levels], dtype=float)[codes],
            "the range of its scale",
        )
    scale = variable.find_scale(None)
    return (
        np.array(scale.minimum),
        np.array(scale.maximum),
        f"{scale.minimum:g} to {scale.maximum:g}, the range of {scale.name}",
    )
