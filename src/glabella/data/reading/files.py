"""Reads one file as a raw table, by its ending."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow

from glabella.atomic import find_identity
from glabella.data.cells import to_text
from glabella.data.reading.columnar import read_parquet
from glabella.data.reading.decimals import check_grouped_points
from glabella.data.reading.delimited import read_delimited
from glabella.data.reading.header import check_header_differs
from glabella.data.reading.raw import RawTable, ReadOptions
from glabella.data.reading.statistical.tables import FORMATS, read_statistical
from glabella.data.reading.workbook import read_workbook
from glabella.errors import DataError

_TEXT = (".csv", ".tsv", ".txt")
_WORKBOOKS = (".xlsx", ".xlsm")
_STRING = pyarrow.large_string()

# Reads a file: its options, and the columns that are wanted if the format can read some alone.
Reader = Callable[[Path, ReadOptions, Sequence[str] | None], RawTable]
READERS: dict[str, Reader] = {
    **dict.fromkeys(_TEXT, lambda path, options, columns: read_delimited(path, options)),
    ".parquet": lambda path, options, columns: read_parquet(path, columns),
    **dict.fromkeys(_WORKBOOKS, lambda path, options, columns: read_workbook(path, options)),
    **dict.fromkeys(FORMATS, read_statistical),
}


def read_table(
    path: Path,
    options: ReadOptions | None = None,
    *,
    columns: Sequence[str] | None = None,
    may_be_empty: bool = False,
) -> RawTable:
    """Read a table without interpreting it.

    Returns
    -------
    RawTable
        Text cells as text, blank where empty: a site `007` and a country `NO` stay what they are.
        Where the format has types, columns keep them.
    """
    check_is_there(path)
    before = find_identity(path)
    table = READERS[path.suffix.lower()](path, options or ReadOptions(), columns)
    if find_identity(path) != before:
        # Some formats are read twice: for what the columns are, and for their cells.
        raise DataError(
            "the file was replaced or changed while it was read",
            place=path.name,
            remedy="Run the same again when no other program writes it.",
        )
    if not may_be_empty:
        check_has_rows(len(table.frame), path)
    if path.suffix.lower() in (*_TEXT, *_WORKBOOKS):
        check_header_differs(table.frame, path)
    if path.suffix.lower() not in _TEXT and (options is None or options.decimal != "."):
        check_grouped_points(_read_text_columns(table.frame), path)
    return table if columns is None else _keep(table, set(columns))


def _read_text_columns(frame: pd.DataFrame) -> pyarrow.Table:
    """Take the columns in which numbers may be text; a format with types has both."""
    names = [
        name
        for name in frame.columns
        if frame[name].dtype == object or pd.api.types.is_string_dtype(frame[name].dtype)
    ]
    return pyarrow.table({name: pyarrow.array(to_text(frame[name]), _STRING) for name in names})


def _keep(table: RawTable, wanted: set[str]) -> RawTable:
    return RawTable(
        table.frame[[name for name in table.frame.columns if name in wanted]],
        labels={name: label for name, label in table.labels.items() if name in wanted},
        value_labels={name: of for name, of in table.value_labels.items() if name in wanted},
    )


def check_has_rows(count: int, path: Path) -> None:
    """Refuse a table without rows."""
    if not count:
        raise DataError(
            "the table has a header and no rows", place=path.name, remedy="Give it at least one."
        )


def check_is_there(path: Path) -> None:
    """Refuse a path that is no file of a kind that can be read."""
    if path.suffix.lower() not in READERS:
        raise DataError(
            f"a '{path.suffix}' file can't be read", place=path.name, remedy=_list_readable()
        )
    if not path.is_file():
        if os.path.lexists(path):
            kind = "a folder" if path.is_dir() else "no ordinary file, or a link to none"
            raise DataError(
                f"it is {kind}", place=str(path), remedy="Name the file of the table itself."
            )
        nearby = sorted(p.name for p in path.parent.glob("*") if p.suffix.lower() in READERS)
        listed = ", ".join(nearby[:10]) or "no table"
        raise DataError(
            "there is no such file",
            place=str(path),
            remedy=f"Check its name and folder; {path.parent} has {listed}.",
        )
    try:
        path.open("rb").close()
    except OSError as error:
        raise DataError(f"the file can't be read: {error.strerror}", place=str(path)) from None


def _list_readable() -> str:
    *others, last = READERS
    return f"Glabella reads {', '.join(others)} and {last} files."
