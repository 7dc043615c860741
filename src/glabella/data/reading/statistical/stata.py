"""Whether a Stata file is whole: readers don't miss value labels that were cut off.

Layout after Stata's `help dta` (versions 117 and later) and `help dta_115`.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from glabella.errors import DataError

_TAGGED = b"<stata_dta>"
_OLDEST = 111
_NEWEST_UNTAGGED = 115
_WIDTHS = {251: 1, 252: 2, 253: 4, 254: 4, 255: 8}


def check_stata_is_whole(path: Path) -> None:
    """Refuse a Stata file that ends before its value labels do."""
    with path.open("rb") as file:
        start = file.read(len(_TAGGED))
        if start == _TAGGED:
            file.seek(-min(path.stat().st_size, 64), 2)
            is_whole = file.read().rstrip().endswith(b"</stata_dta>")
        elif start[0] < _OLDEST and start[0] > 100 and start[1:2] in (b"\1", b"\2"):
            raise DataError(
                "the file was written by Stata 7 or earlier",
                place=path.name,
                remedy="Save it again with a later Stata.",
            )
        elif _OLDEST <= start[0] <= _NEWEST_UNTAGGED:
            try:
                is_whole = _is_ended_by_labels(file, path.stat().st_size)
            except struct.error:
                is_whole = False
        else:
            is_whole = False
    if not is_whole:
        raise DataError(
            "this is not a whole Stata file", place=path.name, remedy="Write or copy it again."
        )


def _is_ended_by_labels(file: BinaryIO, size: int) -> bool:
    """Walk an untagged file to its end, which must be that of its rows or of a label table."""
    file.seek(0)
    version, order = struct.unpack("BB", file.read(2))
    sign = ">" if order == 1 else "<"
    file.seek(4)
    n_columns, n_rows = struct.unpack(f"{sign}hi", file.read(6))
    if n_columns < 0 or n_rows < 0:
        return False
    file.seek(109)
    row_length = sum(_WIDTHS.get(kind, kind) for kind in file.read(n_columns))
    format_length = 49 if version >= 114 else 12
    # Names, sort order, formats, names of label tables, and labels of the columns.
    file.seek(n_columns * (33 + format_length + 33 + 81) + 2 * (n_columns + 1), 1)
    while (field := struct.unpack(f"{sign}bi", file.read(5))) != (0, 0):
        if field[1] < 0:
            return False
        file.seek(field[1], 1)
    at = file.tell() + n_rows * row_length
    while at < size:
        file.seek(at)
        (length,) = struct.unpack(f"{sign}i", file.read(4))
        if length < 0:
            return False
        at += 4 + 33 + 3 + length
    return bool(at == size)
