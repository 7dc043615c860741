"""Parquet: columns with types, of which only those asked for are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.compute as pc
import pyarrow.parquet

from glabella.data.precision import convert_to_decimals
from glabella.data.reading.bounds import check_expansion, check_repetition
from glabella.data.reading.header import check_names
from glabella.data.reading.raw import RawTable
from glabella.errors import DataError

# Of pandas, for whole numbers of which one may be missing.
WHOLE_NUMBERS = {
    getattr(pyarrow, name)(): getattr(pd, f"{kind}Dtype")()
    for name, kind in (
        ("int8", "Int8"), ("int16", "Int16"), ("int32", "Int32"), ("int64", "Int64"),
        ("uint8", "UInt8"), ("uint16", "UInt16"), ("uint32", "UInt32"), ("uint64", "UInt64"),
    )
}  # fmt: skip
_TEXT = (pyarrow.string(), pyarrow.large_string())


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> RawTable:
    """Read a Parquet file as a raw table.

    Returns
    -------
    RawTable
        Columns keep their types. Labels are those under `label` in the columns' own metadata.
    """
    with check_damage(path):
        schema = pyarrow.parquet.read_schema(path)
        check_names(schema.names, path)
        asked = set(schema.names if columns is None else columns)
        wanted = [name for name in schema.names if name in asked]
        with open_parquet(path) as file:
            table = file.read(columns=wanted)
        # Damage in a part that reading did not need would come to light in some later step.
        table.validate(full=True)
        table = convert_to_words(table, schema, path)
        n_rows = table.num_rows
    if not wanted:
        return RawTable(pd.DataFrame(index=range(n_rows)))
    return RawTable(to_frame(table, path), labels=_read_labels_of(schema, wanted))


def open_parquet(path: Path, **how: Any) -> pyarrow.parquet.ParquetFile:
    """Open a file whose text is read as positions in a list of words, for `convert_to_words`."""
    with pyarrow.parquet.ParquetFile(path) as file:
        schema, described = file.schema_arrow, file.metadata
        groups = [described.row_group(at) for at in range(described.num_row_groups)]
        check_repetition(described.num_rows, described.num_columns, path)
        check_expansion(sum(group.total_byte_size for group in groups), path)
    text = [field.name for field in schema if field.type in _TEXT]
    return pyarrow.parquet.ParquetFile(path, read_dictionary=text, **how)


def convert_to_words(table: pyarrow.Table, schema: pyarrow.Schema, path: Path) -> pyarrow.Table:
    """Give a table its own types: text that was read as positions in a list of words is text."""
    for at, name in enumerate(table.column_names):
        wanted = schema.field(name).type
        if wanted not in _TEXT or table.schema.field(at).type == wanted:
            continue
        size = sum(
            pc.sum(pc.take(pc.binary_length(part.dictionary), part.indices)).as_py() or 0
            for part in table[at].chunks
        )
        check_expansion(size, path)
        table = table.set_column(at, schema.field(name), table[at].cast(wanted))
    return table


@contextmanager
def check_damage(path: Path) -> Iterator[None]:
    """Refuse a file that turns out not to be whole."""
    try:
        yield
    # A damaged name of a column is no Unicode.
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError):
        raise DataError(
            "this is not a whole Parquet file", place=path.name, remedy="Write it again."
        ) from None


def to_frame(table: pyarrow.Table, path: Path) -> pd.DataFrame:
    """Give a table of Parquet as one of pandas.

    Returns
    -------
    DataFrame
        Columns keep their types, but numbers of single precision are the doubles that they were
        written as.
    """
    try:
        # What pandas noted about an index is not followed: an index is a column like any other.
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    except (pyarrow.ArrowException, ValueError, OverflowError):
        raise DataError(
            "this Parquet file holds a date that no calendar has",
            place=path.name,
            remedy="Write it again.",
        ) from None
    wide = {name: convert_to_decimals(frame[name]) for name in frame.columns}
    changed = {name: column for name, column in wide.items() if column is not frame[name]}
    return frame.assign(**changed) if changed else frame


def _read_labels_of(schema: pyarrow.Schema, names: Sequence[str]) -> dict[str, str]:
    found = {name: (schema.field(name).metadata or {}).get(b"label", b"") for name in names}
    return {name: label.decode("utf-8", "replace") for name, label in found.items() if label}
