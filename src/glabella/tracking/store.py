"""Where runs live."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from glabella.definitions.locate import Project
from glabella.errors import StoreError
from glabella.tracking.store_errors import check_address, describe_store_error, list_store_errors

# Telemetry is on by default, and a schema error would print a participant's row.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_SCHEMA_DETAILS": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # By default a server that can't be reached is asked for minutes before anybody is told.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
# Where a store that is a server listens unless its address says otherwise.
_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
_SECONDS_TO_ANSWER = 5.0
# Two trainings may log into the project's own database at once; each transaction is short.
_SECONDS_TO_WAIT_FOR_A_LOCK = 60
_REMEDY = "Check MLFLOW_TRACKING_URI, or unset it to use the project's own store."


@dataclass(frozen=True)
class Store:
    """An MLflow store.

    Parameters
    ----------
    uri : str
        The tracking address.
    artifacts : str or None
        Where a new experiment puts its artifacts; None where the server decides.
    """

    uri: str
    artifacts: str | None

    @property
    def shown(self) -> str:
        """The address as messages show it: without a password."""
        return self.uri.split("@")[-1].partition("?")[0]


def import_mlflow() -> Any:
    """Import mlflow, quietly and with its traps disarmed.

    Returns
    -------
    module
        ``mlflow``.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # Deprecations inside mlflow are not the user's to mend, and its own advice on type hints and
    # input examples is not followed on purpose: an example would store a participant's row.
    for pattern in ("mlflow.*", "sqlalchemy.*", "pydantic.*"):
        warnings.filterwarnings("ignore", module=pattern)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow = import_module("mlflow")
        import_module("mlflow.pyfunc")
    for logger in ("mlflow", "alembic"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    return mlflow


def open_store(project: Project, *, create: bool = False) -> Store:
    """Open the store: what ``MLFLOW_TRACKING_URI`` names, else the project's own database.

    Parameters
    ----------
    project : Project
        The project.
    create : bool
        Whether to make the project's own store where there is none yet.

    Returns
    -------
    Store
        Set as mlflow's tracking store.

    Raises
    ------
    StoreError
        If there is no store and none is to be made, its folder can't be, or nobody answers at
        the address that is stated.
    """
    stated = os.environ.get("MLFLOW_TRACKING_URI")
    if stated:
        check_address(stated, remedy=_REMEDY)
        store = Store(stated, None)
        _knock(store)
    else:
        database = project.runs / "mlflow.db"
        if not database.exists():
            if not create:
                raise StoreError(
                    "there are no runs and no models yet",
                    place=str(project.runs),
                    remedy="Train first, or name the project that has them with --project.",
                )
            _make_database(database)
        address = f"sqlite:///{database.as_posix()}?timeout={_SECONDS_TO_WAIT_FOR_A_LOCK}"
        store = Store(address, (project.runs / "artifacts").as_uri())
    mlflow = import_mlflow()
    mlflow.set_tracking_uri(store.uri)
    mlflow.set_registry_uri(store.uri)
    if not stated:
        # mlflow notes the addresses in the environment too, where the next project opened by this
        # process, and every program that it starts, would take them for the user's own word.
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
            os.environ.pop(name, None)
    return store


@contextlib.contextmanager
def explain_store_errors(store: Store) -> Iterator[None]:
    """Turn what mlflow raises of a store into a refusal with place and remedy.

    Parameters
    ----------
    store : Store
        Which.

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    StoreError
        If mlflow refused, or could not reach the store.
    """
    try:
        yield
    except list_store_errors(import_mlflow()) as error:
        raise describe_store_error(error, place=store.shown, remedy=_REMEDY) from None


def _knock(store: Store) -> None:
    """Ask whether anybody listens: mlflow would go on asking for minutes before it says no."""
    parts = urlsplit(store.uri)
    scheme = parts.scheme.partition("+")[0]
    if scheme not in _PORTS or not parts.hostname or scheme in getproxies():
        return
    try:
        address = (parts.hostname, parts.port or _PORTS[scheme])
        socket.create_connection(address, timeout=_SECONDS_TO_ANSWER).close()
    except (OSError, ValueError) as error:
        raise StoreError(
            f"the store of runs and models can't be reached: {error}",
            place=store.shown,
            remedy=_REMEDY,
        ) from None


def _make_database(database: Path) -> None:
    """Make a migrated database under another name first: two trainings may start together."""
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".store-", dir=database.parent) as folder:
            partial = Path(folder) / database.name
            client = import_mlflow().MlflowClient(tracking_uri=f"sqlite:///{partial.as_posix()}")
            client.search_experiments(max_results=1)
            with contextlib.suppress(FileExistsError):
                os.link(partial, database)
    except OSError as error:
        raise StoreError(
            f"the store of the runs can't be made: {error.strerror}",
            place=str(database.parent),
            remedy="Name a project in which you may write, with --project.",
        ) from None
