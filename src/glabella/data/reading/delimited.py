"""Text with a delimiter: every cell as it stands, and rows of another width refused."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pyarrow

from glabella.data.reading.bounds import LONGEST_LINE
from glabella.data.reading.decimals import find_decimal_commas, write_points
from glabella.data.reading.encoding import describe_undecodable, find_encoding
from glabella.data.reading.header import (
    NamedPart,
    check_first_row,
    check_names,
    describe_empty,
)
from glabella.data.reading.raw import RawTable, ReadOptions
from glabella.errors import DataError

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# Rows are turned into columns a part at a time: as Python lists they take ten times the memory.
_CELLS_AT_A_TIME = 500_000
# Written for Excel, which may fill the line up to the width of the table.
_DIRECTIVE = re.compile(r'"?sep=(.)\1*"?\s*', re.IGNORECASE | re.DOTALL)


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
    has_directive : bool
        Whether its first line only names the delimiter for Excel, as ``sep=;``.
    """

    path: Path
    encoding: str
    delimiter: str
    has_directive: bool = False


def read_delimited(path: Path, options: ReadOptions) -> RawTable:
    """Read a text file as a raw table."""
    layout = find_layout(path, options)
    table = pyarrow.concat_tables(read_parts(layout)).combine_chunks()
    commas = find_decimal_commas(table, options.decimal, path, delimiter=layout.delimiter)
    return RawTable((write_points(table, commas) if commas else table).to_pandas())


def find_layout(path: Path, options: ReadOptions) -> DelimitedLayout:
    """Find a text file's encoding and delimiter."""
    encoding = find_encoding(path, options.encoding)
    delimiter: str = options.delimiter or ("\t" if path.suffix.lower() == ".tsv" else "")
    layout = DelimitedLayout(path, encoding, delimiter)
    with _check_has_table(layout):
        directed = _read_directive(path, encoding)
        layout = replace(layout, has_directive=directed is not None)
        delimiter = options.delimiter or directed or delimiter
        return replace(layout, delimiter=delimiter or _find_delimiter(layout))


def _read_directive(path: Path, encoding: str) -> str | None:
    with path.open(encoding=encoding, newline="") as lines:
        found = _DIRECTIVE.fullmatch(lines.readline(1024))
    if found is None:
        return None
    if found[1] not in _DELIMITERS:
        raise DataError(
            "the first line, `sep=`, names a delimiter that is none of "
            f"{', '.join(_DELIMITERS.values())}",
            place=path.name,
            remedy="Write the table again with one of these, and without that line.",
        )
    return found[1]


def read_parts(layout: DelimitedLayout, *, keeps_blank: bool = False) -> Iterator[pyarrow.Table]:
    """Read a text file part by part, decimal signs as they stand."""
    with _check_has_table(layout):
        yield from _read_columns(layout, keeps_blank)


@contextmanager
def _check_has_table(layout: DelimitedLayout) -> Iterator[None]:
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


def _read_rows(
    layout: DelimitedLayout, *, delimiter: str = "", keeps_blank: bool = False
) -> Iterator[list[str]]:
    """Give the rows that are not blank; line ends of every kind are kept for the reader to see."""
    path, waiting, width = layout.path, 0, 0
    with path.open(encoding=layout.encoding, newline="") as lines:
        if layout.has_directive:
            next(lines)
        plain = _check_nul(lines, path)
        for row in csv.reader(plain, delimiter=delimiter or layout.delimiter, strict=True):
            # A line without any cell is no row; a table of one column has no bare delimiters.
            if not row:
                continue
            if len(row) > 1 and not any(map(str.strip, row)):
                waiting += 1
                continue
            if width and keeps_blank:
                yield from ([""] * width for _ in range(waiting))
            waiting, width = 0, width or len(row)
            yield row


def _check_nul(lines: Iterable[str], path: Path) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise DataError(
                "the file holds NUL bytes, so it is no plain text",
                place=path.name,
                remedy="Write it again; if it is UTF-16 without a mark, state "
                "`encoding: utf-16-le`.",
            )
        if len(line) > LONGEST_LINE:
            raise DataError(
                f"a line has more than {LONGEST_LINE:,} characters: its line ends are missing, or "
                "it is no table",
                place=path.name,
                remedy="Write the table again, with a line for each row.",
            )
        yield line


def _find_delimiter(layout: DelimitedLayout) -> str:
    """Find the delimiter in the header; where it shows several, all rows must agree on one."""
    found = []
    for delimiter in _DELIMITERS:
        # A quote can end only where the right delimiter follows, so the wrong ones may fail.
        try:
            header = next(_read_rows(layout, delimiter=delimiter), [])
        except csv.Error:
            continue
        if len(header) > 1:
            found.append(delimiter)
    if len(found) > 1:
        found = [one for one in found if _is_even(layout, one)]
        if len(found) != 1:
            raise DataError(
                "the header holds several delimiters, and "
                + ("more than one gives" if found else "none gives")
                + " rows of equal width",
                place=layout.path.name,
                remedy="State it, such as `delimiter: ','`, and quote cells that hold it.",
            )
    return found[0] if found else ","


def _is_even(layout: DelimitedLayout, delimiter: str) -> bool:
    rows = _read_rows(layout, delimiter=delimiter)
    try:
        width = len(next(rows, []))
        return all(len(row) == width for row in rows)
    except csv.Error:
        return False


def _read_columns(layout: DelimitedLayout, keeps_blank: bool) -> Iterator[pyarrow.Table]:
    path = layout.path
    rows = _read_rows(layout, keeps_blank=keeps_blank)
    header = next(rows, None)
    if header is None:
        raise describe_empty(path)
    part = NamedPart(header, path)
    # What check_names names must not be a participant's value.
    check_first_row(part.names, path)
    check_names(part.names, path)
    total = uneven = longer = 0
    yield _make_table(part.names, [[] for _ in part.names])
    while batch := list(islice(rows, max(1, _CELLS_AT_A_TIME // len(header)))):
        total += len(batch)
        uneven += sum(len(row) != len(header) for row in batch)
        longer += sum(len(row) == len(header) + 1 for row in batch)
        if not uneven:
            # pyarrow takes a list twice as quickly as a tuple.
            columns = list(map(list, zip(*batch, strict=True)))
            yield _make_table(part.names, part.take(columns))
    if uneven:
        raise _describe_uneven(layout, uneven, total, is_longer=longer == total)


def _describe_uneven(
    layout: DelimitedLayout, uneven: int, total: int, *, is_longer: bool
) -> DataError:
    sign = _DELIMITERS[layout.delimiter]
    remedy = (
        f"Quote cells that hold a {sign.removesuffix('s')}; a file that was cut off must be "
        "copied again."
    )
    if is_longer:
        remedy = (
            "Each row has one cell more. If these are row names of R's write.table, write the "
            "table again with `row.names = FALSE`; else name each column in the header."
        )
    return DataError(
        f"this is not a table of {sign}: its rows differ in their number of cells, {uneven} of "
        f"{total} from the header",
        place=layout.path.name,
        remedy=remedy,
    )


def _make_table(header: Sequence[str], columns: Iterable[Sequence[str]]) -> pyarrow.Table:
    arrays = [pyarrow.array(cells, pyarrow.large_string()) for cells in columns]
    return pyarrow.table(arrays, names=list(header))
