"""A source's columns in the dictionary's codes and units, and what is wrong on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.cells import is_missing, match_codes, to_numbers, to_text
from glabella.data.checks import Finding, count_faults
from glabella.data.dictionary import Dictionary, Variable
from glabella.data.identifiers import write_ids
from glabella.data.mapping.labels import (
    NamedArm,
    Reading,
    find_coded_names,
    read_labelled,
    read_labels,
)
from glabella.data.mapping.sources import TrialSource, VariableColumn
from glabella.data.mapping.units import convert_values, find_conversion
from glabella.data.reading.header import describe_columns
from glabella.data.reading.raw import RawTable
from glabella.definitions.reader import Keys, Origin
from glabella.errors import DefinitionError, describe_choices

_MOST_ROWS_LISTED = 100_000


SourceT = TypeVar("SourceT")


def describe_reading(reading: Reading) -> tuple[tuple[frozenset[str], str], ...]:
    """Say what is wrong with values by their labels."""
    return (
        (
            reading.contradicted,
            "by the file's label the value stands for something else than by itself",
        ),
        (reading.unclear, "the file's label of the value does not say what it stands for"),
    )


@dataclass(frozen=True)
class MappingState(Generic[SourceT]):
    """One source being mapped, and what was found so far.

    Parameters
    ----------
    source : TrialSource or AdamSource
        The files and their columns.
    raw : mapping of RawTable
        The tables by file name.
    dictionary : Dictionary
        The variables.
    written : Origin
        The analysis that declares the source.
    keys : tuple
        Where in the analysis the source stands.
    arms : tuple of NamedArm
        The arms of the analysis, for the labels that a file gives its codes of them.
    findings : list of Finding
        In the order found.
    rows : list of DataFrame
        Which rows of which file, finding by finding.
    """

    source: SourceT
    raw: Mapping[str, RawTable]
    dictionary: Dictionary
    written: Origin
    keys: Keys
    arms: tuple[NamedArm, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    rows: list[pd.DataFrame] = field(default_factory=list)

    def take(self, file: str, column: str, *keys: str | int) -> pd.Series:
        """Take a column of a file."""
        frame = self.raw[file].frame
        if column not in frame.columns:
            raise DefinitionError(
                f"the table {file} has no column '{column}'",
                place=self.name_place(*keys),
                remedy=describe_columns(column, frame),
            )
        return frame[column].reset_index(drop=True)

    def find(self, variable: str, *keys: str | int) -> Variable:
        """Find a variable of the dictionary."""
        return self.dictionary.find(variable, place=self.name_place(*keys))

    def name_place(self, *keys: str | int) -> str:
        """Give the place of an entry of the source."""
        return self.written.name_place(*self.keys, *keys)

    def note_rows(
        self,
        where: npt.NDArray[np.bool_],
        file: str,
        column: str | None,
        finding: str,
        remedy: str,
        positions: npt.NDArray[np.intp] | None = None,
    ) -> None:
        """Note what is wrong with some rows of a file."""
        count = int(where.sum())
        if not count:
            return
        text = finding.format(count=count)
        self.findings.append(Finding(f"{file}, column '{column}'", text, remedy))
        wrong = np.flatnonzero(where)
        numbers = wrong if positions is None else positions[wrong]
        self.list_faults(numbers, file, column, finding.replace("{count} ", ""))

    def note_faults(
        self,
        faults: npt.NDArray[np.object_],
        file: str,
        column: str,
        variable: str,
        positions: npt.NDArray[np.intp] | None = None,
    ) -> None:
        """Note the faults of a column's values."""
        of = "" if column == variable else f" ({variable})"
        found = count_faults(
            faults,
            place=f"{file}, column '{column}'{of}",
            remedy=f"Mend them, or the entry of '{variable}' in the dictionary.",
        )
        self.findings.extend(found)
        if found:
            wrong = np.flatnonzero(pd.notna(faults))
            numbers = wrong if positions is None else positions[wrong]
            self.list_faults(numbers, file, column, faults[wrong])

    def note_reading(
        self,
        text: pd.Series,
        reading: Reading,
        file: str,
        column: str,
        remedy: str,
        positions: npt.NDArray[np.intp] | None = None,
    ) -> None:
        """Note values whose labels contradict what they stand for, or say nothing known."""
        for values, finding in describe_reading(reading):
            self.note_rows(
                text.isin(values).to_numpy(),
                file,
                column,
                f"{{count}} of {len(text)} values: {finding}",
                remedy,
                positions,
            )

    def list_faults(
        self,
        positions: npt.NDArray[np.intp],
        file: str,
        column: str | None,
        finding: str | npt.NDArray[np.object_],
    ) -> None:
        """List rows at fault, for a file beside the data."""
        few = slice(_MOST_ROWS_LISTED)
        found = finding if isinstance(finding, str) else finding[few]
        numbers = positions[few] + 1
        listed = {"file": file, "row": numbers, "column": column, "finding": found}
        if len(numbers):
            self.rows.append(pd.DataFrame(listed))

    def list_rows(self) -> pd.DataFrame:
        """List the rows at fault.

        Returns
        -------
        DataFrame
            ``file``, ``row`` (the first below the header is 1), ``column`` and ``finding``.
        """
        empty = pd.DataFrame(columns=["file", "row", "column", "finding"])
        return pd.concat(self.rows, ignore_index=True) if self.rows else empty


@dataclass(frozen=True)
class ColumnNote:
    """What is wrong with some cells of a column before they are parsed.

    Parameters
    ----------
    where : array of bool, shape (n_rows,)
        Which cells.
    finding : str
        In words that hold no value.
    remedy : str
        What to do.
    is_of_labels : bool
        Whether the file's own labels say something else than the values: then no cell of the
        column can be trusted.
    """

    where: npt.NDArray[np.bool_]
    finding: str
    remedy: str
    is_of_labels: bool = False


@dataclass(frozen=True)
class ReadColumn:
    """A column in the dictionary's codes and unit, still to be parsed.

    Parameters
    ----------
    values : Series, shape (n_rows,)
        What could not be put stays as it was, or is blank.
    notes : tuple of ColumnNote
        What is wrong.
    """

    values: pd.Series
    notes: tuple[ColumnNote, ...] = ()


def read_column(
    raw: pd.Series,
    given: VariableColumn,
    variable: Variable,
    labels: Mapping[str, str],
    *,
    place: str = "",
) -> ReadColumn:
    """Put a column into the dictionary's codes and unit, for training and for scoring alike.

    Returns
    -------
    ReadColumn
        What `codes` does not list is read by the file's own labels, if it has such.
    """
    if given.codes and (variable.type == "category" or not given.names_missing):
        return _convert_codes(raw, given, variable)
    read = _apply_labels(raw, given, variable, labels)
    values = read.values
    if given.codes:
        # Only the codes for missing are listed; every other value stands for itself.
        text = to_text(values).astype(object)
        missing = [code for code, meant in given.codes.items() if not meant]
        values = text.where(match_codes(text, missing).isna(), "")
    if given.unit is not None:
        values = _convert(values, given.unit, variable, place)
    return ReadColumn(values, read.notes)


def read_identifiers(
    state: MappingState[TrialSource], file: str, column: str, *keys: str | int
) -> pd.Series:
    """Read identifiers, and refuse codes that stand for them."""
    raw = state.take(file, column, *keys).astype("category")
    text, labels = read_labelled(raw, state.raw[file].value_labels.get(column, {}))
    coded = find_coded_names(text, labels)
    state.note_rows(
        text.isin(coded).to_numpy(),
        file,
        column,
        "{count} identifiers are codes that the file's labels stand for, and another file may "
        "number them otherwise",
        "Write the identifiers themselves into the column, or take the labels off.",
    )
    return write_ids(raw)


def read_trial_names(
    state: MappingState[TrialSource], file: str, column: str, *keys: str | int
) -> pd.Series:
    """Read the names of trials, by the file's labels if it has such."""
    raw = state.take(file, column, *keys).astype("category")
    text, labels = read_labelled(raw, state.raw[file].value_labels.get(column, {}))
    return write_ids(text.replace(labels).astype("category") if labels else raw)


def read_source_column(
    state: MappingState[TrialSource],
    file: str,
    given: VariableColumn,
    variable: Variable,
    keys: Keys,
    positions: npt.NDArray[np.intp] | None = None,
) -> pd.Series:
    """Put a column of a source into the dictionary's codes and unit, and note what is wrong."""
    raw = state.take(file, given.column, *keys)
    if positions is not None:
        raw = raw.iloc[positions].reset_index(drop=True)
    _check_targets(state, given, variable, keys)
    labels = state.raw[file].value_labels.get(given.column, {})
    read = read_column(raw, given, variable, labels, place=state.name_place(*keys))
    for note in read.notes:
        finding = f"{{count}} of {len(raw)} values: {note.finding}"
        state.note_rows(note.where, file, given.column, finding, note.remedy, positions)
    return read.values


def _check_targets(
    state: MappingState[TrialSource], given: VariableColumn, variable: Variable, keys: Keys
) -> None:
    """Refuse codes that stand for what the dictionary lacks."""
    known = list(variable.codes)
    if not known or (variable.type != "category" and given.names_missing):
        return
    for code, target in given.codes.items():
        if target and target not in known:
            raise DefinitionError(
                f"'{target}' is no code of '{variable.label}'",
                place=state.name_place(*keys, "codes", code),
                remedy=describe_choices(target, known),
            )


def _convert(raw: pd.Series, unit: str, variable: Variable, place: str) -> pd.Series:
    if variable.type != "number":
        raise DefinitionError(
            f"'{variable.label}' is no number, so it has no unit", place=place, remedy="Leave it."
        )
    factor, offset = find_conversion(unit, variable, place=place)
    numbers = to_numbers(raw)
    converted = convert_values(numbers, factor, offset)
    if pd.api.types.is_numeric_dtype(raw.dtype) and not pd.api.types.is_bool_dtype(raw.dtype):
        return converted
    # What is no number is left for the check that says so.
    return converted.astype(object).where(numbers.notna(), raw.astype(object))


def _convert_codes(raw: pd.Series, given: VariableColumn, variable: Variable) -> ReadColumn:
    text = to_text(raw).astype(object)
    mapped = match_codes(text, given.codes).map(given.codes)
    # A code of the dictionary's that the source does not list may mean something else in it.
    unlisted = ColumnNote(
        mapped.isna().to_numpy() & ~is_missing(text, variable.codes),
        f"each is none of the codes {', '.join(given.codes)}",
        "List it among `codes:` of the source, or correct it.",
    )
    return ReadColumn(mapped.where(mapped.notna(), ""), (unlisted,))


def _apply_labels(
    raw: pd.Series, given: VariableColumn, variable: Variable, labels: Mapping[str, str]
) -> ReadColumn:
    labels = {value: label for value, label in labels.items() if value not in given.codes}
    if not labels:
        return ReadColumn(raw)
    text, there = read_labelled(raw, labels)
    if not there:
        return ReadColumn(raw)
    reading = read_labels(there, variable)
    remedy = (
        "Say with `codes:` of the source what each labelled value stands for: a code, itself, or "
        '"" where it means missing.'
    )
    notes = tuple(
        ColumnNote(text.isin(values).to_numpy(), finding, remedy, is_of_labels=True)
        for values, finding in describe_reading(reading)
    )
    return ReadColumn(text.replace(dict(reading.taken)) if reading.taken else raw, notes)
