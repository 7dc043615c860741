"""Opens the MLflow store of runs and models."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from glabella.atomic import publish
from glabella.definitions.locate import Project
from glabella.errors import StoreError, remove_secrets
from glabella.tracking.databases import check_database, find_database, write_address
from glabella.tracking.deadline import TooLate, run_within, with_time_limit
from glabella.tracking.locations import update_addresses
from glabella.tracking.store_errors import check_address, describe_store_error, list_store_errors

_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
# Telemetry is on by default, and a schema error would print a participant's row.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_SCHEMA_DETAILS": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # By default MLflow asks a server that can't be reached for minutes before it reports so.
    _RETRIES: "3",
    _TIMEOUT: "10",
    # The address of a run on a server includes the password in the server's address.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
# The ports of servers whose address has none.
_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
_SECONDS_TO_CONNECT = 5.0
# For the first complete answer; more if the user allows more for an attempt.
_SECONDS_TO_ANSWER = 10.0
# For all requests of one step to a server, including repeated attempts.
_SECONDS_FOR_A_STEP = 60.0
# The same if files are sent.
_SECONDS_FOR_FILES = 600.0
_REMEDY = "Check MLFLOW_TRACKING_URI, or unset it to use the project's own store."


@dataclass(frozen=True)
class Store:
    """An MLflow store.

    Parameters
    ----------
    uri : str
        The tracking address.
    artifacts : str or None
        The location of a new experiment's artifacts; None if the server decides.
    database : Path or None
        The database file, if it is one.
    """

    uri: str
    artifacts: str | None
    database: Path | None = None

    @property
    def shown(self) -> str:
        """The store's address for messages, without a password."""
        return str(self.database) if self.database is not None else remove_secrets(self.uri)

    @property
    def root(self) -> Path | None:
        """The folder of all artifacts, if the store is a project's own."""
        if self.artifacts is None or self.database is None:
            return None
        return self.database.with_name("artifacts")

    @property
    def is_remote(self) -> bool:
        """Whether it is a server on a network."""
        return urlsplit(self.uri).scheme.partition("+")[0] in _PORTS


def load_mlflow() -> Any:
    """Load MLflow with settings that keep it quiet and keep participants' data out of messages."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # A user can't fix deprecations inside MLflow, and its advice on type hints and input examples
    # is deliberately not followed: an example would store a participant's row.
    for pattern in ("mlflow.*", "sqlalchemy.*", "pydantic.*"):
        warnings.filterwarnings("ignore", module=pattern)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow = import_module("mlflow")
        import_module("mlflow.pyfunc")
    for logger in ("mlflow", "alembic"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    return mlflow


# Models that earlier versions logged have a copy of `serving.py` that imports this name.
import_mlflow = load_mlflow


def open_store(project: Project, *, create: bool = False) -> Store:
    """Open the store in ``MLFLOW_TRACKING_URI``, by default the project's own database."""
    stated = os.environ.get("MLFLOW_TRACKING_URI")
    if stated:
        check_address(stated, remedy=_REMEDY)
    store = _name_store(project, stated)
    if store.database is not None:
        _open_database(store, create=create, is_own=store.root is not None)
    if store.is_remote:
        _check_connection(store)
    mlflow = load_mlflow()
    mlflow.set_tracking_uri(store.uri)
    mlflow.set_registry_uri(store.uri)
    if not stated:
        # MLflow writes the addresses to the environment too. The next project that this process
        # opens, and every program that it starts, would take them for the user's setting.
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
            os.environ.pop(name, None)
    if store.is_remote:
        _check_answer(store, create=create)
    return store


def _name_store(project: Project, stated: str | None) -> Store:
    own = project.runs / "mlflow.db"
    if not stated:
        return Store(write_address(own), own.with_name("artifacts").as_uri(), own)
    try:
        scheme, _ = urlsplit(stated).scheme, urlsplit(stated).port
    except ValueError as error:
        raise StoreError(
            f"the address of the store is not valid: {error}", place=stated, remedy=_REMEDY
        ) from None
    database = find_database(stated)
    if database is not None and "?" not in stated:
        stated = write_address(database)
    if database is not None and _is_same(database, own):
        return Store(stated, own.with_name("artifacts").as_uri(), own)
    if database is None and scheme in ("", "file"):
        raise StoreError(
            "a folder can't be the store of runs and models", place=stated, remedy=_REMEDY
        )
    return Store(stated, None, database)


def _is_same(database: Path, own: Path) -> bool:
    return database == own or (database.exists() and own.exists() and database.samefile(own))


def _open_database(store: Store, *, create: bool, is_own: bool) -> None:
    """Open the database, making it with ``create`` only, and refuse a file that is not one."""
    database = store.database
    assert database is not None
    if not database.exists():
        if os.path.lexists(database):
            raise StoreError("the database is a link to a missing file", place=str(database))
        if not create:
            raise StoreError(
                "there are no runs and no models yet",
                place=str(database.parent if is_own else database),
                remedy="Train first, or name the project that has them with --project."
                if is_own
                else _REMEDY,
            )
        if not is_own and not database.parent.is_dir():
            raise StoreError(
                "the folder of the database does not exist", place=store.shown, remedy=_REMEDY
            )
        _make_database(database)
    remedy = "Restore it from a copy." if is_own else _REMEDY
    check_database(database, is_new=create, remedy=remedy)
    if create and store.root is not None:
        update_addresses(database, store.root)


@contextlib.contextmanager
def explain_store_errors(store: Store, *, files: bool = False) -> Iterator[None]:
    """Explain errors of a store by place and remedy, and limit the time of a server."""
    seconds = _SECONDS_FOR_FILES if files else _SECONDS_FOR_A_STEP
    try:
        with with_time_limit(seconds) if store.is_remote else contextlib.nullcontext():
            yield
    except list_store_errors(load_mlflow()) as error:
        raise describe_store_error(error, place=store.shown, remedy=_REMEDY) from None
    except TooLate:
        raise _describe_silence(store, seconds) from None


def _describe_silence(store: Store, seconds: float) -> StoreError:
    return StoreError(
        f"the store of runs and models gave no complete answer in {seconds:.0f} seconds",
        place=store.shown,
        remedy=f"{_REMEDY} Set {_TIMEOUT}=SECONDS to wait longer for a slow server.",
    )


def _check_connection(store: Store) -> None:
    """Check that the server can be reached, since MLflow would repeat attempts for minutes."""
    parts = urlsplit(store.uri)
    scheme = parts.scheme.partition("+")[0]
    if scheme not in _PORTS or not parts.hostname or scheme in getproxies():
        return

    def connect() -> None:
        address = (parts.hostname, parts.port or _PORTS[scheme])
        socket.create_connection(address, timeout=_SECONDS_TO_CONNECT).close()

    try:
        # Finding the host's address takes time too, and has no limit that can be set.
        run_within(2 * _SECONDS_TO_CONNECT, connect)
    except TooLate:
        raise _describe_silence(store, 2 * _SECONDS_TO_CONNECT) from None
    except (OSError, ValueError) as error:
        raise StoreError(
            f"the store of runs and models can't be reached: {error}",
            place=store.shown,
            remedy=_REMEDY,
        ) from None


def _check_answer(store: Store, *, create: bool) -> None:
    """Check that the server gives a complete answer to one question in time."""
    seconds = max(_SECONDS_TO_ANSWER, float(os.environ[_TIMEOUT]))
    is_server = urlsplit(store.uri).scheme.partition("+")[0] in ("http", "https")
    retries = os.environ[_RETRIES]
    os.environ[_RETRIES] = "0"
    question = _list_one if is_server else partial(_check_tables, store, create)
    try:
        with explain_store_errors(store):
            try:
                run_within(seconds, question)
            except TooLate:
                raise _describe_silence(store, seconds) from None
    finally:
        os.environ[_RETRIES] = retries


def _list_one() -> None:
    load_mlflow().MlflowClient().search_experiments(max_results=1)


def _check_tables(store: Store, create: bool) -> None:
    """Refuse a database server that can't be used, or on which MLflow would make tables."""
    sqlalchemy, errors = import_module("sqlalchemy"), import_module("sqlalchemy.exc")
    try:
        engine = sqlalchemy.create_engine(store.uri)
        try:
            is_there = create or sqlalchemy.inspect(engine).has_table("experiments")
        finally:
            engine.dispose()
    except (errors.SQLAlchemyError, ImportError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise StoreError(
            f"the store of runs and models can't be used: {first}",
            place=store.shown,
            remedy=_REMEDY,
        ) from None
    if not is_there:
        raise StoreError("there are no runs and no models yet", place=store.shown, remedy=_REMEDY)


def _make_database(database: Path) -> None:
    """Make a migrated database under another name first, as two trainings may start together."""
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".store-", dir=database.parent) as folder:
            new = Path(folder) / database.name
            client = load_mlflow().MlflowClient(tracking_uri=write_address(new))
            client.search_experiments(max_results=1)
            with contextlib.suppress(FileExistsError):
                publish(new, database)
    except OSError as error:
        raise StoreError(
            f"the store of the runs can't be made: {error.strerror}",
            place=str(database.parent),
            remedy="Name a project that you may write to, with --project.",
        ) from None
