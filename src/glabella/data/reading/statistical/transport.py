"""Whether a SAS transport file is whole, which neither its format nor its readers tell.

Layout after SAS, "The Record Layout of a Data Set in SAS Transport (XPORT) Format" (TS-140) and
its counterpart for version 8: records of 80 bytes, each part opened by a header record.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path

from glabella.errors import DataError

_RECORD = 80
_FIRST = {b"LIBRARY ": 5, b"LIBV8   ": 8}
_MEMBER = {5: b"MEMBER  ", 8: b"MEMBV8  "}
_COLUMNS = {5: b"NAMESTR ", 8: b"NAMSTV8 "}
_ROWS = {5: b"OBS     ", 8: b"OBSV8   "}


@dataclass(frozen=True)
class TransportLayout:
    """Where a transport file's rows stand.

    Parameters
    ----------
    start : int
        Byte at which the first row begins.
    row_length : int
        Bytes of a row.
    n_rows : int or None
        As the file states it; version 5 does not.
    """

    start: int
    row_length: int
    n_rows: int | None


def read_layout(path: Path) -> TransportLayout:
    """Find the rows of a transport file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        version = next((of for kind, of in _FIRST.items() if data[:48] == _read_head(kind)), None)
        if version is None:
            raise _describe_cut(path)
        if len(data) % _RECORD:
            raise _describe_cut(path)
        members = _find_records(data, _MEMBER[version])
        if len(members) > 1:
            raise DataError(
                f"the file holds {len(members)} tables",
                place=path.name,
                remedy="Write each into a file of its own.",
            )
        columns = _find_records(data, _COLUMNS[version])
        rows = _find_records(data, _ROWS[version])
        if not (members and columns and rows):
            raise _describe_cut(path)
        try:
            row_length = _measure_row(data, members[0], columns[0])
            # Where a writer knew no number it left blanks or zeros; version 5 always has zeros.
            n_rows = int(data[rows[0] + 48 : rows[0] + 63].strip() or 0) or None
        except ValueError:
            raise _describe_cut(path) from None
        if row_length <= 0:
            raise _describe_cut(path)
        return TransportLayout(rows[0] + _RECORD, row_length, n_rows)


def check_rows(path: Path, layout: TransportLayout, read: int) -> None:
    """Refuse a transport file that does not end with its last row.

    A version 5 file cut at the end of both a row and a record can't be told from a whole one.
    """
    size = path.stat().st_size - layout.start
    n_rows = size // layout.row_length if layout.n_rows is None else layout.n_rows
    # Blanks fill up the last record; readers take whole blank rows at the end for such padding.
    padding = size - n_rows * layout.row_length
    with path.open("rb") as file:
        file.seek(layout.start + read * layout.row_length)
        all_read = not file.read().strip(b" ")
    if not (0 <= padding < _RECORD and read <= n_rows and all_read):
        raise _describe_cut(path)


def _read_head(kind: bytes) -> bytes:
    return b"HEADER RECORD*******" + kind + b"HEADER RECORD!!!!!!!"


def _find_records(data: mmap.mmap, kind: bytes) -> list[int]:
    found, at = [], data.find(_read_head(kind))
    while at >= 0:
        if at % _RECORD == 0:
            found.append(at)
        at = data.find(_read_head(kind), at + 1)
    return found


def _measure_row(data: mmap.mmap, member: int, columns: int) -> int:
    """Add up the columns' lengths, which their descriptions hold as the third pair of bytes."""
    length = int(data[member + 73 : member + 78])
    count = int(data[columns + 53 : columns + 58])
    first = columns + _RECORD
    return sum(
        int.from_bytes(data[at + 4 : at + 6], "big")
        for at in range(first, first + count * length, length)
    )


def _describe_cut(path: Path) -> DataError:
    return DataError(
        "this is not a whole SAS transport file",
        place=path.name,
        remedy="Copy it again as bytes, or write it again with the XPORT engine.",
    )
