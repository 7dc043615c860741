"""Writes batches of rows to one CSV or Parquet file."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType
from typing import Literal

import pandas as pd
import pyarrow
import pyarrow.compute as pc
import pyarrow.parquet

from glabella.atomic import open_new
from glabella.data.reading.columnar import WHOLE_NUMBERS

WRITABLE = (".csv", ".parquet")


class TableWriter:
    """A file that rows are added to in batches.

    Parameters
    ----------
    path : Path
        The file, whose ending determines the format.
    """

    def __init__(self, path: Path):
        self._path = path
        self._schema: pyarrow.Schema | None = None
        self._parquet: pyarrow.parquet.ParquetWriter | None = None

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._parquet is not None:
            self._parquet.close()

    def add(self, table: pyarrow.Table) -> None:
        """Add rows with the columns of the first ones, converted to their types."""
        is_first = self._schema is None
        if self._schema is None:
            self._schema = table.schema
            # The file must be new; it is then written by its name.
            open_new(self._path).close()
        table = table.cast(self._schema)
        if self._path.suffix.lower() == ".csv":
            _to_frame(table).to_csv(
                self._path,
                mode="a",
                header=is_first,
                index=False,
                lineterminator="\n",
                quoting=_choose_quoting(table),
            )
            return
        if self._parquet is None:
            # Readers get plain text, not the dictionaries that are used here.
            self._parquet = pyarrow.parquet.ParquetWriter(
                self._path, self._schema, store_schema=False
            )
        self._parquet.write_table(table)


def _choose_quoting(table: pyarrow.Table) -> Literal[0, 2]:
    """Choose to quote all text if a cell has a carriage return, which is not quoted by default."""
    for column in table.columns:
        is_text = pyarrow.types.is_large_string(column.type) or pyarrow.types.is_string(column.type)
        if is_text and pc.any(pc.match_substring(column, "\r")).as_py():
            return csv.QUOTE_NONNUMERIC
    return csv.QUOTE_MINIMAL


def _to_frame(table: pyarrow.Table) -> pd.DataFrame:
    # Whole numbers stay whole even if one is missing.
    frame: pd.DataFrame = table.to_pandas(types_mapper=WHOLE_NUMBERS.get)
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].astype(object)
    return frame


def read_written(path: Path) -> pd.DataFrame:
    """Read a file that `TableWriter` wrote."""
    if path.suffix.lower() == ".parquet":
        return pd.read_parquet(path)
    with path.open(encoding="utf-8", newline="") as lines:
        header = next(csv.reader(lines))
    # Identifiers come first; they are read as text, whatever they look like.
    ids = header[: header.index("response_probability")]
    blank = {name: [""] for name in header if name not in ids}
    return pd.DataFrame(
        pd.read_csv(path, dtype=dict.fromkeys(ids, str), keep_default_na=False, na_values=blank)
    )
