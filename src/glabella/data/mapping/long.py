"""Assessments, wide or long, to rows of participant, variable, week and value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.cells import to_numbers, to_text
from glabella.data.checks import Finding, parse_values
from glabella.data.dictionary import Variable
from glabella.data.mapping.interpret import (
    MappingState,
    read_identifiers,
    read_source_column,
    read_trial_names,
)
from glabella.data.mapping.labels import read_labelled, read_name_labels, read_week_labels
from glabella.data.mapping.sources import AssessmentsFile, TrialSource
from glabella.data.mapping.unmatched import explain_unmatched
from glabella.data.tables import KEY, find_positions
from glabella.errors import DataError, describe_choices


@dataclass(frozen=True)
class _Visits:
    """The keys of a file's rows, and where its values stand."""

    keys: pd.DataFrame
    people: npt.NDArray[np.intp]
    scales: pd.Series | None


@dataclass(frozen=True)
class _Part:
    """One variable's known values, by the rows and the column they stand in."""

    variable: str
    column: str
    rows: npt.NDArray[np.intp]
    week: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]


def map_assessments(state: MappingState[TrialSource], participants: pd.DataFrame) -> pd.DataFrame:
    """Map every assessments' file of a source.

    Returns
    -------
    DataFrame
        ``studyid``, ``usubjid`` and ``paramcd`` as categories, ``week``, ``aval``, and for a
        crossover ``period``; rows without a value are left out.
    """
    parts: list[pd.DataFrame] = []
    stand_in: list[tuple[str, _Part]] = []
    for index, file in enumerate(state.source.assessments):
        visits = _read_keys(state, index, participants)
        made = (
            _map_long(state, index, visits)
            if file.weeks is None
            else _map_wide(state, index, visits)
        )
        if not made:
            raise DataError(
                "no row is of a variable that the dictionary knows",
                place=file.file,
                remedy=describe_choices("", state.dictionary.variables),
            )
        parts.append(_join(visits, made))
        stand_in.extend((file.file, part) for part in made)
    if not parts:
        return pd.DataFrame({name: [] for name in (*KEY, "paramcd", "week", "aval")})
    rows = parts[0] if len(parts) == 1 else _stack(parts)
    _note_double_visits(state, rows, stand_in)
    return rows.drop(columns="person")


def _read_keys(state: MappingState[TrialSource], index: int, participants: pd.DataFrame) -> _Visits:
    file, at = state.source.assessments[index], ("assessments", index)
    ids = read_identifiers(state, file.file, file.id, *at, "id")
    trial: pd.Series | str = state.source.name
    if file.trial is not None:
        trial = read_trial_names(state, file.file, file.trial, *at, "trial")
    keys = pd.DataFrame({"studyid": trial, "usubjid": ids}).astype("category")
    if file.period is not None:
        keys["period"] = to_numbers(state.take(file.file, file.period, *at, "period"))
        state.note_rows(
            ~keys["period"].isin(list(state.source.participants.arms)).to_numpy(),
            file.file,
            file.period,
            "{count} rows name a period that has no arm",
            "Name its arm among `arms:` of the participants, or leave the rows out.",
        )
    people = find_positions(keys, participants)
    unmatched = people < 0
    hint = explain_unmatched(keys, participants, unmatched) if unmatched.any() else ""
    state.note_rows(
        unmatched,
        file.file,
        file.id,
        f"{{count}} of {len(keys)} rows belong to no participant in "
        f"{state.source.participants.file}",
        f"{hint}Add these participants, or leave the rows out.",
    )
    scales = None
    if "scale" in participants:
        levels = participants["scale"].astype("category")
        codes = np.where(people < 0, -1, levels.cat.codes.to_numpy()[people])
        scales = pd.Series(pd.Categorical.from_codes(codes, levels.cat.categories))
    return _Visits(keys, people, scales)


def _read_names_as_categories(
    state: MappingState[TrialSource], file: str, column: str, *keys: str | int
) -> pd.Series:
    """Take a column of names as categories."""
    return to_text(state.take(file, column, *keys).astype("category"))


def _map_long(state: MappingState[TrialSource], index: int, visits: _Visits) -> list[_Part]:
    file, at = state.source.assessments[index], ("assessments", index)
    weeks = state.take(file.file, str(file.week), *at, "week")
    week = _read_weeks(state, file, weeks)
    value = file.find_column(str(file.value))
    state.take(file.file, value.column, *at, "value")
    if file.parameter is None:
        variable = state.find(str(file.variable), *at, "variable")
        raw = read_source_column(state, file.file, value, variable, at)
        return [_parse(state, file.file, value.column, str(file.variable), raw, week, visits)]
    wanted = {file.parameters.get(name, name): name for name in state.dictionary.variables}
    for name in file.parameters:
        state.find(name, *at, "parameters", name)
    names = _read_parameters(state, file.file, file.parameter, wanted, *at, "parameter")
    made = []
    # Parameters that the dictionary lacks are not read: a trial assesses more than anyone models.
    levels = names.astype("category")
    for number, code in enumerate(levels.cat.categories):
        if code in wanted:
            rows = np.flatnonzero(levels.cat.codes.to_numpy() == number)
            variable = state.dictionary.variables[wanted[code]]
            raw = read_source_column(state, file.file, value, variable, at, rows)
            made.append(
                _parse(state, file.file, value.column, wanted[code], raw, week, visits, rows)
            )
    return made


def _read_parameters(
    state: MappingState[TrialSource],
    file: str,
    column: str,
    wanted: Collection[str],
    *keys: str | int,
) -> pd.Series:
    names = _read_names_as_categories(state, file, column, *keys)
    labels = state.raw[file].value_labels.get(column)
    if not labels:
        return names
    text, there = read_labelled(names, labels)
    reading = read_name_labels(there, wanted)
    state.note_reading(
        text, reading, file, column, "Name the file's codes of them with `parameters:`."
    )
    return text.replace(dict(reading.taken))


def _map_wide(state: MappingState[TrialSource], index: int, visits: _Visits) -> list[_Part]:
    file, at = state.source.assessments[index], ("assessments", index)
    variable = state.find(str(file.variable), *at, "variable")
    made = []
    for column, number in (file.weeks or {}).items():
        state.take(file.file, column, *at, "weeks", column)
        raw = read_source_column(state, file.file, file.find_column(column), variable, at)
        week = np.full(len(raw), float(number))
        made.append(_parse(state, file.file, column, str(file.variable), raw, week, visits))
    return made


def _read_weeks(
    state: MappingState[TrialSource], file: AssessmentsFile, weeks: pd.Series
) -> npt.NDArray[np.float64]:
    labels = state.raw[file.file].value_labels.get(str(file.week))
    if labels:
        text, there = read_labelled(weeks, labels)
        state.note_reading(
            text,
            read_week_labels(there),
            file.file,
            str(file.week),
            "It may number visits: write the week since treatment began into a column of its own.",
        )
    numbers = to_numbers(weeks).to_numpy()
    state.note_rows(
        ~np.isfinite(numbers),
        file.file,
        file.week,
        f"{{count}} of {len(numbers)} values: each is not a number",
        "Give the week since treatment began; baseline is 0.",
    )
    return numbers


def _parse(
    state: MappingState[TrialSource],
    file: str,
    column: str,
    name: str,
    raw: pd.Series,
    week: npt.NDArray[np.float64],
    visits: _Visits,
    rows: npt.NDArray[np.intp] | None = None,
) -> _Part:
    """Type one variable's values, which stand in the given rows, and keep those that are there."""
    variable: Variable = state.dictionary.variables[name]
    chosen = slice(None) if rows is None else rows
    scales = None if visits.scales is None else visits.scales.iloc[chosen]
    # Whoever has no known scale is no known participant, or one whose scale was noted already.
    parsed = parse_values(raw, variable, scales=scales, notes_scales=scales is None)
    state.note_faults(parsed.faults, file, column, name, rows)
    values = parsed.values.to_numpy(dtype=float)
    known = np.flatnonzero(~np.isnan(values))
    positions = known if rows is None else rows[known]
    return _Part(name, column, positions, week[positions], values[known])


def _join(visits: _Visits, parts: list[_Part]) -> pd.DataFrame:
    """Put a file's variables under one another; the keys are taken once for all of them."""
    rows = np.concatenate([part.rows for part in parts])
    names = list(dict.fromkeys(part.variable for part in parts))
    codes = [np.full(len(part.rows), names.index(part.variable), np.int16) for part in parts]
    joined = visits.keys.take(rows).reset_index(drop=True)
    joined["paramcd"] = pd.Categorical.from_codes(
        np.concatenate(codes), pd.Index(names, dtype=object)
    )
    joined["week"] = np.concatenate([part.week for part in parts])
    joined["aval"] = np.concatenate([part.values for part in parts])
    joined["person"] = visits.people[rows]
    return joined


def _stack(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Put parts under one another; categories stay categories, over the levels of all."""
    stacked = {}
    for column in parts[0].columns:
        if isinstance(parts[0][column].dtype, pd.CategoricalDtype):
            values = pd.api.types.union_categoricals([part[column] for part in parts])
            stacked[column] = pd.Series(values)
        else:
            stacked[column] = pd.concat([part[column] for part in parts], ignore_index=True)
    return pd.DataFrame(stacked)


def _note_double_visits(
    state: MappingState[TrialSource], rows: pd.DataFrame, stand_in: list[tuple[str, _Part]]
) -> None:
    # One whole number for each visit: ten million are compared in the time of one column of text.
    visit = rows["person"].to_numpy(dtype=np.int64)
    is_whole = visit >= 0
    for name in ("paramcd", "week", "period"):
        if name in rows:
            codes, levels = pd.factorize(rows[name])
            visit = visit * len(levels) + codes
            is_whole &= codes >= 0
    doubled = int(is_whole.sum()) - _count_distinct(visit[is_whole])
    if not doubled:
        return
    files = ", ".join(dict.fromkeys(item.file for item in state.source.assessments))
    finding = "rows repeat a participant, variable and week"
    state.findings.append(Finding(files, f"{doubled} {finding}", "Keep one value a visit."))
    again = is_whole & pd.Series(visit).where(is_whole).duplicated().to_numpy()
    end = 0
    for file, part in stand_in:
        start, end = end, end + len(part.rows)
        state.list_faults(part.rows[again[start:end]], file, part.column, finding)


def _count_distinct(numbers: npt.NDArray[np.int64]) -> int:
    if len(numbers) and numbers.max() < 20 * len(numbers):
        seen = np.zeros(int(numbers.max()) + 1, dtype=bool)
        seen[numbers] = True
        return int(seen.sum())
    return int(pd.unique(numbers).size)
