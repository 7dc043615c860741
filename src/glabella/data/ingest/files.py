"""Reads one file as a raw table, by its ending."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet

from glabella.errors import DataError

READABLE = (".csv", ".parquet")


def read_table(path: Path) -> pd.DataFrame:
    """Read a table without interpreting it.

    Parameters
    ----------
    path : Path
        A ``.csv`` file (UTF-8, comma) or a ``.parquet`` file.

    Returns
    -------
    DataFrame
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
    return frame


def _list_readable() -> str:
    return f"Glabella reads {' and '.join(READABLE)} files."


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        head = pd.read_csv(path, header=None, nrows=1, dtype=str, encoding="utf-8-sig")
        names = [str(name) for name in head.iloc[0]]
        frame = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False
        )
    except pd.errors.EmptyDataError:
        raise DataError(
            "the file is empty", place=path.name, remedy="Write a header and rows into it."
        ) from None
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        # The parser's own message may quote a row.
        raise DataError(
            "this is not a table of commas: its rows differ in their number of cells",
            place=path.name,
            remedy="Quote cells that hold a comma.",
        ) from None
    except UnicodeDecodeError:
        raise DataError(
            "the file is not UTF-8 text", place=path.name, remedy="Save it as UTF-8."
        ) from None
    except OSError as error:
        raise DataError(f"the file can't be read: {error.strerror}", place=str(path)) from None
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(
            f"the column '{repeated[0]}' stands twice",
            place=path.name,
            remedy="Keep one, or rename the other.",
        )
    return frame


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = pyarrow.parquet.read_table(path).to_pandas()
    except (pyarrow.ArrowException, OSError):
        raise DataError(
            "this is not a whole Parquet file", place=path.name, remedy="Write it again."
        ) from None
    return frame
