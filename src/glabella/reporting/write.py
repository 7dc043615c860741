"""Writes a page whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from glabella.atomic import describe_os_error, write_whole
from glabella.bundle.load import is_bundle
from glabella.errors import DataError

_ENDINGS = (".html", ".htm")


def check_page(source: Path, target: Path) -> None:
    """Refuse a page that can't be, before anything is read."""
    if target.suffix.lower() not in _ENDINGS:
        raise DataError(
            f"a page on one patient can't be a '{target.suffix}' file",
            place="--out",
            remedy="It is HTML: name a file that ends in .html.",
        )
    _check_no_bundle(target)
    if os.path.lexists(target):
        same = source.exists() and target.resolve() == source.resolve()
        finding = "the output is the input" if same else "the output exists already"
        raise DataError(finding, place=str(target), remedy="Name another file with --out.")
    if not target.parent.is_dir():
        raise DataError(
            "the output's folder does not exist", place=str(target.parent), remedy="Make it first."
        )


def _check_no_bundle(target: Path) -> None:
    if any(is_bundle(folder) for folder in target.absolute().parents):
        raise DataError(
            "the page would be a part of a model's files",
            place=str(target),
            remedy="A bundle with a further file is refused. Name a file in another folder with "
            "--out.",
        )


def write_page(path: Path, page: str, *, what: str) -> None:
    """Write a page whole or not at all; an earlier page of that name is replaced."""
    if path.suffix.lower() not in _ENDINGS:
        # A table that is named here by mistake would be replaced.
        raise DataError(
            f"the {what} can't be a '{path.suffix}' file",
            place=str(path),
            remedy="It is HTML: name a file that ends in .html with --out.",
        )
    _check_no_bundle(path)
    try:
        write_whole(path, page.encode())
    except OSError as error:
        raise DataError(
            f"the {what} can't be written: {describe_os_error(error)}",
            place=str(path),
            remedy="Name another file with --out.",
        ) from None
