"""Columns of ADaM datasets as text and numbers, and how findings in them are noted."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.adam.source import AdamSource
from glabella.data.cells import is_missing, to_numbers, to_text
from glabella.data.checks import Finding
from glabella.data.identifiers import write_ids
from glabella.data.mapping.interpret import MappingState
from glabella.data.reading.raw import RawTable
from glabella.errors import DataError

State = MappingState[AdamSource]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Texts = npt.NDArray[np.object_]


def name_in_capitals(table: RawTable, *, file: str) -> pd.DataFrame:
    """Give columns the standard's capitals, whatever the export made of them."""
    names = [str(name).strip().upper() for name in table.frame.columns]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise DataError(
            f"two columns differ from '{doubled[0]}' in case alone",
            place=file,
            remedy="Keep one: names in SAS know no case.",
        )
    return table.frame.set_axis(names, axis=1).reset_index(drop=True)


def read_text(raw: pd.Series) -> Texts:
    """Read cells as text, each different value once: a dataset repeats few of them for ever.

    Returns
    -------
    array of str, shape (n_rows,)
        Without blanks around; empty where missing.
    """
    codes, levels = pd.factorize(raw)
    written = to_text(pd.Series(levels)).to_numpy(dtype=object)
    return np.asarray(np.append(written, "")[codes], dtype=object)


def read_identifiers(raw: pd.Series) -> Texts:
    """Read identifiers in the form in which they are compared, each different value once.

    Returns
    -------
    array of str, shape (n_rows,)
        As `write_ids` gives them.
    """
    codes, levels = pd.factorize(raw)
    written = write_ids(pd.Series(levels)).to_numpy(dtype=object)
    return np.asarray(np.append(written, "")[codes], dtype=object)


def read_numbers(raw: pd.Series) -> tuple[Floats, Bools]:
    """Read cells as numbers.

    Returns
    -------
    tuple of array
        The numbers, NaN where missing or none; and which cells hold something that is no number.
    """
    numbers = to_numbers(raw).to_numpy()
    wrong = ~np.isfinite(numbers) & ~is_missing(pd.Series(read_text(raw), dtype=object))
    return np.where(wrong, np.nan, numbers), wrong


def add_finding(
    state: State,
    place: str,
    finding: str,
    remedy: str,
    severity: Literal["warn", "note"] = "note",
) -> None:
    """Add what does not stop."""
    state.findings.append(Finding(place, finding, remedy, severity))


def note_refused_rows(
    state: State, file: str, column: str, rows: Positions, finding: str, remedy: str
) -> None:
    """Note rows that stop the reading once everything has been looked at."""
    where = np.zeros(len(state.raw[file].frame), dtype=bool)
    where[rows] = True
    state.note_rows(where, file, column, finding, remedy)
