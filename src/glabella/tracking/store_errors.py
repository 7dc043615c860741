"""What a store of MLflow raises, in our words: damage, a missing driver, a broken address."""

from __future__ import annotations

import sqlite3
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from glabella.errors import StoreError


def check_address(address: str, *, remedy: str) -> None:
    """Refuse a tracking address that can't be taken apart."""
    try:
        parts = urlsplit(address)
        # The port is read, and a host's name encoded, when it is asked for.
        is_sound = parts.port is None or bool(parts.hostname)
        (parts.hostname or "").encode("idna")
        is_sound &= parts.scheme not in ("http", "https") or bool(parts.hostname)
    except ValueError:
        is_sound = False
    if not is_sound:
        # It is not shown: what can't be taken apart may hold a password anywhere.
        raise StoreError(
            "the address of the store of runs and models can't be read as an address", remedy=remedy
        )


def list_store_errors(mlflow: Any) -> tuple[type[Exception], ...]:
    """List what a store raises where it can't be used.

    Returns
    -------
    tuple of type
        MLflow's own error, those of its databases, and that of a driver that is not there.
    """
    return (
        mlflow.MlflowException,
        import_module("sqlalchemy.exc").SQLAlchemyError,
        import_module("alembic.util").CommandError,
        sqlite3.Error,
        ModuleNotFoundError,
    )


def describe_store_error(error: Exception, *, place: str, remedy: str) -> StoreError:
    """Make the refusal of a store."""
    if isinstance(error, ModuleNotFoundError):
        return StoreError(
            f"the store of runs and models needs the package '{error.name}', and it is not "
            "installed",
            place=place,
            remedy="Install the driver of that kind of database.",
        )
    # SQLAlchemy adds the statement and its values to what the database said.
    said = str(getattr(error, "orig", None) or error)
    first = (said.splitlines() or [""])[0]
    if any(sign in said for sign in ("malformed", "not a database", "no such table", "disk image")):
        return StoreError(
            f"the database of runs and models is damaged: {first}",
            place=place,
            remedy="Restore it from a copy. Or move it away, and train again: trained bundles are "
            "in `mlruns/trained/` still.",
        )
    return StoreError(
        f"the store of runs and models can't be used: {first}", place=place, remedy=remedy
    )
