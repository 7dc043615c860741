"""The decimal sign of a text file: stated, or found where the cells leave no doubt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow
import pyarrow.compute as pc

from glabella.errors import DataError

_COMMA = r"^(\s*[+-]?\d+),(\d+\s*)$"
_POINT = r"^\s*[+-]?\d+\.\d+\s*$"
# Thousands may be grouped so; a group never starts with 0.
_COMMA_THOUSANDS = r"^\s*[+-]?[1-9]\d{0,2},\d{3}\s*$"
_POINT_THOUSANDS = r"^\s*[+-]?[1-9]\d{0,2}\.\d{3}\s*$"
_STATE = "State it as `decimal: ','` or `decimal: '.'`."
_UNGROUP = f"{_STATE} If some columns group thousands, write those without the sign."


def find_decimal_commas(
    table: pyarrow.Table, stated: str | None, path: Path, *, delimiter: str = ","
) -> tuple[str, ...]:
    """Find the columns in which commas between digits are decimal signs.

    Parameters
    ----------
    table : Table
        Columns of text.
    stated : str or None
        ``.`` leaves every cell as it is; ``,`` reads commas between digits as decimal signs; None
        does so only where no cell speaks against it, and each column with such commas has one
        that can't be a sign of thousands: what another column holds says nothing of it.
    path : Path
        The file, for the message.
    delimiter : str
        Of the cells. Semicolons are written where the comma is the decimal sign, and the point may
        then group thousands.

    Returns
    -------
    tuple of str
        In the order of the table.

    Raises
    ------
    DataError
        If commas, or in a file of semicolons points, between digits may be thousands; or if both
        stand between digits.
    """
    if stated == ".":
        return ()
    commas = {name: _count(table[name], ",", _COMMA) for name in table.column_names}
    with_comma = tuple(name for name, count in commas.items() if count)
    if stated == ",":
        _refuse_both_signs(table, commas, path)
    elif with_comma:
        _refuse_doubt(table, commas, path)
    elif delimiter == ";":
        _refuse_grouped_points(table, path)
    return with_comma


def write_points(table: pyarrow.Table, columns: Sequence[str]) -> pyarrow.Table:
    """Write decimal commas as points.

    Parameters
    ----------
    table : Table
        Columns of text.
    columns : sequence of str
        From `find_decimal_commas`; those that the table lacks are passed over.

    Returns
    -------
    Table
        Cells that are no number with a comma are as they were.
    """
    pointed = [
        pc.replace_substring_regex(table[name], _COMMA, r"\1.\2")
        if name in columns
        else table[name]
        for name in table.column_names
    ]
    return pyarrow.table(pointed, names=table.column_names)


def _count(cells: pyarrow.ChunkedArray, sign: str, pattern: str) -> int:
    # Few columns hold the sign at all, and looking for it is much quicker than the pattern.
    held = pc.match_substring(cells, sign)
    if not pc.any(held).as_py():
        return 0
    return int(pc.sum(pc.match_substring_regex(cells.filter(held), pattern)).as_py())


def _refuse_both_signs(table: pyarrow.Table, commas: dict[str, int], path: Path) -> None:
    """Refuse points among decimal commas; a column of points alone may be versions or days."""
    for name, count in commas.items():
        points = _count(table[name], ".", _POINT)
        if points and (count or _count(table[name], ".", _POINT_THOUSANDS)):
            raise DataError(
                f"the column '{name}' has {points} numbers with a point, and the decimal sign is "
                "a comma",
                place=path.name,
                remedy="Write its numbers with commas and without a sign for thousands.",
            )


def _refuse_doubt(table: pyarrow.Table, commas: dict[str, int], path: Path) -> None:
    with_comma = [name for name, count in commas.items() if count]
    for name in table.column_names:
        if _count(table[name], ".", _POINT):
            raise DataError(
                f"the column '{with_comma[0]}' has numbers with a comma, the column '{name}' "
                "numbers with a point, so the decimal sign is not certain",
                place=path.name,
                remedy=_STATE,
            )
        if commas[name] and commas[name] == _count(table[name], ",", _COMMA_THOUSANDS):
            raise DataError(
                f"the column '{name}' has numbers with a comma, and each before three digits, "
                "which may be a decimal sign or thousands",
                place=path.name,
                remedy=_UNGROUP,
            )


def _refuse_grouped_points(table: pyarrow.Table, path: Path) -> None:
    for name in table.column_names:
        points = _count(table[name], ".", _POINT)
        if points and points == _count(table[name], ".", _POINT_THOUSANDS):
            raise DataError(
                f"the column '{name}' has numbers with a point, and each before three digits, "
                "which may be a decimal sign or thousands",
                place=path.name,
                remedy=_UNGROUP,
            )
