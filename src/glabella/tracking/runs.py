"""Logs a training as a parent run, and each of its candidates as a child run."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from glabella.errors import StoreError, describe_choices
from glabella.tracking.locations import check_inside, describe_lost, find_files, read_path
from glabella.tracking.store import Store, explain_store_errors, load_mlflow

_PROCESS_TAG = "glabella.process"
ANALYSIS_TAG = "glabella.analysis"
_OTHER_TAG = "glabella.beside_analysis"


def name_metric(text: str) -> str:
    """Convert a name so that it can be part of a metric's name.

    Examples
    --------
    >>> name_metric("Trial 1 (2012)")
    'Trial_1__2012_'
    """
    return re.sub(r"[^\w.-]", "_", text)


@dataclass(frozen=True)
class OpenRun:
    """A parent run that is being written.

    Parameters
    ----------
    run_id : str
        The id of the run in MLflow.
    experiment_id : str
        The id of the analysis's experiment.
    store : Store
        The store that it is written to.
    """

    run_id: str
    experiment_id: str
    store: Store

    def log(
        self,
        *,
        params: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Log to the parent run."""
        with explain_store_errors(self.store):
            _log_batch(self.run_id, params or {}, metrics or {}, tags or {})

    def log_folder(self, folder: Path, artifact_path: str) -> None:
        """Log a folder of files."""
        with explain_store_errors(self.store, files=True):
            self.check_inside()
            load_mlflow().MlflowClient().log_artifacts(self.run_id, str(folder), artifact_path)

    def log_file(self, path: Path, artifact_path: str | None = None) -> None:
        """Log one file."""
        with explain_store_errors(self.store, files=True):
            self.check_inside()
            load_mlflow().MlflowClient().log_artifact(self.run_id, str(path), artifact_path)

    def check_inside(self) -> None:
        """Refuse to write files outside the project, if the store is the project's own."""
        if self.store.root is None:
            return
        client = load_mlflow().MlflowClient()
        check_inside(self.store.root, client.get_run(self.run_id).info.artifact_uri)
        experiment = client.get_experiment(self.experiment_id)
        check_inside(self.store.root, experiment.artifact_location)

    def log_candidate(
        self,
        name: str,
        *,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        failed: bool,
    ) -> None:
        """Log a candidate as a child run."""
        with explain_store_errors(self.store):
            client = load_mlflow().MlflowClient()
            child = client.create_run(
                self.experiment_id,
                run_name=name,
                tags={"mlflow.parentRunId": self.run_id, **tags},
            )
            _log_batch(child.info.run_id, params, metrics, {})
            client.set_terminated(child.info.run_id, "FAILED" if failed else "FINISHED")


@contextlib.contextmanager
def open_run(
    store: Store,
    *,
    analysis: str,
    run_name: str,
    tags: Mapping[str, str],
    is_training: bool = True,
) -> Iterator[OpenRun]:
    """Open a parent run, which is marked as failed if an error stops it."""
    mlflow = load_mlflow()
    with explain_store_errors(store):
        experiment_id = _find_experiment(mlflow, store, analysis)
        _mark_abandoned(mlflow, experiment_id)
        process = {_PROCESS_TAG: f"{socket.gethostname()}:{os.getpid()}"}
        found_by = {ANALYSIS_TAG: analysis} if is_training else {_OTHER_TAG: analysis}
        started = mlflow.start_run(
            experiment_id=experiment_id, run_name=run_name, tags={**tags, **process, **found_by}
        )
    with started as run:
        opened = OpenRun(run.info.run_id, experiment_id, store)
        try:
            # A location outside the project is refused before anything is fitted.
            opened.check_inside()
            yield opened
        except BaseException:
            _mark_children(mlflow, experiment_id, run.info.run_id)
            raise


@dataclass(frozen=True)
class FinishedRun:
    """A finished training in the store.

    Parameters
    ----------
    run_id, analysis : str
        The run and its analysis.
    started : str
        Date and time of its start in UTC, to the second.
    params, tags : mapping of str
        The logged parameters and tags.
    """

    run_id: str
    analysis: str
    started: str
    params: Mapping[str, str]
    tags: Mapping[str, str]


def list_finished(store: Store) -> list[FinishedRun]:
    """List the finished trainings, the newest first."""
    with explain_store_errors(store):
        client = load_mlflow().MlflowClient()
        experiments = client.search_experiments()
        runs = client.search_runs(
            [experiment.experiment_id for experiment in experiments],
            filter_string=f"tags.`{ANALYSIS_TAG}` != '' and attributes.status = 'FINISHED'",
            order_by=["attributes.start_time DESC"],
            max_results=1000,
        )
    return [
        FinishedRun(
            run_id=str(run.info.run_id),
            analysis=str(run.data.tags[ANALYSIS_TAG]),
            started=datetime.fromtimestamp(run.info.start_time / 1000, UTC).isoformat(
                timespec="seconds"
            ),
            params=dict(run.data.params),
            tags=dict(run.data.tags),
        )
        for run in runs
    ]


def find_run(store: Store, reference: str) -> str:
    """Find a finished training by its id, the beginning of its id, or its analysis (the latest)."""
    finished = list_finished(store)
    for run in finished:
        if run.analysis == reference:
            return run.run_id
    if len(reference) >= 4:
        for run in finished:
            if run.run_id.startswith(reference):
                return run.run_id
    known = sorted({run.analysis for run in finished})
    raise StoreError(
        f"there is no finished run '{reference}'",
        place=store.shown,
        remedy="Name a run's id or an analysis. " + describe_choices(reference, known),
    )


def find_artifacts(store: Store, run_id: str, artifact_path: str) -> Path:
    """Find a folder of a run's artifacts, downloading it from a server."""
    mlflow = load_mlflow()
    lacking = StoreError(
        f"the run has no '{artifact_path}'",
        place=run_id,
        remedy="It was not written by `glabella train`, or its artifacts were removed.",
    )
    if store.root is not None:
        with explain_store_errors(store):
            recorded = mlflow.MlflowClient().get_run(run_id).info.artifact_uri
        found = find_files(store.root, recorded, run_id, "artifacts") / artifact_path
        if not found.is_dir():
            raise lacking
        return found
    with explain_store_errors(store, files=True):
        recorded = mlflow.MlflowClient().get_run(run_id).info.artifact_uri
        try:
            return Path(
                mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=artifact_path)
            )
        except (mlflow.MlflowException, OSError):
            there = read_path(recorded)
            if there is not None and not there.is_dir():
                raise describe_lost(recorded) from None
            raise lacking from None


def _find_experiment(mlflow: Any, store: Store, name: str) -> str:
    client = mlflow.MlflowClient()
    found = client.get_experiment_by_name(name)
    if found is not None:
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)
    # Without a kind, MLflow shows pages on traces of language models first.
    kind = {"mlflow.experimentKind": "custom_model_development"}
    try:
        made = client.create_experiment(name, artifact_location=store.artifacts, tags=kind)
    except mlflow.MlflowException as error:
        # Another training of the same analysis has started in the meantime.
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        made = client.get_experiment_by_name(name).experiment_id
    return str(made)


def _mark_children(mlflow: Any, experiment_id: str, run_id: str) -> None:
    """Mark the candidates of a failed run as failed, since their results are incomplete."""
    client = mlflow.MlflowClient()
    with contextlib.suppress(mlflow.MlflowException):
        for child in client.search_runs(
            [experiment_id], filter_string=f"tags.`mlflow.parentRunId` = '{run_id}'"
        ):
            client.set_terminated(child.info.run_id, "FAILED")


def _mark_abandoned(mlflow: Any, experiment_id: str) -> None:
    """Mark runs as failed whose process on this machine was killed."""
    client = mlflow.MlflowClient()
    running = client.search_runs([experiment_id], filter_string="attributes.status = 'RUNNING'")
    for run in running:
        host, _, process = run.data.tags.get(_PROCESS_TAG, "").rpartition(":")
        if host == socket.gethostname() and not Path(f"/proc/{process}").exists():
            client.set_terminated(run.info.run_id, "FAILED")


def _log_batch(
    run_id: str, params: Mapping[str, Any], metrics: Mapping[str, float], tags: Mapping[str, str]
) -> None:
    mlflow = load_mlflow()
    entities = mlflow.entities
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.MlflowClient().log_batch(
            run_id,
            metrics=[entities.Metric(key, value, 0, 0) for key, value in metrics.items()],
            params=[entities.Param(key, str(value)) for key, value in params.items()],
            tags=[entities.RunTag(key, value) for key, value in tags.items()],
        )
