"""Where runs live."""

from __future__ import annotations

import logging
import os
import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from glabella.definitions.locate import Project
from glabella.errors import StoreError

# Telemetry is on by default, and a schema error would print a participant's row.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_SCHEMA_DETAILS": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
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


def open_store(project: Project) -> Store:
    """Open the store: what ``MLFLOW_TRACKING_URI`` names, else the project's own database.

    Parameters
    ----------
    project : Project
        The project.

    Returns
    -------
    Store
        Set as mlflow's tracking store.

    Raises
    ------
    StoreError
        If the folder of the project's own store can't be made.
    """
    stated = os.environ.get("MLFLOW_TRACKING_URI")
    if stated:
        store = Store(stated, None)
    else:
        try:
            project.runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the folder of the runs can't be made: {error.strerror}",
                place=str(project.runs),
                remedy="Name a project in which you may write, with --project.",
            ) from None
        database = (project.runs / "mlflow.db").as_posix()
        store = Store(f"sqlite:///{database}", (project.runs / "artifacts").as_uri())
    mlflow = import_mlflow()
    mlflow.set_tracking_uri(store.uri)
    mlflow.set_registry_uri(store.uri)
    if not stated:
        # mlflow notes the address in the environment too, where the next project opened by this
        # process would take it for the user's own word.
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    return store
