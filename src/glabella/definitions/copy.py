"""Copies the shipped definitions into a folder of the user's."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from glabella.definitions.locate import FOLDERS, find_shipped
from glabella.errors import DefinitionError


def write_shipped_definitions(folder: Path) -> list[Path]:
    """Copy the shipped definitions; never overwrite."""
    there = [name for name in FOLDERS if os.path.lexists(folder / name)]
    if there:
        raise DefinitionError(
            f"'{there[0]}' already exists, and nothing is overwritten",
            place=str(folder),
            remedy="Name an empty folder.",
        )
    shipped = find_shipped()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".init-", dir=folder) as partial:
            for name in FOLDERS:
                shutil.copytree(shipped / name, Path(partial) / name)
            for name in FOLDERS:
                (Path(partial) / name).rename(folder / name)
    except OSError as error:
        raise DefinitionError(
            f"the definitions can't be written: {error.strerror}", place=str(folder)
        ) from None
    return sorted(
        path.relative_to(folder)
        for name in FOLDERS
        for path in (folder / name).rglob("*")
        if path.is_file()
    )
