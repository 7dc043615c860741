"""Where runs live."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from glabella.definitions.locate import Project
from glabella.errors import StoreError

# Telemetry is on by default, and a schema error would print a participant's row.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_SCHEMA_DETAILS": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # By default a server that can't be reached is asked for minutes before anybody is told.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


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
        If there is no store and none is to be made, or its folder can't be.
    """
    stated = os.environ.get("MLFLOW_TRACKING_URI")
    if stated:
        store = Store(stated, None)
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
        store = Store(f"sqlite:///{database.as_posix()}", (project.runs / "artifacts").as_uri())
    mlflow = import_mlflow()
    mlflow.set_tracking_uri(store.uri)
    mlflow.set_registry_uri(store.uri)
    if not stated:
        # mlflow notes the address in the environment too, where the next project opened by this
        # process would take it for the user's own word.
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    return store


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
