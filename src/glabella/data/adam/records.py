"""The records of one BDS parameter, typed, of those who count, in the periods that count."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from glabella.data.adam.cells import (
    Bools,
    Floats,
    Positions,
    State,
    add_finding,
    note_refused_rows,
    read_identifiers,
    read_numbers,
    read_text,
)
from glabella.data.adam.subjects import Subjects
from glabella.data.checks import parse_values
from glabella.data.dictionary import Variable
from glabella.data.mapping.unmatched import explain_unmatched
from glabella.data.tables import find_positions
from glabella.errors import DefinitionError, describe_choices

TEXTS = ("DTYPE", "AVISIT", "AWU", "BASETYPE", "TRTP", "TRTA")
NUMBERS = ("BASE", "CHG", "ADY", "AVISITN", "AWTARGET", "AWLO", "AWHI", "APERIOD")


@dataclass(frozen=True)
class Records:
    """Records of one parameter.

    Parameters
    ----------
    file : str
        The dataset.
    parameter : str
        Its ``PARAMCD``.
    variable : str
        The dictionary's name.
    columns : frozenset of str
        The columns that the dataset has.
    rows : DataFrame
        One row a record: ``row`` (its position in the file), ``person`` (the subject's position
        in ADSL), ``period``, ``is_baseline``, ``value``, and the standard's columns in small
        letters: text blank and numbers NaN where a column or cell is missing.
    """

    file: str
    parameter: str
    variable: str
    columns: frozenset[str]
    rows: pd.DataFrame

    @property
    def place(self) -> str:
        """The dataset and parameter, for messages."""
        return f"{self.file}, PARAMCD '{self.parameter}'"

    @property
    def positions(self) -> Positions:
        """Where the records stand in the file."""
        return np.asarray(self.rows["row"].to_numpy(), dtype=np.intp)

    @property
    def visit_key(self) -> pd.Series:
        """A number for each person and period: what has one baseline."""
        return self.rows["person"] * 1000 + self.rows["period"]

    def keep(self, where: Bools) -> Records:
        """Keep some of the records."""
        return replace(self, rows=self.rows[where].reset_index(drop=True))

    def read_numbers(self, column: str) -> Floats:
        """Give a column of numbers.

        Returns
        -------
        array of float, shape (n_records,)
            NaN where missing.
        """
        return self.rows[column].to_numpy(dtype=float)

    def read_texts(self, column: str) -> pd.Series:
        """Give a column of text in capitals.

        Returns
        -------
        Series of str, shape (n_records,)
            Blank where missing.
        """
        levels = {text: text.upper() for text in self.rows[column].unique()}
        return self.rows[column].map(levels)


def read_records(state: State, name: str, subjects: Subjects) -> Records:
    """Read the records of a parameter.

    Returns
    -------
    Records
        Of the population, in the periods that count, those without value included.
    """
    file, row = _find_rows(state, name)
    code = state.source.parameters[name]
    frame = state.raw[file].frame
    variable = state.dictionary.variables[name]
    value = "AVALC" if variable.type == "category" else "AVAL"
    state.take(file, value, "parameters", name)
    person = _find_people(state, file, row, subjects)
    counted = np.append(np.logical_or.reduce(list(subjects.taken.values())), False)[person]
    row, person = row[counted], person[counted]
    rows: dict[str, object] = {"row": row, "person": person}
    for column in TEXTS:
        there = column in frame
        rows[column.lower()] = read_text(frame[column].iloc[row]) if there else ""
    for column in NUMBERS:
        rows[column.lower()] = _read_numbers(state, file, column, row)
    has_flag = "ABLFL" in frame
    rows["is_baseline"] = read_text(frame["ABLFL"].iloc[row]) == "Y" if has_flag else False
    rows["value"] = _parse(state, file, value, row, variable, name)
    made = pd.DataFrame(rows, index=range(len(row)))
    records = Records(file, code, name, frozenset(map(str, frame.columns)), made)
    return _select_periods(state, records, subjects)


def _find_rows(state: State, name: str) -> tuple[str, Positions]:
    code, at = state.source.parameters[name], ("parameters", name)
    known: set[str] = set()
    found = {}
    for index, file in enumerate(state.source.adam.bds):
        names = read_text(state.take(file, "PARAMCD", "adam", "bds", index))
        known.update(names)
        rows = np.flatnonzero(names == code)
        if len(rows):
            found[file] = rows
    if not found:
        raise DefinitionError(
            f"no dataset has the parameter '{code}'",
            place=state.name_place(*at),
            remedy=describe_choices(code, known - {""}),
        )
    if len(found) > 1:
        raise DefinitionError(
            f"the parameter '{code}' stands in {' and '.join(found)}",
            place=state.name_place(*at),
            remedy="Name the one that counts in `bds:`; the same scores would be read twice.",
        )
    return next(iter(found.items()))


def _find_people(state: State, file: str, row: Positions, subjects: Subjects) -> Positions:
    at = ("adam", "bds", state.source.adam.bds.index(file))
    keys = pd.DataFrame(
        {
            "studyid": read_identifiers(state.take(file, "STUDYID", *at).iloc[row]),
            "usubjid": read_identifiers(state.take(file, "USUBJID", *at).iloc[row]),
        }
    )
    person = find_positions(keys, subjects.frame)
    unmatched = person < 0
    hint = explain_unmatched(keys, subjects.frame, unmatched) if unmatched.any() else ""
    note_refused_rows(
        state,
        file,
        "USUBJID",
        row[unmatched],
        f"{{count}} of {len(row)} records belong to no participant in {state.source.adam.adsl}",
        f"{hint}Add these subjects, or leave the records out.",
    )
    return person


def _read_numbers(state: State, file: str, column: str, row: Positions) -> Floats:
    frame = state.raw[file].frame
    if column not in frame:
        return np.full(len(row), np.nan)
    numbers, wrong = read_numbers(frame[column].iloc[row])
    note_refused_rows(state, file, column, row[wrong], "{count} cells are no number", "Mend them.")
    return numbers


def _parse(
    state: State, file: str, column: str, row: Positions, variable: Variable, name: str
) -> pd.Series:
    scale = state.source.scale
    scales = None if scale is None else pd.Series(scale, index=range(len(row)))
    raw = state.raw[file].frame[column].iloc[row].reset_index(drop=True)
    parsed = parse_values(raw, variable, scales=scales)
    state.note_faults(parsed.faults, file, column, name, row)
    return parsed.values


def _select_periods(state: State, records: Records, subjects: Subjects) -> Records:
    """Keep the periods that count; without APERIOD all records are of the first."""
    period = records.read_numbers("aperiod")
    chosen = list(subjects.taken)
    if np.isnan(period).all():
        if len(chosen) > 1:
            raise DefinitionError(
                f"the table {records.file} has no APERIOD for '{records.parameter}', so its "
                "records are of no period",
                place=state.name_place("periods"),
                remedy="Leave `periods:` out, or fill the column in.",
            )
        _note_unknown_periods(state, records)
        period = np.ones(len(period))
    else:
        # A baseline taken before the first period often belongs to none.
        early = records.rows["is_baseline"].to_numpy() | (records.read_numbers("ady") <= 1)
        period = np.where(np.isnan(period) & early, 1.0, period)
    took = np.zeros(len(period), dtype=bool)
    for number, of_period in subjects.taken.items():
        took |= (period == number) & of_period[records.rows["person"].to_numpy()]
    aside = int((~np.isin(period, chosen)).sum())
    if aside:
        add_finding(
            state,
            records.place,
            f"{aside} of {len(period)} records are of no period that counts and are excluded",
            "`periods: all` takes in those of later periods, each counted from its own baseline.",
        )
    records.rows["period"] = np.where(took, period, 0).astype(int)
    return records.keep(took)


def _note_unknown_periods(state: State, records: Records) -> None:
    adsl = state.source.adam.adsl
    frame = state.raw[adsl].frame
    if {"TRT01P", "TRT02P"} <= set(frame.columns):
        second = read_text(frame["TRT02P"])
        changed = int(((second != "") & (second != read_text(frame["TRT01P"]))).sum())
        if changed:
            add_finding(
                state,
                records.place,
                f"there is no APERIOD, and {changed} subjects took another treatment in a second "
                "period: its records count as the first's",
                "Give the dataset its APERIOD.",
                "warn",
            )
