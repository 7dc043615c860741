"""Writes a page whole or not at all."""

from __future__ import annotations

from pathlib import Path

from glabella.errors import DataError


def write_page(path: Path, page: str, *, what: str) -> None:
    """Write a page under another name and rename it when it is all there.

    Parameters
    ----------
    path : Path
        The file.
    page : str
        HTML.
    what : str
        What it is, for the message.

    Raises
    ------
    DataError
        If it can't be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(page, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise DataError(
            f"the {what} can't be written: {error.strerror}",
            place=str(path),
            remedy="Name another file with --out.",
        ) from None
