"""A project that was moved or copied finds its own files, and writes nowhere else."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

import glabella
from glabella.bundle.load import load_bundle
from glabella.cli.main import app
from glabella.definitions.locate import find_project
from glabella.errors import BundleError, StoreError
from glabella.pipelines.report import write_report
from glabella.tracking.locations import check_inside, find_files, read_path, update_addresses
from glabella.tracking.registry import find_registered_bundle
from glabella.tracking.runs import find_artifacts, open_run
from glabella.tracking.store import open_store


def _remember(folder):
    """What is in a folder, to the byte."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def _read_addresses(project):
    columns = {
        "experiments": "artifact_location",
        "runs": "artifact_uri",
        "logged_models": "artifact_location",
        "model_versions": "storage_location",
    }
    with closing(sqlite3.connect(project / "mlruns" / "mlflow.db")) as database:
        rows = [
            row
            for table, column in columns.items()
            for row in database.execute(f"SELECT {column} FROM {table}")
        ]
    # The experiment that MLflow makes by itself has the folder in which the database was made.
    return [address for (address,) in rows if "mlruns/artifacts" in address]


@pytest.fixture(params=["the original stays", "the original is gone"])
def moved(trained_twice, tmp_path, request):
    """A copy of a project, or the project itself under another name and elsewhere."""
    original, first, second = trained_twice
    if request.param == "the original is gone":
        copied = tmp_path / "first place"
        shutil.copytree(original, copied)
        update_addresses(copied / "mlruns" / "mlflow.db", copied / "mlruns" / "artifacts")
        original = copied
    project = tmp_path / "ü moved (2)"
    if request.param == "the original is gone":
        original.rename(project)
        yield project, first, second
        assert not original.exists()
    else:
        shutil.copytree(original, project)
        before = _remember(original)
        yield project, first, second
        assert _remember(original) == before


def test_every_verb_finds_the_runs_and_models_of_a_moved_project(moved, new_patients, tmp_path):
    project, first, second = moved
    database = (project / "mlruns" / "mlflow.db").read_bytes()
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    for verb in (glabella.score, glabella.explain):
        done = verb(
            tmp_path / "new.csv",
            out=tmp_path / f"{verb.__name__}.csv",
            model="small@challenger",
            project=project,
        )
        assert done.model.endswith(second.run_id[:8])
    compared = glabella.compare("small", project=project)
    assert [run.run_id for run in compared.runs] == [second.run_id, first.run_id]
    assert all(run.record for run in compared.runs)
    assert compared.differences[0].measured is not None
    for run in compared.runs:
        assert Path(run.bundle).is_relative_to(project)
        assert Path(run.report).is_relative_to(project)
    page = write_report(first.run_id, out=tmp_path / "report.html", project=project)
    assert (
        page.read_text()
        == Path(project / "mlruns" / "trained" / first.run_id / "report.html").read_text()
    )
    assert glabella.promote("small", dry_run=True, project=project).criteria
    # None of them writes.
    assert (project / "mlruns" / "mlflow.db").read_bytes() == database
    assert glabella.promote("small/1", override="a test", project=project).promoted
    assert find_registered_bundle(
        None, project=find_project(project), allow_simulated=False
    ).is_relative_to(project)


def test_a_training_in_a_copy_writes_into_the_copy_alone(moved, tmp_path):
    project, first, second = moved
    third = glabella.train("small", project=project, workers=1)
    assert third.model_uri == "models:/small/3"
    for version in (1, 2, 3):
        found = find_registered_bundle(
            f"small/{version}", project=find_project(project), allow_simulated=False
        )
        assert found.is_relative_to(project / "mlruns" / "artifacts")
        assert load_bundle(found).manifest.analysis == "small"
    new = (project / "mlruns" / "artifacts").as_uri()
    addresses = _read_addresses(project)
    assert len(addresses) > 10
    assert {address[: len(new)] for address in addresses} == {new}
    compared = glabella.compare("small", project=project)
    assert {run.run_id for run in compared.runs} == {first.run_id, second.run_id, third.run_id}
    assert all(item.measured is not None for item in compared.differences)


def test_files_that_were_not_copied_are_refused_with_the_true_reason(trained_twice, tmp_path):
    original, first, _ = trained_twice
    project = tmp_path / "project"
    shutil.copytree(original, project, ignore=shutil.ignore_patterns("artifacts"))
    with pytest.raises(BundleError, match="its files are not in this project") as caught:
        find_registered_bundle("small/1", project=find_project(project), allow_simulated=False)
    assert str(original) in str(caught.value)
    with pytest.raises(StoreError, match="its files are not in this project"):
        write_report(first.run_id, out=tmp_path / "report.html", project=project)
    [newest, _] = glabella.compare("small", project=project).runs
    assert "its files are not in this project" in newest.reasons["candidates"]
    update_addresses(project / "mlruns" / "mlflow.db", project / "mlruns" / "artifacts")
    with pytest.raises(BundleError, match="its files are not in the store"):
        find_registered_bundle("small/1", project=find_project(project), allow_simulated=False)


def test_an_experiment_whose_files_go_elsewhere_is_refused_before_anything_is_fitted(
    small_project, tmp_path
):
    with closing(sqlite3.connect(small_project / "mlruns" / "mlflow.db")) as database, database:
        database.execute(
            "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage) "
            "VALUES (5, 'small', ?, 'active')",
            ((tmp_path / "elsewhere").as_uri(),),
        )
    with pytest.raises(StoreError, match="outside the project") as caught:
        glabella.train("small", project=small_project, workers=1)
    assert "elsewhere" in str(caught.value)
    assert not (tmp_path / "elsewhere").exists()


def test_a_project_that_moves_while_it_is_written_writes_nowhere_else(small_project, tmp_path):
    store = open_store(find_project(small_project))
    (tmp_path / "file.txt").write_text("x")
    with (
        pytest.raises(StoreError, match="outside the project"),
        open_run(store, analysis="small", run_name="small", tags={}) as run,
    ):
        update_addresses(small_project / "mlruns" / "mlflow.db", tmp_path / "mlruns" / "artifacts")
        run.log_file(tmp_path / "file.txt")
    assert not (tmp_path / "mlruns").exists()


def test_the_address_of_the_own_database_is_the_own_store(registry, monkeypatch, tmp_path):
    project, first, _ = registry
    monkeypatch.chdir(project)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlruns/mlflow.db")
    store = open_store(find_project(project))
    assert store.root == project / "mlruns" / "artifacts"
    found = find_artifacts(store, first.run_id, "record")
    assert found == store.root / first.run_id / "artifacts" / "record"


def test_a_stated_database_whose_files_are_gone_is_refused_with_the_true_reason(
    trained_twice, tmp_path, monkeypatch
):
    original, first, _ = trained_twice
    gone = tmp_path / "gone"
    shutil.copytree(original, gone)
    update_addresses(gone / "mlruns" / "mlflow.db", gone / "mlruns" / "artifacts")
    shutil.copy(gone / "mlruns" / "mlflow.db", tmp_path / "runs.db")
    shutil.rmtree(gone)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/runs.db")
    with pytest.raises(BundleError, match="the address in the database") as caught:
        find_registered_bundle("small/1", project=find_project(original), allow_simulated=False)
    assert str(gone) in str(caught.value)
    with pytest.raises(StoreError, match="the address in the database"):
        write_report(first.run_id, out=tmp_path / "report.html", project=original)
    assert not gone.exists()


def test_an_address_gives_its_path_whatever_it_holds(tmp_path):
    for name in ("a%20b", "q?m", "a#b", "ü", "plain"):
        assert read_path((tmp_path / name).as_uri()) == tmp_path / name
        assert read_path(str(tmp_path / "plain")) == tmp_path / "plain"
    assert read_path("s3://bucket/folder") is None
    assert read_path("mlflow-artifacts:/folder") is None


def test_files_below_the_root_are_found_where_they_are_recorded(tmp_path):
    root = tmp_path / "mlruns" / "artifacts"
    (root / "odd").mkdir(parents=True)
    assert find_files(root, (root / "odd").as_uri(), "run", "artifacts") == root / "odd"
    (root / "run" / "artifacts").mkdir(parents=True)
    assert find_files(root, "file:///x", "run", "artifacts") == root / "run" / "artifacts"
    with pytest.raises(StoreError, match=r"not in this project.*s3://bucket/x"):
        find_files(root, "s3://bucket/x")
    check_inside(root, (root / "odd").as_uri())
    for elsewhere in ((tmp_path / "odd").as_uri(), "s3://bucket", f"{root.as_uri()}2"):
        with pytest.raises(StoreError, match="outside the project"):
            check_inside(root, elsewhere)


def test_the_command_works_in_a_moved_project(registry, tmp_path):
    project, _, second = registry
    asked = ["compare", "small", "--project", str(project), "--json"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["runs"][0]["run_id"] == second.run_id
