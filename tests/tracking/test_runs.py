"""What MLflow holds after a training, and after one that did not end."""

import json
import os
import socket
from pathlib import Path

import pandas as pd
import pytest

import glabella
from glabella.definitions.locate import find_project
from glabella.errors import StoreError
from glabella.tracking.runs import find_artifacts, find_run, open_run
from glabella.tracking.store import load_mlflow, open_store


@pytest.fixture
def store(trained):
    project, _ = trained
    return open_store(find_project(project))


@pytest.fixture
def client(store):
    return load_mlflow().MlflowClient()


def test_the_parent_run_holds_parameters_metrics_and_hashes(trained, client):
    _, result = trained
    run = client.get_run(result.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["chosen"] == result.chosen
    assert run.data.tags["origin"] == "real"
    assert len(run.data.tags["data_sha256"]) == 64
    pooled = result.figures.procedure.validated.pooled
    assert run.data.metrics["pooled.auc"] == pooled.estimates["auc"].value
    assert run.data.metrics["across.log_loss_low"] < run.data.metrics["across.log_loss_high"]
    assert run.data.params["version.xgboost"]


def test_each_candidate_is_a_child_run(trained, client):
    _, result = trained
    experiment = client.get_experiment_by_name("small")
    children = client.search_runs(
        [experiment.experiment_id], filter_string=f"tags.mlflow.parentRunId = '{result.run_id}'"
    )
    assert {child.info.run_name for child in children} == set(result.candidates)
    assert all(child.info.status == "FINISHED" for child in children)


def test_artifacts_hold_folds_predictions_definitions_and_report(trained, store, client):
    _, result = trained
    folds = pd.read_csv(find_artifacts(store, result.run_id, "validation") / "folds.csv")
    assert (
        folds.query("design == 'pooled'").groupby("repeat")["held_out"].sum().tolist() == [120] * 2
    )
    predictions = pd.read_parquet(
        find_artifacts(store, result.run_id, "validation") / "predictions.parquet"
    )
    assert set(predictions["candidate"]) == {*result.candidates, "procedure"}
    definitions = find_artifacts(store, result.run_id, "definitions")
    text = (definitions / "pipelines" / "small.yaml").read_text()
    assert text == (trained[0] / "pipelines" / "small.yaml").read_text()
    assert "report.html" in {item.path for item in client.list_artifacts(result.run_id)}


def test_no_artifact_holds_a_participant_and_the_key_is_kept_apart(trained):
    project, result = trained
    ids = set(pd.read_csv(project / "participants.csv")["usubjid"])
    keys = pd.read_csv(project / "mlruns" / "keys" / f"{result.run_id}.csv")
    assert set(keys["usubjid"]) == ids
    predictions = pd.read_parquet(
        next((project / "mlruns" / "artifacts").rglob("predictions.parquet"))
    )
    assert set(predictions["key"]) == set(keys["key"])
    for path in (project / "mlruns" / "artifacts").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [name for name in ids if name.encode() in content], path.name


def test_a_run_is_found_by_id_beginning_and_analysis(trained):
    project, result = trained
    store = open_store(find_project(project))
    for reference in (result.run_id, result.run_id[:8], "small"):
        assert find_run(store, reference) == result.run_id
    with pytest.raises(StoreError, match="no finished run 'smal'"):
        find_run(store, "smal")


def test_an_interrupted_run_is_marked_failed_and_leaves_nothing(small_project, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("glabella.pipelines.training.train.render_report", interrupt)
    with pytest.raises(KeyboardInterrupt):
        glabella.train("small", project=small_project, workers=1)
    client = load_mlflow().MlflowClient()
    experiment = client.get_experiment_by_name("small")
    runs = client.search_runs([experiment.experiment_id])
    assert [run.info.status for run in runs] == ["FAILED"]
    assert client.search_registered_models() == []
    assert list((small_project / "mlruns" / "trained").iterdir()) == []
    monkeypatch.undo()
    assert glabella.train("small", project=small_project, workers=1).model_uri == "models:/small/1"


def test_a_run_whose_process_was_killed_is_marked_when_the_next_one_starts(small_project):
    store = open_store(find_project(small_project))
    client = load_mlflow().MlflowClient()
    experiment = client.create_experiment("small", artifact_location=store.artifacts)
    killed = f"{socket.gethostname()}:{2**22 + 1}"
    left = client.create_run(experiment, tags={"glabella.process": killed})
    mine = client.create_run(
        experiment, tags={"glabella.process": f"{socket.gethostname()}:{os.getpid()}"}
    )
    with open_run(store, analysis="small", run_name="small", tags={}):
        pass
    assert client.get_run(left.info.run_id).info.status == "FAILED"
    assert client.get_run(mine.info.run_id).info.status == "RUNNING"


def test_the_record_holds_no_not_a_number(trained):
    _, result = trained
    text = (Path(result.report).parent / "record" / "record.json").read_text()

    def refuse(name: str) -> None:
        raise AssertionError(name)

    assert json.loads(text, parse_constant=refuse)["chosen"] == result.chosen


def test_a_run_that_fails_late_leaves_no_key_and_no_finished_candidate(small_project, monkeypatch):
    def fail(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("glabella.pipelines.training.train.register_bundle", fail)
    with pytest.raises(KeyboardInterrupt):
        glabella.train("small", project=small_project, workers=1)
    client = load_mlflow().MlflowClient()
    experiment = client.get_experiment_by_name("small")
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 6
    assert {run.info.status for run in runs} == {"FAILED"}
    assert list((small_project / "mlruns" / "keys").iterdir()) == []
    assert list((small_project / "mlruns" / "trained").iterdir()) == []


def test_predictions_do_not_follow_the_order_of_the_participants(trained):
    project, result = trained
    path = next((project / "mlruns" / "artifacts").rglob("predictions.parquet"))
    table = pd.read_parquet(path)
    order = ["candidate", "design", "repeat", "fold", "key"]
    pd.testing.assert_frame_equal(
        table.reset_index(drop=True), table.sort_values(order).reset_index(drop=True)
    )
    keys = pd.read_csv(project / "mlruns" / "keys" / f"{result.run_id}.csv")["key"]
    assert keys.tolist() != sorted(keys)
