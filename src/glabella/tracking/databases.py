"""The addresses of database files, and the checks of such a file before it is used."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from glabella.errors import StoreError

# Two trainings may log into a project's own database at once; each transaction is short.
SECONDS_TO_WAIT_FOR_A_LOCK = 60
# MLflow allows 2048 characters for a location of artifacts, including the folders below it.
_LONGEST_ADDRESS = 1800
_TABLE = "experiments"


def write_address(database: Path) -> str:
    """Write the address of a database file, whose path may have any characters."""
    path = database.as_posix()
    try:
        path.encode()
    except UnicodeEncodeError:
        raise _describe_bad_path(database, "it has bytes that are not UTF-8") from None
    length = len(database.with_name("artifacts").as_uri())
    if length > _LONGEST_ADDRESS:
        raise _describe_bad_path(
            database,
            f"as an address it has {length} characters, and {_LONGEST_ADDRESS} are allowed",
        )
    engine = import_module("sqlalchemy.engine")
    # With the driver's name, MLflow does not make folders for a path that is still encoded.
    address = engine.URL.create(
        "sqlite+pysqlite", database=path, query={"timeout": str(SECONDS_TO_WAIT_FOR_A_LOCK)}
    ).render_as_string(hide_password=False)
    # How a path is encoded in an address depends on the version of SQLAlchemy.
    if engine.make_url(address).database != path:
        odd = [sign for sign in "?%#" if sign in path]
        raise _describe_bad_path(
            database, f"it has {odd[0]!r}" if odd else "it can't be written as an address"
        )
    return str(address)


def _describe_bad_path(database: Path, why: str) -> StoreError:
    shown = str(database.parents[1]).encode(errors="replace").decode()
    return StoreError(
        f"MLflow can't keep its database under this path: {why}",
        place=shown if len(shown) < 200 else f"{shown[:200]}...",
        remedy="Rename or move the project.",
    )


def find_database(address: str) -> Path | None:
    """Find the file that the address of a store names."""
    if address.partition(":")[0].partition("+")[0].lower() != "sqlite":
        return None
    engine = import_module("sqlalchemy.engine")
    try:
        url: Any = engine.make_url(address)
    except (ValueError, import_module("sqlalchemy.exc").ArgumentError):
        raise StoreError(
            "this is not the address of a database", place=address, remedy=_ADDRESS
        ) from None
    name = url.database or ""
    if name.startswith("file:"):
        name = unquote(urlsplit(name).path)
    if name in ("", ":memory:") or url.query.get("mode") == "memory":
        raise StoreError(
            "a database in memory does not keep runs and models", place=address, remedy=_ADDRESS
        )
    return Path(name).absolute()


_ADDRESS = (
    "Write MLFLOW_TRACKING_URI as sqlite:////FOLDER/FILE.db, with the whole path, or unset it to "
    "use the project's own store."
)


def _is_damage(error: Exception) -> bool:
    return any(sign in str(error) for sign in ("malformed", "not a database", "disk image"))


def check_database(database: Path, *, is_new: bool, remedy: str) -> None:
    """Refuse a file that is not a database of MLflow, which would add its tables on opening it."""
    try:
        # A missing file is not created.
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True)) as opened:
            opened.execute(f"PRAGMA busy_timeout = {1000 * SECONDS_TO_WAIT_FOR_A_LOCK}")
            found = opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    except (sqlite3.Error, OSError, ValueError) as error:
        raise StoreError(
            "the database of runs and models "
            + (f"is damaged: {error}" if _is_damage(error) else f"can't be read: {error}"),
            place=str(database),
            remedy=remedy,
        ) from None
    names = {name for (name,) in found}
    if _TABLE not in names and not (is_new and not names):
        what = "has the tables of another program" if names else "is empty"
        raise StoreError(
            f"the database of runs and models {what}", place=str(database), remedy=remedy
        )
