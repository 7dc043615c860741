"""Where the files of runs and models lie: below the project, wherever it was moved or copied to.

MLflow keeps the whole address of each run's files. A project that was renamed, moved or copied
would look for its files, and write new ones, where it was before. So they are found from the
project, and before anything is written the addresses in its database are set to where it is.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from glabella.errors import StoreError
from glabella.tracking.databases import SECONDS_TO_WAIT_FOR_A_LOCK

# What a project's experiments have always had, whatever the project was called.
_ENDING = ("mlruns", "artifacts")
_ADDRESSES = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}


def read_path(address: str) -> Path | None:
    """Read the path that an address of files names."""
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
            remedy="They were removed, or not copied with the project. Restore them from a copy, "
            "or train again.",
        )
    raise StoreError(
        f"its files are not in this project; the database says that they are at {recorded}",
        place=str(here),
        remedy="A project is moved or copied with its whole mlruns folder. Copy mlruns/artifacts "
        "from there, or train again.",
    )


def describe_lost(recorded: str) -> StoreError:
    """Say of files that are not where a store's database says they are."""
    return StoreError(
        f"its files are not at {recorded}, where the database says that they are",
        remedy="Put them back there, or train again.",
    )


def settle(database: Path, root: Path) -> None:
    """Set the addresses in a project's database to where the project is now."""
    new = root.as_uri()
    try:
        with closing(sqlite3.connect(database, timeout=SECONDS_TO_WAIT_FOR_A_LOCK)) as opened:
            found = opened.execute("SELECT DISTINCT artifact_location FROM experiments").fetchall()
            moved = [old for (old,) in found if old and old != new and _is_a_projects(old)]
            if not moved:
                return
            if database.stat().st_nlink > 1:
                raise StoreError(
                    "this project was copied by hard links, so its database is another project's "
                    "as well",
                    place=str(database),
                    remedy="Copy the file itself: `cp mlflow.db copy && mv copy mlflow.db`.",
                )
            with opened:
                for old in moved:
                    _replace(opened, old, new)
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            # An empty file, which MLflow fills when it opens it.
            return
        raise StoreError(
            f"the addresses in the database of runs and models can't be looked at or changed: "
            f"{error}",
            place=str(database),
            remedy="Name a project in which you may write, with --project.",
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


def _replace(opened: sqlite3.Connection, old: str, new: str) -> None:
    """Replace the beginning of each address that is `old` or below it."""
    for table, columns in _ADDRESSES.items():
        there = {row[1] for row in opened.execute(f"PRAGMA table_info({table})")}
        for column in columns:
            if column in there:
                opened.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                    f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                    (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
                )


def refuse_elsewhere(root: Path, recorded: str) -> None:
    """Refuse to write files outside the project."""
    there = read_path(recorded)
    if there is None or not there.is_relative_to(root):
        raise StoreError(
            f"MLflow would write this run's files outside the project, to {recorded}",
            place=str(root.parent),
            remedy="The experiment was made by another program, or the project was moved while it "
            "was written. Rename the analysis, or give it a project of its own.",
        )
