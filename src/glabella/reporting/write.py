"""Writes a page whole or not at all."""

from __future__ import annotations

from pathlib import Path

from glabella.errors import DataError


def check_page(source: Path, target: Path) -> None:
    """Refuse a page that can't be, before anything is read.

    Parameters
    ----------
    source, target : Path
        The table and the page to write.

    Raises
    ------
    DataError
        If its name does not end in ``.html``, it exists, or its folder does not.
    """
    if target.suffix.lower() not in (".html", ".htm"):
        raise DataError(
            f"a page on one patient can't be a '{target.suffix}' file",
            place="--out",
            remedy="It is HTML: name a file that ends in .html.",
        )
    if target.exists():
        same = source.exists() and target.resolve() == source.resolve()
        finding = "the output is the input" if same else "the output exists already"
        raise DataError(finding, place=str(target), remedy="Name another file with --out.")
    if not target.parent.is_dir():
        raise DataError(
            "the output's folder does not exist", place=str(target.parent), remedy="Make it first."
        )


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
