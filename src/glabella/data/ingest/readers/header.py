"""What every format's column names must be, and how a file without content is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from glabella.errors import DataError


def check_names(names: Sequence[str], path: Path) -> None:
    """Refuse column names that can't tell the columns apart.

    Parameters
    ----------
    names : sequence of str
        In the order of the columns.
    path : Path
        The file, for the message.

    Raises
    ------
    DataError
        If a name is blank or stands twice.
    """
    repeated = sorted(name for name, count in Counter(names).items() if count > 1 and name.strip())
    if repeated:
        raise DataError(
            f"the column '{repeated[0]}' stands twice",
            place=path.name,
            remedy="Keep one, or rename the other.",
        )
    blank = sum(not name.strip() for name in names)
    if blank:
        raise DataError(
            f"{blank} of {len(names)} columns have no name",
            place=path.name,
            remedy="Name each column in the header.",
        )


def check_first_row(names: Sequence[str], path: Path) -> None:
    """Refuse a first row of data where the names of the columns should be.

    Later messages list the columns, so a participant's values must not pass for names. Only files
    without a header of their own kind, text and workbooks, can hold such a row.

    Parameters
    ----------
    names : sequence of str
        The first row.
    path : Path
        The file, for the message.

    Raises
    ------
    DataError
        If one is a number.
    """
    if any(_is_number(name) for name in names):
        raise DataError(
            "the first row holds a number, so it is no header",
            place=path.name,
            remedy="Write the names of the columns into the first row.",
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower() not in ("nan", "inf", "infinity")


def describe_empty(path: Path) -> DataError:
    """Make the refusal of a file that holds nothing.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    DataError
        To be raised.
    """
    return DataError(
        "the file is empty", place=path.name, remedy="Write a header and rows into it."
    )
