"""The addresses of stores that are a database in a file, and what such a file must be."""

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
# MLflow takes 2048 characters for where artifacts are, and what is below needs some of them.
_LONGEST_ADDRESS = 1800
_TABLE = "experiments"


def write_address(database: Path) -> str:
    """Write the address of a database file, whatever characters its path holds."""
    path = database.as_posix()
    try:
        path.encode()
    except UnicodeEncodeError:
        raise _refuse_path(database, "it holds bytes that are no text in UTF-8") from None
    length = len(database.with_name("artifacts").as_uri())
    if length > _LONGEST_ADDRESS:
        raise _refuse_path(
            database, f"as an address it has {length} characters, and {_LONGEST_ADDRESS} are taken"
        )
    engine = import_module("sqlalchemy.engine")
    # With the driver's name, MLflow does not make folders for a path that is still encoded.
    address = engine.URL.create(
        "sqlite+pysqlite", database=path, query={"timeout": str(SECONDS_TO_WAIT_FOR_A_LOCK)}
    ).render_as_string(hide_password=False)
    # How a path is encoded in an address depends on the version of SQLAlchemy.
    if engine.make_url(address).database != path:
        odd = [sign for sign in "?%#" if sign in path]
        raise _refuse_path(database, f"it holds {odd[0]!r}" if odd else "no address names it")
    return str(address)


def _refuse_path(database: Path, why: str) -> StoreError:
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
            "the address is not one of a database", place=address, remedy=_ADDRESS
        ) from None
    name = url.database or ""
    if name.startswith("file:"):
        name = unquote(urlsplit(name).path)
    if name in ("", ":memory:") or url.query.get("mode") == "memory":
        raise StoreError(
            "a database in memory keeps no run and no model", place=address, remedy=_ADDRESS
        )
    return Path(name).absolute()


_ADDRESS = (
    "Write MLFLOW_TRACKING_URI as sqlite:////FOLDER/FILE.db, with the whole path, or unset it to "
    "use the project's own store."
)


def _is_damage(error: Exception) -> bool:
    return any(sign in str(error) for sign in ("malformed", "not a database", "disk image"))


def refuse_odd_database(database: Path, *, is_new: bool, remedy: str) -> None:
    """Refuse a file that is no database of MLflow's: opening it would fill it with tables."""
    try:
        # Never made where it is missing.
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
        what = "holds the tables of another program" if names else "is empty"
        raise StoreError(
            f"the database of runs and models {what}", place=str(database), remedy=remedy
        )
