"""The decimal sign of a text file: stated, or found where the cells leave no doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pyarrow
import pyarrow.compute as pc

from glabella.errors import AmbiguousFileError

_COMMA = r"^(\s*[+-]?\d+),(\d+\s*)$"
_POINT = r"^\s*[+-]?\d+\.\d+\s*$"
# Thousands may be grouped so; a group never starts with 0.
_COMMA_THOUSANDS = r"^\s*[+-]?[1-9]\d{0,2},\d{3}\s*$"
_POINT_THOUSANDS = r"^\s*[+-]?[1-9]\d{0,2}\.\d{3}\s*$"
_WHOLE = r"^\s*[+-]?\d+\s*$"
# What is written where the comma is the decimal sign, and the point may group thousands: a number
# with both or with several points, one with a sign or unit beside it, a day before its month.
_OF_COMMAS = {
    ",": r"^\s*[<>≤≥~≈]*\s*[+-]?\d{1,3}(\.\d{3})*,\d{1,2}(\s*[%‰\pL/].*)?\s*$"
    r"|^\s*[+-]?\d{1,3}(\.\d{3})+,\d+\s*$",
    ".": r"^\s*[+-]?\d{1,3}(\.\d{3}){2,}\s*$|^\s*\d{1,2}\.\s?\d{1,2}\.\s?(\d{2}|\d{4})\b",
}
_STATE = "State it as `decimal: ','` or `decimal: '.'`."
_UNGROUP = f"{_STATE} If some columns group thousands, write those without the sign."


def find_decimal_commas(
    table: pyarrow.Table,
    stated: str | None,
    path: Path,
    *,
    delimiter: str = ",",
    others: Callable[[], Iterable[pyarrow.Table]] = tuple,
) -> tuple[str, ...]:
    """Find the columns in which commas between digits are decimal signs."""
    if stated == ".":
        return ()
    commas = {name: _count(table[name], ",", _COMMA) for name in table.column_names}
    with_comma = tuple(name for name, count in commas.items() if count)
    if stated == ",":
        _check_both_signs(table, commas, path)
    elif with_comma:
        _check_doubt(table, commas, path)
    else:
        check_grouped_points(table, path, delimiter=delimiter, others=others)
    return with_comma


def write_points(table: pyarrow.Table, columns: Sequence[str]) -> pyarrow.Table:
    """Write decimal commas as points."""
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


def _check_both_signs(table: pyarrow.Table, commas: dict[str, int], path: Path) -> None:
    """Refuse points among decimal commas; a column of points alone may be versions or days."""
    for name, count in commas.items():
        points = _count(table[name], ".", _POINT)
        if points and (count or _count(table[name], ".", _POINT_THOUSANDS)):
            raise AmbiguousFileError(
                f"the column '{name}' has {points} numbers with a point, and the decimal sign is "
                "a comma",
                place=path.name,
                remedy="Write its numbers with commas and without a sign for thousands.",
            )


def _check_doubt(table: pyarrow.Table, commas: dict[str, int], path: Path) -> None:
    with_comma = [name for name, count in commas.items() if count]
    for name in table.column_names:
        if _count(table[name], ".", _POINT):
            raise AmbiguousFileError(
                f"the column '{with_comma[0]}' has numbers with a comma, the column '{name}' "
                "numbers with a point, so the decimal sign is not certain",
                place=path.name,
                remedy=_STATE,
            )
        if commas[name] and commas[name] == _count(table[name], ",", _COMMA_THOUSANDS):
            raise AmbiguousFileError(
                f"the column '{name}' has numbers with a comma, and each before three digits, "
                "which may be a decimal sign or thousands",
                place=path.name,
                remedy=_UNGROUP,
            )


def check_grouped_points(
    table: pyarrow.Table,
    path: Path,
    *,
    delimiter: str = ",",
    others: Callable[[], Iterable[pyarrow.Table]] = tuple,
) -> None:
    """Refuse text whose points may be decimal signs or group thousands."""
    points = {name: _count(table[name], ".", _POINT) for name in table.column_names}
    groups = {name: _count(table[name], ".", _POINT_THOUSANDS) for name, n in points.items() if n}
    doubtful = [name for name, count in groups.items() if count == points[name]]
    if not doubtful:
        return
    # Programs that write 10.000 write 500.000 too, unless the point groups.
    mixed = [name for name in doubtful if pc.any(_match(table[name], _WHOLE)).as_py()]
    is_open = delimiter == ";" or bool(mixed) or _is_with_commas(table)
    is_settled = delimiter == "," or len(doubtful) < len(groups)
    for other in () if is_open else others():
        is_open = is_open or _is_with_commas(other)
        is_settled = is_settled or _is_with_points(other)
    if is_open or not is_settled:
        raise AmbiguousFileError(
            f"the column '{(mixed or doubtful)[0]}' has numbers with a point, and each before "
            "three digits, which may be a decimal sign or thousands",
            place=path.name,
            remedy=_UNGROUP,
        )


def _match(cells: pyarrow.ChunkedArray, pattern: str) -> pyarrow.ChunkedArray:
    return pc.match_substring_regex(cells, pattern)


def _is_with_commas(table: pyarrow.Table) -> bool:
    """Say whether cells are written as where the comma is the decimal sign."""
    return any(
        _count(table[name], sign, pattern)
        for name in table.column_names
        for sign, pattern in _OF_COMMAS.items()
    )


def _is_with_points(table: pyarrow.Table) -> bool:
    """Say whether a column has points that can't group thousands."""
    return any(
        _count(table[name], ".", _POINT) > _count(table[name], ".", _POINT_THOUSANDS)
        for name in table.column_names
    )
