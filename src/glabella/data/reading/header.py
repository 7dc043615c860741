"""What every format's column names must be, and how a file without content is refused."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from glabella.data.reading.bounds import check_width
from glabella.errors import DataError, describe_choices

_NO_HEADER = "Write the names of the columns into the first row."
# So many rows show whether a column goes on as it began.
_ROWS_LOOKED_AT = 50
_FEWEST_OF_A_SERIES = 5
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}")


class NamedPart:
    """The part of a table whose columns have names.

    A spreadsheet fills a table up with blank columns, and R's row names and pandas's index have no
    name. Nothing can refer to them, so they are passed over; what they hold is looked at first.

    Parameters
    ----------
    header : sequence of str
        The first row.
    path : Path
        The file, for messages.
    """

    def __init__(self, header: Sequence[str], path: Path):
        named = [at for at, name in enumerate(header) if name.strip()]
        self._path = path
        self._width = len(header)
        self._start = 1 if named and named[0] == 1 else 0
        self._end = named[-1] + 1 if named else len(header)
        self._count = -math.inf
        self.names = list(header[self._start : self._end])

    def take(self, columns: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        """Take the columns that have names."""
        beyond = sum(any(map(_is_filled, column)) for column in columns[self._end :])
        if beyond:
            raise _describe_nameless(beyond, self._width, self._path)
        if self._start:
            self._follow_count(columns[0])
        return list(columns[self._start : self._end])

    def _follow_count(self, cells: Sequence[Any]) -> None:
        for cell in cells:
            number = float(cell) if re.fullmatch(r"\d{1,15}(\.0)?", str(cell).strip()) else math.nan
            if not number > self._count:
                raise DataError(
                    f"1 of {self._width} columns have no name: the first, which may hold the row "
                    "names of R or the index of pandas",
                    place=self._path.name,
                    remedy="Name it in the header if it is needed. Else write the table without "
                    "it: `write.csv(..., row.names = FALSE)`, `to_csv(..., index=False)`.",
                )
            self._count = number


def _is_filled(cell: object) -> bool:
    return cell is not None and bool(str(cell).strip())


def _describe_nameless(count: int, total: int, path: Path) -> DataError:
    return DataError(
        f"{count} of {total} columns have no name",
        place=path.name,
        remedy="Name each column in the header.",
    )


def check_names(names: Sequence[str], path: Path) -> None:
    """Refuse column names that can't tell the columns apart."""
    check_width(len(names), path)
    repeated = sorted(name for name, count in Counter(names).items() if count > 1 and name.strip())
    if repeated:
        raise DataError(
            f"the column '{repeated[0]}' appears twice",
            place=path.name,
            remedy="Keep one, or rename the other.",
        )
    blank = sum(not name.strip() for name in names)
    if blank:
        raise _describe_nameless(blank, len(names), path)


def check_first_row(names: Sequence[str], path: Path) -> None:
    """Refuse a first row of data where the names of the columns should be.

    Later messages list the columns, so a participant's values must not pass for names. Only files
    without a header of their own kind, text and workbooks, can hold such a row.
    """
    if any(_is_number(name) or _DATE.fullmatch(name.strip()) for name in names):
        raise DataError(
            "the first row holds a number or a date, so it is no header",
            place=path.name,
            remedy=_NO_HEADER,
        )


def check_header_differs(frame: pd.DataFrame, path: Path) -> None:
    """Refuse a header that reads like the rows below it."""
    top = frame.head(_ROWS_LOOKED_AT)
    repeated = 0
    for name in map(str, top.columns):
        cells = top[name]
        if not (pd.api.types.is_string_dtype(cells.dtype) or cells.dtype == object):
            continue
        repeated += bool((cells == name).any())
        if repeated > 1 or _is_of_shape(name, cells):
            raise DataError(
                "the first row reads like the rows below it, so it is no header",
                place=path.name,
                remedy=_NO_HEADER,
            )


def describe_columns(name: str, frame: pd.DataFrame) -> str:
    """Offer the nearest column or list what there is, unless columns look like participants.

    Returns
    -------
    str
        A sentence for the remedy of an error. Where a table has more columns than rows and most of
        its names are of one numbered series, it may be turned round, and nothing is listed.

    Examples
    --------
    >>> describe_columns("agee", pd.DataFrame({"id": ["1"], "age": ["44"]}))
    "Did you mean 'age'? There are: age, id."
    """
    names = [str(column) for column in frame.columns]
    shapes = Counter(_describe_shape(column) for column in names if re.search(r"\d", column))
    most = max(shapes.values(), default=0)
    if len(names) > len(frame) and most >= max(_FEWEST_OF_A_SERIES, len(names) / 2):
        return (
            f"Most of its {len(names)} columns are numbered, and it has only {len(frame)} rows: "
            "a table needs participants or visits in rows, and what is known of them in columns."
        )
    return describe_choices(name, names)


def _is_of_shape(name: str, cells: pd.Series) -> bool:
    if not (re.search(r"\d", name) and re.search(r"\D", name)):
        return False
    present = cells[cells.notna() & (cells != "")].astype(str)
    alike = present.map(_describe_shape) == _describe_shape(name)
    return bool(len(alike)) and bool(alike.mean() > 0.5)


def _describe_shape(text: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text.strip()))


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ".", 1))
    except ValueError:
        return False
    return text.strip().lower() not in ("nan", "inf", "infinity")


def describe_empty(path: Path) -> DataError:
    """Make the refusal of a file that holds nothing."""
    return DataError(
        "the file is empty", place=path.name, remedy="Write a header and rows into it."
    )
