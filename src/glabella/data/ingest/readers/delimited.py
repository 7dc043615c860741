"""Text with a delimiter: every cell as it stands, and rows of another width refused."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pyarrow

from glabella.data.ingest.raw import RawTable, ReadOptions
from glabella.data.ingest.readers.decimals import find_decimal_commas, write_points
from glabella.data.ingest.readers.encoding import describe_undecodable, find_encoding
from glabella.data.ingest.readers.header import check_first_row, check_names, describe_empty
from glabella.errors import DataError

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# Rows are turned into columns a part at a time: as Python lists they take ten times the memory.
_CELLS_AT_A_TIME = 500_000


@dataclass(frozen=True)
class DelimitedLayout:
    """How a text file is to be read.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str
        Of its text.
    delimiter : str
        Of its cells.
    """

    path: Path
    encoding: str
    delimiter: str


def read_delimited(path: Path, options: ReadOptions) -> RawTable:
    """Read a text file as a raw table.

    Parameters
    ----------
    path : Path
        ``.tsv`` has tabs; in others the delimiter is found in the header. It exists.
    options : ReadOptions
        What the file does not say of itself.

    Returns
    -------
    RawTable
        Each cell as it stands, save that a decimal comma becomes a point.

    Raises
    ------
    DataError
        If the file is not text of its encoding, no table, or leaves delimiter or decimal sign open.
    """
    layout = find_layout(path, options)
    table = pyarrow.concat_tables(read_parts(layout)).combine_chunks()
    commas = find_decimal_commas(table, options.decimal, path, delimiter=layout.delimiter)
    return RawTable((write_points(table, commas) if commas else table).to_pandas())


def find_layout(path: Path, options: ReadOptions) -> DelimitedLayout:
    """Find a text file's encoding and delimiter.

    Parameters
    ----------
    path : Path
        An existing file.
    options : ReadOptions
        What the file does not say of itself.

    Returns
    -------
    DelimitedLayout
        For `read_parts`.

    Raises
    ------
    DataError
        If it is not text of its encoding, or leaves the delimiter open.
    """
    encoding = find_encoding(path, options.encoding)
    delimiter: str = options.delimiter or ("\t" if path.suffix.lower() == ".tsv" else "")
    layout = DelimitedLayout(path, encoding, delimiter)
    with _refuse_no_table(layout):
        return replace(layout, delimiter=delimiter or _find_delimiter(path, encoding))


def read_parts(layout: DelimitedLayout) -> Iterator[pyarrow.Table]:
    """Read a text file part by part, decimal signs as they stand.

    Parameters
    ----------
    layout : DelimitedLayout
        From `find_layout`.

    Yields
    ------
    Table
        Of text; one without rows where there are none.

    Raises
    ------
    DataError
        If the file is no table: at the end, where rows are of another width.
    """
    with _refuse_no_table(layout):
        yield from _read_columns(layout)


@contextmanager
def _refuse_no_table(layout: DelimitedLayout) -> Iterator[None]:
    try:
        yield
    except UnicodeError:
        raise describe_undecodable(layout.path, layout.encoding) from None
    except csv.Error:
        # The reader's own message may quote a row.
        raise DataError(
            f"this is not a table of {_DELIMITERS.get(layout.delimiter, 'cells')}: its rows differ "
            "in their number of cells, or a quoted cell does not end",
            place=layout.path.name,
            remedy="Write the table again.",
        ) from None


def _read_rows(path: Path, encoding: str, delimiter: str) -> Iterator[list[str]]:
    """Give the rows that are not blank; line ends of every kind are kept for the reader to see."""
    with path.open(encoding=encoding, newline="") as lines:
        reader = csv.reader(_refuse_nul(lines, path), delimiter=delimiter, strict=True)
        yield from (row for row in reader if row)


def _refuse_nul(lines: Iterable[str], path: Path) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise DataError(
                "the file holds NUL bytes, so it is no plain text",
                place=path.name,
                remedy="Write it again; if it is UTF-16 without a mark, state "
                "`encoding: utf-16-le`.",
            )
        yield line


def _find_delimiter(path: Path, encoding: str) -> str:
    """Find the delimiter in the header; where it shows several, all rows must agree on one."""
    found = []
    for delimiter in _DELIMITERS:
        # A quote can end only where the right delimiter follows, so the wrong ones may fail.
        try:
            header = next(_read_rows(path, encoding, delimiter), [])
        except csv.Error:
            continue
        if len(header) > 1:
            found.append(delimiter)
    if len(found) > 1:
        found = [one for one in found if _is_even(path, encoding, one)]
        if len(found) != 1:
            raise DataError(
                "the header holds several delimiters, and "
                + ("more than one gives" if found else "none gives")
                + " rows of equal width",
                place=path.name,
                remedy="State it, such as `delimiter: ','`, and quote cells that hold it.",
            )
    return found[0] if found else ","


def _is_even(path: Path, encoding: str, delimiter: str) -> bool:
    rows = _read_rows(path, encoding, delimiter)
    try:
        width = len(next(rows, []))
        return all(len(row) == width for row in rows)
    except csv.Error:
        return False


def _read_columns(layout: DelimitedLayout) -> Iterator[pyarrow.Table]:
    path, delimiter = layout.path, layout.delimiter
    rows = _read_rows(path, layout.encoding, delimiter)
    header = next(rows, None)
    if header is None:
        raise describe_empty(path)
    # What check_names names must not be a participant's value.
    check_first_row(header, path)
    check_names(header, path)
    total = uneven = 0
    yield _make_table(header, [[] for _ in header])
    while batch := list(islice(rows, max(1, _CELLS_AT_A_TIME // len(header)))):
        total += len(batch)
        uneven += sum(len(row) != len(header) for row in batch)
        if not uneven:
            # pyarrow takes a list twice as quickly as a tuple.
            yield _make_table(header, map(list, zip(*batch, strict=True)))
    if uneven:
        raise DataError(
            f"this is not a table of {_DELIMITERS[delimiter]}: its rows differ in their number of "
            f"cells, {uneven} of {total} from the header",
            place=path.name,
            remedy=f"Quote cells that hold a {_DELIMITERS[delimiter].removesuffix('s')}; a file "
            "that was cut off must be copied again.",
        )


def _make_table(header: Sequence[str], columns: Iterable[list[str]]) -> pyarrow.Table:
    arrays = [pyarrow.array(cells, pyarrow.large_string()) for cells in columns]
    return pyarrow.table(arrays, names=list(header))
