"""Writes batches of rows into one CSV or Parquet file."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import pandas as pd
import pyarrow
import pyarrow.parquet

WRITABLE = (".csv", ".parquet")


class TableWriter:
    """A file that grows by batches.

    Parameters
    ----------
    path : Path
        The file; its ending says which format.
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
        """Add rows.

        Parameters
        ----------
        table : Table
            With the columns of the first one, of types that can be brought to its.
        """
        is_first = self._schema is None
        if self._schema is None:
            self._schema = table.schema
        table = table.cast(self._schema)
        if self._path.suffix.lower() == ".csv":
            _to_frame(table).to_csv(
                self._path, mode="a", header=is_first, index=False, lineterminator="\n"
            )
            return
        if self._parquet is None:
            # Readers get plain text, not the dictionaries that it is made of here.
            self._parquet = pyarrow.parquet.ParquetWriter(
                self._path, self._schema, store_schema=False
            )
        self._parquet.write_table(table)


def _to_frame(table: pyarrow.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].astype(object)
    return frame


def read_written(path: Path) -> pd.DataFrame:
    """Read a file back.

    Parameters
    ----------
    path : Path
        From `TableWriter`.

    Returns
    -------
    DataFrame
        Its rows.
    """
    if path.suffix.lower() == ".parquet":
        return pd.read_parquet(path)
    return pd.DataFrame(pd.read_csv(path))
