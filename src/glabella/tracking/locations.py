"""The locations of the files of runs and models, which stay valid if a project is moved or copied.

MLflow keeps the whole address of each run's files. A project that was renamed, moved or copied
would look for its files, and write new ones, in its old location. So they are found from the
project, and the addresses in its database are updated before anything is written.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from glabella.errors import StoreError
from glabella.tracking.databases import SECONDS_TO_WAIT_FOR_A_LOCK

# The end of the addresses of a project's experiments, whatever the project was called.
_ENDING = ("mlruns", "artifacts")
_ADDRESSES = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}


def read_path(address: str) -> Path | None:
    """Read the path in an address of files; None if it is not a path."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    # A path alone; on Windows its drive looks like a scheme.
    return Path(address) if len(parts.scheme) < 2 and address else None


def find_files(root: Path, recorded: str, *inside: str) -> Path:
    """Find the files of a run or a model in a project's own store."""
    here = root.joinpath(*inside)
    there = read_path(recorded)
    if there is not None and here.is_dir():
        return here
    if there is not None and there.is_relative_to(root):
        if there.is_dir():
            return there
        raise StoreError(
            "its files are not in the store",
            place=str(here),
            remedy="They were removed, or were not copied with the project. Restore them from a "
            "copy, or train again.",
        )
    raise StoreError(
        f"its files are not in this project; according to the database they are at {recorded}",
        place=str(here),
        remedy="A project must be moved or copied with its whole mlruns folder. Copy "
        "mlruns/artifacts from there, or train again.",
    )


def describe_lost(recorded: str) -> StoreError:
    """Describe that files are not at the address in the store's database."""
    return StoreError(
        f"its files are not at {recorded}, the address in the database",
        remedy="Move them back there, or train again.",
    )


def update_addresses(database: Path, root: Path) -> None:
    """Update the addresses in a project's database to the project's present location."""
    new = root.as_uri()
    try:
        with closing(sqlite3.connect(database, timeout=SECONDS_TO_WAIT_FOR_A_LOCK)) as opened:
            found = opened.execute("SELECT DISTINCT artifact_location FROM experiments").fetchall()
            moved = [old for (old,) in found if old and old != new and _is_a_projects(old)]
            if not moved:
                return
            if database.stat().st_nlink > 1:
                raise StoreError(
                    "this project was copied by hard links, so it has the same database file as "
                    "another project",
                    place=str(database),
                    remedy="Copy the file itself: `cp mlflow.db copy && mv copy mlflow.db`.",
                )
            with opened:
                for old in moved:
                    _update_table(opened, old, new)
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            # The file is empty, and MLflow makes its tables on opening it.
            return
        raise StoreError(
            f"the addresses in the database of runs and models can't be read or changed: {error}",
            place=str(database),
            remedy="Name a project that you may write to, with --project.",
        ) from None
    except sqlite3.Error as error:
        raise StoreError(
            f"the database of runs and models is damaged: {error}",
            place=str(database),
            remedy="Restore it from a copy.",
        ) from None


def _is_a_projects(address: str) -> bool:
    path = read_path(address)
    return path is not None and path.parts[-2:] == _ENDING


def _update_table(opened: sqlite3.Connection, old: str, new: str) -> None:
    """Update each address that is `old` or below it."""
    for table, columns in _ADDRESSES.items():
        there = {row[1] for row in opened.execute(f"PRAGMA table_info({table})")}
        for column in columns:
            if column in there:
                opened.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                    f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                    (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
                )


def check_inside(root: Path, recorded: str) -> None:
    """Refuse to write files outside the project."""
    there = read_path(recorded)
    if there is None or not there.is_relative_to(root):
        raise StoreError(
            f"MLflow would write this run's files outside the project, to {recorded}",
            place=str(root.parent),
            remedy="The experiment was made by another program, or the project was moved during "
            "the training. Rename the analysis, or give it a separate project.",
        )
