"""Reads one file as a raw table, by its ending."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet

from glabella.data.ingest.raw import RawTable, ReadOptions
from glabella.errors import DataError

READABLE = (".csv", ".parquet")


def read_table(path: Path, options: ReadOptions | None = None) -> RawTable:
    """Read a table without interpreting it.

    Parameters
    ----------
    path : Path
        A ``.csv`` file (UTF-8, comma) or a ``.parquet`` file.

    options : ReadOptions, optional
        What the file does not say of itself.

    Returns
    -------
    RawTable
        CSV cells as text, blank where empty: a site `007` and a country `NO` stay what they are.
        Parquet columns keep their types.

    Raises
    ------
    DataError
        If the file is missing, unreadable, of another kind, empty, or repeats a column.
    """
    if path.suffix.lower() not in READABLE:
        raise DataError(
            f"a '{path.suffix}' file can't be read", place=path.name, remedy=_list_readable()
        )
    if not path.is_file():
        nearby = sorted(p.name for p in path.parent.glob("*") if p.suffix.lower() in READABLE)
        listed = ", ".join(nearby[:10]) or "no table"
        raise DataError(
            "there is no such file",
            place=str(path),
            remedy=f"Name the folder that holds it with `--data DIR`; {path.parent} has {listed}.",
        )
    frame = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    if frame.empty:
        raise DataError(
            "the table has a header and no rows", place=path.name, remedy="Give it at least one."
        )
    return RawTable(frame)


def _list_readable() -> str:
    return f"Glabella reads {' and '.join(READABLE)} files."


def _read_csv(path: Path) -> pd.DataFrame:
    """Read every cell as it stands; a row of another width is refused, not filled up or cut."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            header = next((row for row in reader if row), [])
            rows = [row for row in reader if row]
    except UnicodeDecodeError:
        raise DataError(
            "the file is not UTF-8 text", place=path.name, remedy="Save it as UTF-8."
        ) from None
    except csv.Error:
        # The reader's own message may quote a row.
        raise DataError(
            "this is not a table of commas: its rows differ in their number of cells, or a quoted "
            "cell does not end",
            place=path.name,
            remedy="Write the table again.",
        ) from None
    except OSError as error:
        raise DataError(f"the file can't be read: {error.strerror}", place=str(path)) from None
    if not header:
        raise DataError(
            "the file is empty", place=path.name, remedy="Write a header and rows into it."
        )
    _check_header(header, path)
    uneven = sum(len(row) != len(header) for row in rows)
    if uneven:
        raise DataError(
            "this is not a table of commas: its rows differ in their number of cells, "
            f"{uneven} of {len(rows)} from the header",
            place=path.name,
            remedy="Quote cells that hold a comma; a file that was cut off must be copied again.",
        )
    return pd.DataFrame(rows, columns=header, dtype=str)


def _check_header(header: list[str], path: Path) -> None:
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(
            f"the column '{repeated[0]}' stands twice",
            place=path.name,
            remedy="Keep one, or rename the other.",
        )
    if any(_is_number(name) for name in header):
        # Later messages list the columns; a first row of data must not pass for their names.
        raise DataError(
            "the first row holds a number, so it is no header",
            place=path.name,
            remedy="Write the names of the columns into the first row.",
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower() not in ("nan", "inf", "infinity")


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        names = pyarrow.parquet.read_schema(path).names
        _check_header(names, path)
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError):
        raise DataError(
            "this is not a whole Parquet file", place=path.name, remedy="Write it again."
        ) from None
    # What pandas noted about an index is not followed: an index is a column like any other.
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return frame
