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
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from glabella.atomic import publish
from glabella.definitions.locate import Project
from glabella.errors import StoreError, mask_secrets
from glabella.tracking.databases import find_database, refuse_odd_database, write_address
from glabella.tracking.deadline import TooLate, ask_within, limit
from glabella.tracking.places import settle
from glabella.tracking.store_errors import check_address, describe_store_error, list_store_errors

_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
# Telemetry is on by default, and a schema error would print a participant's row.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_SCHEMA_DETAILS": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # By default a server that can't be reached is asked for minutes before anybody is told.
    _RETRIES: "3",
    _TIMEOUT: "10",
    # The address of a run on a server is that of the server, with the password in it.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
# Where a store that is a server listens unless its address says otherwise.
_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
_SECONDS_TO_CONNECT = 5.0
# For the first answer, whole; more where the user allows an attempt more.
_SECONDS_TO_ANSWER = 10.0
# For all that one step asks of a server, attempts after failed ones included.
_SECONDS_FOR_A_STEP = 60.0
# The same where files are sent.
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
        Where a new experiment puts its artifacts; None where the server decides.
    database : Path or None
        The file, where it is one.
    """

    uri: str
    artifacts: str | None
    database: Path | None = None

    @property
    def shown(self) -> str:
        """The store as messages show it: without a password."""
        return str(self.database) if self.database is not None else mask_secrets(self.uri)

    @property
    def root(self) -> Path | None:
        """The folder of all artifacts, where the store is a project's own."""
        if self.artifacts is None or self.database is None:
            return None
        return self.database.with_name("artifacts")

    @property
    def is_remote(self) -> bool:
        """Whether it is asked over a network."""
        return urlsplit(self.uri).scheme.partition("+")[0] in _PORTS


def import_mlflow() -> Any:
    """Import mlflow, quietly and with its traps disarmed."""
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
    """Open the store: what ``MLFLOW_TRACKING_URI`` names, else the project's own database."""
    stated = os.environ.get("MLFLOW_TRACKING_URI")
    if stated:
        check_address(stated, remedy=_REMEDY)
    store = _name_store(project, stated)
    if store.database is not None:
        _open_database(store, create=create, is_own=store.root is not None)
    if store.is_remote:
        _knock(store)
    mlflow = import_mlflow()
    mlflow.set_tracking_uri(store.uri)
    mlflow.set_registry_uri(store.uri)
    if not stated:
        # mlflow notes the addresses in the environment too, where the next project opened by this
        # process, and every program that it starts, would take them for the user's own word.
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
            os.environ.pop(name, None)
    if store.is_remote:
        _ask(store, create=create)
    return store


def _name_store(project: Project, stated: str | None) -> Store:
    own = project.runs / "mlflow.db"
    if not stated:
        return Store(write_address(own), own.with_name("artifacts").as_uri(), own)
    try:
        scheme, _ = urlsplit(stated).scheme, urlsplit(stated).port
    except ValueError as error:
        raise StoreError(
            f"the address of the store is broken: {error}", place=stated, remedy=_REMEDY
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
    """Make the database where that is asked for, and refuse what is none."""
    database = store.database
    assert database is not None
    if not database.exists():
        if os.path.lexists(database):
            raise StoreError("the database is a link that leads nowhere", place=str(database))
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
    refuse_odd_database(database, is_new=create, remedy=remedy)
    if create and store.root is not None:
        settle(database, store.root)


@contextlib.contextmanager
def explain_store_errors(store: Store, *, files: bool = False) -> Iterator[None]:
    """Turn what mlflow raises of a store into a refusal with place and remedy."""
    seconds = _SECONDS_FOR_FILES if files else _SECONDS_FOR_A_STEP
    try:
        with limit(seconds) if store.is_remote else contextlib.nullcontext():
            yield
    except list_store_errors(import_mlflow()) as error:
        raise describe_store_error(error, place=store.shown, remedy=_REMEDY) from None
    except TooLate:
        raise _describe_silence(store, seconds) from None


def _describe_silence(store: Store, seconds: float) -> StoreError:
    return StoreError(
        f"the store of runs and models gave no whole answer in {seconds:.0f} seconds",
        place=store.shown,
        remedy=f"{_REMEDY} A slow one is waited for longer with {_TIMEOUT}=SECONDS.",
    )


def _knock(store: Store) -> None:
    """Ask whether anybody listens: mlflow would go on asking for minutes before it says no."""
    parts = urlsplit(store.uri)
    scheme = parts.scheme.partition("+")[0]
    if scheme not in _PORTS or not parts.hostname or scheme in getproxies():
        return

    def connect() -> None:
        address = (parts.hostname, parts.port or _PORTS[scheme])
        socket.create_connection(address, timeout=_SECONDS_TO_CONNECT).close()

    try:
        # To find the host's number takes time too, and has no limit that could be set.
        ask_within(2 * _SECONDS_TO_CONNECT, connect)
    except TooLate:
        raise _describe_silence(store, 2 * _SECONDS_TO_CONNECT) from None
    except (OSError, ValueError) as error:
        raise StoreError(
            f"the store of runs and models can't be reached: {error}",
            place=store.shown,
            remedy=_REMEDY,
        ) from None


def _ask(store: Store, *, create: bool) -> None:
    """Ask once, and wait for the whole answer: somebody who listens need not answer."""
    seconds = max(_SECONDS_TO_ANSWER, float(os.environ[_TIMEOUT]))
    is_server = urlsplit(store.uri).scheme.partition("+")[0] in ("http", "https")
    retries = os.environ[_RETRIES]
    os.environ[_RETRIES] = "0"
    question = _list_one if is_server else partial(_refuse_empty, store, create)
    try:
        with explain_store_errors(store):
            try:
                ask_within(seconds, question)
            except TooLate:
                raise _describe_silence(store, seconds) from None
    finally:
        os.environ[_RETRIES] = retries


def _list_one() -> None:
    import_mlflow().MlflowClient().search_experiments(max_results=1)


def _refuse_empty(store: Store, create: bool) -> None:
    """Refuse a database on a server that can't be used, or in which mlflow would make tables."""
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
    """Make a migrated database under another name first: two trainings may start together."""
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".store-", dir=database.parent) as folder:
            new = Path(folder) / database.name
            client = import_mlflow().MlflowClient(tracking_uri=write_address(new))
            client.search_experiments(max_results=1)
            with contextlib.suppress(FileExistsError):
                publish(new, database)
    except OSError as error:
        raise StoreError(
            f"the store of the runs can't be made: {error.strerror}",
            place=str(database.parent),
            remedy="Name a project in which you may write, with --project.",
        ) from None
