"""How large a table may be, so that a small file can't fill the memory or take for ever."""

from __future__ import annotations

from pathlib import Path

from glabella.errors import DataError

# As a worksheet has: what is wider is turned round, or no table of participants.
MOST_COLUMNS = 16_384
# Of text: with so many characters in a line a quoted cell does not end, or there are no line ends.
LONGEST_LINE = 8_000_000
LONGEST_CELL = 131_072

# What compressed files may unpack to. Tables seldom shrink to a fiftieth; deflate makes at most a
# thousandth of what repeats itself, and run lengths anything at all.
_MOST_TIMES = 200
_SMALL_BYTES = 100_000_000
_MOST_BYTES = 4_000_000_000
# An identifier takes some bytes of a row, however well it is packed; other cells may take none.
_MOST_ROWS_PER_BYTE = 10
_FEW_ROWS = 5_000_000
_MOST_CELLS_PER_BYTE = 100
_FEW_CELLS = 50_000_000


def check_width(count: int, path: Path) -> None:
    """Refuse a table of more columns than a worksheet has."""
    if count > MOST_COLUMNS:
        raise DataError(
            f"the table has {count:,} columns, and at most {MOST_COLUMNS:,} are read",
            place=path.name,
            remedy="Keep the columns that the analysis needs; participants or visits go in rows.",
        )


def check_expansion(unpacked: int, path: Path) -> None:
    """Refuse a file that unpacks to far more than its size."""
    allowed = min(_MOST_BYTES, max(_SMALL_BYTES, _MOST_TIMES * path.stat().st_size))
    if unpacked > allowed:
        raise DataError(
            f"the file unpacks to {unpacked / 1e6:,.0f} MB, and for its size at most "
            f"{allowed / 1e6:,.0f} MB are read",
            place=path.name,
            remedy="Write it again with the columns and rows that are needed, or as Parquet.",
        )


def check_repetition(rows: int, columns: int, path: Path) -> None:
    """Refuse a file that claims more cells than its bytes can hold anything of."""
    size = path.stat().st_size
    is_odd = rows > max(_FEW_ROWS, _MOST_ROWS_PER_BYTE * size)
    if is_odd or rows * columns > max(_FEW_CELLS, _MOST_CELLS_PER_BYTE * size):
        raise DataError(
            f"the file has {size:,} bytes and claims {rows:,} rows of {columns:,} columns, so "
            "nearly all of it would be one value repeated",
            place=path.name,
            remedy="Write it again; a table of participants has an identifier in each row.",
        )
