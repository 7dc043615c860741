"""The errors of an MLflow store in plain words: damage, a missing driver, an invalid address."""

from __future__ import annotations

import sqlite3
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from glabella.errors import StoreError


def check_address(address: str, *, remedy: str) -> None:
    """Refuse a tracking address that can't be parsed."""
    try:
        parts = urlsplit(address)
        # The port is parsed, and a host's name encoded, only on access.
        is_sound = parts.port is None or bool(parts.hostname)
        (parts.hostname or "").encode("idna")
        is_sound &= parts.scheme not in ("http", "https") or bool(parts.hostname)
    except ValueError:
        is_sound = False
    if not is_sound:
        # It is not shown, as an address that can't be parsed may have a password anywhere.
        raise StoreError(
            "the address of the store of runs and models can't be read as an address", remedy=remedy
        )


def list_store_errors(mlflow: Any) -> tuple[type[Exception], ...]:
    """List the errors that a store raises: MLflow's, its databases' and a missing driver's."""
    return (
        mlflow.MlflowException,
        import_module("sqlalchemy.exc").SQLAlchemyError,
        import_module("alembic.util").CommandError,
        sqlite3.Error,
        ModuleNotFoundError,
    )


def describe_store_error(error: Exception, *, place: str, remedy: str) -> StoreError:
    """Describe an error of a store, with place and remedy."""
    if isinstance(error, ModuleNotFoundError):
        return StoreError(
            f"the store of runs and models needs the package '{error.name}', which is not "
            "installed",
            place=place,
            remedy="Install the driver for this kind of database.",
        )
    # SQLAlchemy adds the statement and its values to the database's message.
    message = str(getattr(error, "orig", None) or error)
    first = (message.splitlines() or [""])[0]
    if any(
        sign in message for sign in ("malformed", "not a database", "no such table", "disk image")
    ):
        return StoreError(
            f"the database of runs and models is damaged: {first}",
            place=place,
            remedy="Restore it from a copy, or move it away and train again. Trained bundles are "
            "still in `mlruns/trained/`.",
        )
    return StoreError(
        f"the store of runs and models can't be used: {first}", place=place, remedy=remedy
    )
