"""Totals of rating scales from their items, with a stated rule for missing ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.checks import Finding
from glabella.data.dictionary import Dictionary, TotalDefinition
from glabella.data.tables import PatientTables, find_positions
from glabella.errors import DefinitionError, describe_choices

# Totals are whole or halves; a difference below this is rounding, not disagreement.
_SAME = 1e-6


@dataclass(frozen=True)
class _Sums:
    """Totals from items, a row a participant and week at which an item was answered."""

    person: npt.NDArray[np.intp]
    week: npt.NDArray[np.float64]
    total: npt.NDArray[np.float64]
    missing: npt.NDArray[np.int_]


def derive_totals(tables: PatientTables, dictionary: Dictionary) -> PatientTables:
    """Add the totals that were not recorded and whose items were.

    Returns
    -------
    PatientTables
        With further assessments. A recorded total stays, also where its items add up to another;
        that is counted among the findings.
    """
    for name, variable in dictionary.variables.items():
        if variable.total is not None:
            tables = _derive_total(tables, name, variable.total, dictionary)
    return tables


def derive_total_without(
    tables: PatientTables, dictionary: Dictionary, variable: str, without: Sequence[str]
) -> pd.DataFrame:
    """Compute a total from all items but some.

    Returns
    -------
    DataFrame
        Rows as in the assessments; none where too many of the other items are missing. A recorded
        total does not help, since no item can be taken from it.
    """
    total = dictionary.find(variable).total
    if total is None:
        raise DefinitionError(
            f"'{variable}' is no total of items, so none can be left out",
            remedy="Name its items in the dictionary: `total: {items: [...]}`.",
        )
    foreign = [item for item in without if item not in total.items]
    if foreign:
        raise DefinitionError(
            f"'{foreign[0]}' is no item of '{variable}'",
            remedy=describe_choices(foreign[0], total.items),
        )
    kept = [item for item in total.items if item not in without]
    if len(kept) <= total.missing_at_most:
        raise DefinitionError(f"too few items of '{variable}' are left")
    sums = _sum_items(tables, kept, total, dictionary)
    return _make_rows(tables, variable, sums, ~np.isnan(sums.total))


def sum_answers(
    answers: npt.NDArray[np.float64],
    ranges: Sequence[tuple[float, float] | None],
    *,
    most_missing: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int_]]:
    """Add up the items of each row.

    Returns
    -------
    tuple of array of float and array of int, shape (n_rows,)
        The totals, NaN where there is none, and how many items are missing. A missing item gets the
        share of its range that the answered ones have of theirs.
    """
    ends = np.array(ranges, dtype=float)
    low, width = ends[:, 0], ends[:, 1] - ends[:, 0]
    known = ~np.isnan(answers)
    share = np.where(known, answers - low, 0.0).sum(axis=1) / np.maximum(known @ width, 1e-300)
    filled = np.where(known, answers, low + share[:, None] * width)
    missing = (~known).sum(axis=1)
    return np.where(missing <= most_missing, filled.sum(axis=1), np.nan), missing


def _derive_total(
    tables: PatientTables, name: str, total: TotalDefinition, dictionary: Dictionary
) -> PatientTables:
    sums = _sum_items(tables, total.items, total, dictionary)
    if not len(sums.person):
        return tables
    recorded = tables.assessments[tables.assessments["paramcd"] == name]
    there = pd.Series(
        recorded["aval"].to_numpy(dtype=float),
        index=[find_positions(recorded, tables.participants), recorded["week"]],
    )
    there = there[~there.index.duplicated()]
    given = there.reindex(pd.MultiIndex.from_arrays([sums.person, sums.week])).to_numpy()
    made = np.isnan(given) & ~np.isnan(sums.total)
    rows = _make_rows(tables, name, sums, made)
    differ = (sums.missing == 0) & (np.abs(given - sums.total) > _SAME)
    return replace(
        tables,
        assessments=pd.concat([tables.assessments, rows], ignore_index=True)
        if len(rows)
        else tables.assessments,
        findings=(*tables.findings, *_note_totals(name, total, sums, made, differ, given)),
    )


def _sum_items(
    tables: PatientTables, items: Sequence[str], total: TotalDefinition, dictionary: Dictionary
) -> _Sums:
    rows = tables.assessments[tables.assessments["paramcd"].isin(list(items))]
    person = find_positions(rows, tables.participants)
    if total.scale is not None:
        scales = tables.participants.get("scale")
        is_on_it = (
            np.zeros(tables.n, dtype=bool)
            if scales is None
            else (scales == total.scale).to_numpy(dtype=bool)
        )
        rows, person = rows[is_on_it[person]], person[is_on_it[person]]
    at = pd.MultiIndex.from_arrays([person, rows["week"].to_numpy(dtype=float)])
    visit, visits = pd.factorize(at)
    column = pd.Index(items).get_indexer(pd.Index(rows["paramcd"].astype(object)))
    answers = np.full((len(visits), len(items)), np.nan)
    answers[visit, column] = rows["aval"].to_numpy(dtype=float)
    ranges = [dictionary.find(item).range for item in items]
    sums, missing = sum_answers(answers, ranges, most_missing=total.missing_at_most)
    where = visits.to_frame(index=False)
    return _Sums(
        person=where[0].to_numpy(dtype=np.intp),
        week=where[1].to_numpy(dtype=float),
        total=sums,
        missing=missing,
    )


def _make_rows(
    tables: PatientTables, name: str, sums: _Sums, which: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    people = tables.participants.iloc[sums.person[which]]
    return pd.DataFrame(
        {
            "studyid": people["studyid"].astype(object).to_numpy(),
            "usubjid": people["usubjid"].astype(object).to_numpy(),
            "paramcd": name,
            "week": sums.week[which],
            "aval": sums.total[which],
        }
    )


def _note_totals(
    name: str,
    total: TotalDefinition,
    sums: _Sums,
    made: npt.NDArray[np.bool_],
    differ: npt.NDArray[np.bool_],
    given: npt.NDArray[np.float64],
) -> list[Finding]:
    place, findings = f"total '{name}'", []
    if differ.any():
        findings.append(
            Finding(
                place,
                f"at {int(differ.sum())} visits the items add up to another total than the "
                "recorded one, which is kept",
                "Correct whichever is wrong.",
                "warn",
            )
        )
    prorated = int((made & (sums.missing > 0)).sum())
    none = int((np.isnan(given) & np.isnan(sums.total)).sum())
    if made.any() or none:
        findings.append(
            Finding(
                place,
                f"{int(made.sum())} totals were made from items, {prorated} of them with up to "
                f"{total.missing_at_most} items missing; {none} visits have more missing and no "
                "total",
                "See `total:` of the dictionary.",
                "note",
            )
        )
    return findings
