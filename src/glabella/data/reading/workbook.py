"""Excel workbooks: one sheet, the values that its formulas had, and nothing merged."""

from __future__ import annotations

import datetime
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
import pandas as pd

from glabella.data.reading.bounds import MOST_COLUMNS, check_expansion
from glabella.data.reading.header import (
    NamedPart,
    check_first_row,
    check_names,
    describe_empty,
)
from glabella.data.reading.raw import RawTable, ReadOptions
from glabella.errors import DataError, describe_choices

# How old workbooks, and new ones that a password locks, begin.
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0"
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s")
_AREA = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]{0,200}?ref=[\"']([A-Za-z0-9:]{2,40})[\"']")
_OVERLAP = 300
# Of a worksheet, by Excel's own limits.
_MOST_ROWS = 1_048_576
# Between and beside cells that are there; each costs as much as one of them.
_MOST_BLANK = 50_000_000
_MOST_MERGED = 1_000_000
# What zipfile, its decompressors and openpyxl raise for parts that are missing or damaged;
# openpyxl's InvalidFileException can't occur, as the ending is known.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    EOFError,
    OSError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
_MIDNIGHT = datetime.time()


def read_workbook(path: Path, options: ReadOptions) -> RawTable:
    """Read a sheet of a workbook as a raw table.

    Returns
    -------
    RawTable
        A column all of whose cells are numbers, dates, times or truth values has that type; one
        of text is blank where empty; one of several kinds has each cell as it is. Blank rows are
        passed over.
    """
    _check_start(path)
    try:
        _check_size(path)
        uses_formulas, uses_merging = _find_parts(path, _FORMULA), _find_parts(path, _MERGE)
        with _open(path, data_only=True) as book:
            sheet = _choose_sheet(book, options.sheet, path)
            rows = _read_rows(sheet, path)
            if uses_formulas:
                _check_formulas(path, sheet)
        if uses_merging:
            _check_areas(path)
            _check_merging(path, sheet.title, rows[0][0])
    except _BROKEN:
        # A DataError is none of these, so a refusal from within passes.
        raise DataError(
            "this is not a whole Excel workbook",
            place=path.name,
            remedy="Open it in Excel and save it as .xlsx again.",
        ) from None
    return RawTable(_make_frame([cells for _, cells in rows], path))


def _check_start(path: Path) -> None:
    if path.stat().st_size == 0:
        raise describe_empty(path)
    with path.open("rb") as file:
        if file.read(4) == _COMPOUND_FILE:
            raise DataError(
                "this is an old Excel workbook (.xls), or one that a password locks",
                place=path.name,
                remedy="Save it as .xlsx without a password.",
            )


def _check_size(path: Path) -> None:
    with zipfile.ZipFile(path) as parts:
        # No part gives more than it states here: its reader stops there.
        check_expansion(sum(part.file_size for part in parts.infolist()), path)


def _check_areas(path: Path) -> None:
    """Refuse merged areas so large that to list their cells would never end."""
    from openpyxl.utils import coordinate_to_tuple  # type: ignore[import-untyped]

    cells = 0
    for ref in _find_in_parts(path, _AREA):
        first, _, last = ref.decode("ascii").partition(":")
        (top, left), (bottom, right) = map(coordinate_to_tuple, (first, last or first))
        cells += (abs(bottom - top) + 1) * (abs(right - left) + 1)
    if cells > _MOST_MERGED:
        raise DataError(
            f"its merged areas cover {cells:,} cells",
            place=path.name,
            remedy="Unmerge them and fill each cell in.",
        )


def _find_parts(path: Path, pattern: re.Pattern[bytes]) -> bool:
    """Search the workbook's XML, to save a second pass over the cells of most workbooks."""
    return next(_find_in_parts(path, pattern), None) is not None


def _find_in_parts(path: Path, pattern: re.Pattern[bytes]) -> Iterator[bytes]:
    """Give what a pattern finds in the workbook's XML."""
    with zipfile.ZipFile(path) as parts:
        for name in parts.namelist():
            if not name.lower().endswith(".xml"):
                continue
            with parts.open(name) as part:
                overlap = b""
                while piece := part.read(1 << 20):
                    text = overlap + piece
                    end = 0
                    for match in pattern.finditer(text):
                        end = match.end()
                        yield match[match.lastindex or 0]
                    # What was found is not found again, and what begins here may end in the next.
                    overlap = text[max(end, len(text) - _OVERLAP) :]


@contextmanager
def _open(path: Path, **how: bool) -> Iterator[Any]:
    import openpyxl  # type: ignore[import-untyped]

    # openpyxl warns of charts, rules and colours that it leaves out; none is part of the table.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with path.open("rb") as file:
            book = openpyxl.load_workbook(file, **{"read_only": True, "keep_links": False, **how})
            try:
                yield book
            finally:
                book.close()


def _choose_sheet(book: Any, stated: str | None, path: Path) -> Any:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if stated is not None:
        if stated not in sheets:
            raise DataError(
                f"there is no sheet '{stated}'",
                place=path.name,
                remedy=describe_choices(stated, sheets),
            )
        return sheets[stated]
    if len(sheets) != 1:
        raise DataError(
            f"the workbook has {len(sheets)} sheets",
            place=path.name,
            remedy=f"State one of them as `sheet:`. {describe_choices('', sheets)}",
        )
    return next(iter(sheets.values()))


def _read_rows(sheet: Any, path: Path) -> list[tuple[int, list[Any]]]:
    """Give the rows that are not blank with their numbers in the sheet; the first is the header."""
    # The size that a sheet states of itself is often wrong.
    sheet.reset_dimensions()
    rows: list[tuple[int, list[Any]]] = []
    errors = blank = 0
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        values = [cell.value for cell in cells]
        errors += sum(cell.data_type == "e" for cell in cells)
        blank += sum(value is None for value in values)
        _check_large(number, len(cells), blank, sheet.title, path)
        # A row is as wide as its last value: a lone cell far to the right widens no other.
        while values and values[-1] in (None, ""):
            values.pop()
        if values:
            rows.append((number, values))
    if errors:
        raise DataError(
            f"{errors} cells of sheet '{sheet.title}' hold an error such as #N/A",
            place=path.name,
            remedy="Mend or empty them.",
        )
    if not rows:
        # A formula without a value looks blank; what is to be done about it is another thing.
        _check_formulas(path, sheet)
        raise describe_empty(path)
    return rows


def _check_large(number: int, width: int, blank: int, title: str, path: Path) -> None:
    if number > _MOST_ROWS or width > MOST_COLUMNS:
        raise DataError(
            f"sheet '{title}' has a cell beyond row {_MOST_ROWS:,} or column XFD, where Excel's "
            "sheets end",
            place=path.name,
            remedy="Copy the table's cells into a new workbook.",
        )
    if blank > _MOST_BLANK:
        raise _describe_blank(f"sheet '{title}'", path)


def _describe_blank(what: str, path: Path) -> DataError:
    return DataError(
        f"{what} has more than {_MOST_BLANK:,} blank cells beside and between its values",
        place=path.name,
        remedy="Copy the table's cells into a new workbook.",
    )


def _check_formulas(path: Path, sheet: Any) -> None:
    missing = 0
    with _open(path, data_only=False) as book:
        formulas = next(one for one in book.worksheets if one.title == sheet.title)
        formulas.reset_dimensions()
        for written, shown in zip_longest(formulas.iter_rows(), sheet.iter_rows(), fillvalue=()):
            missing += sum(
                # A formula whose value is blank text has its own type.
                cell.data_type == "f" and value.value is None and value.data_type != "str"
                for cell, value in zip(written, shown, strict=False)
            )
    if missing:
        raise DataError(
            f"{missing} formulas of sheet '{sheet.title}' have no value: the program that wrote "
            "them did not compute them",
            place=path.name,
            remedy="Open the workbook in Excel and save it.",
        )


def _check_merging(path: Path, title: str, header: int) -> None:
    with _open(path, read_only=False) as book:
        merged = sum(area.max_row >= header for area in book[title].merged_cells.ranges)
    if merged:
        # Only the first of merged cells holds the value that all of them show.
        raise DataError(
            f"sheet '{title}' has {merged} areas of merged cells",
            place=path.name,
            remedy="Unmerge them and fill each cell in.",
        )


def _make_frame(rows: Sequence[Sequence[Any]], path: Path) -> pd.DataFrame:
    # Blank at their ends, rows are cut there.
    width = max(len(row) for row in rows)
    top = [*rows[0], *[None] * (width - len(rows[0]))]
    header = ["" if name is None else str(name) for name in top]
    # A part of the sheet that has only a format, or was emptied, may be beside the table.
    part = NamedPart(header, path)
    # What check_names names must not be a participant's value; a blank name is its matter.
    if any(not isinstance(name, str | None) for name in top):
        check_first_row(["0"], path)
    check_first_row(part.names, path)
    check_names(part.names, path)
    # Before columns are made: one that has a cell and no name could be far to the right.
    if width * len(rows) - sum(map(len, rows)) > _MOST_BLANK:
        raise _describe_blank("the sheet", path)
    columns = list(zip_longest(*rows, fillvalue=None))
    cells = part.take([column[1:] for column in columns])
    return pd.DataFrame(
        {name: _make_column(column) for name, column in zip(part.names, cells, strict=True)},
        index=range(len(rows) - 1),
    )


def _make_column(cells: Sequence[Any]) -> pd.Series:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {str}:
        return pd.Series(["" if cell is None else cell for cell in cells], dtype=str)
    if kinds <= {int, float}:
        return pd.Series([np.nan if cell is None else cell for cell in cells], dtype=float)
    if kinds == {bool}:
        return pd.Series(cells, dtype="boolean" if None in cells else bool)
    if kinds == {datetime.datetime}:
        # A workbook writes a day as its midnight.
        if all(cell is None or cell.time() == _MIDNIGHT for cell in cells):
            cells = [None if cell is None else cell.date() for cell in cells]
        else:
            return pd.Series(pd.to_datetime(pd.Series(cells, dtype=object)))
    return pd.Series(cells, dtype=object)
