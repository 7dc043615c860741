"""A project under any path, and an address that is mistyped: it works or is refused at once."""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

import glabella
from glabella.definitions.locate import find_project
from glabella.errors import StoreError
from glabella.pipelines.report import write_report
from glabella.tracking import databases
from glabella.tracking.databases import find_database, write_address
from glabella.tracking.registry import find_registered_bundle
from glabella.tracking.runs import find_artifacts, open_run
from glabella.tracking.store import open_store

ODD = (
    "a%20b", "q?m", "a#b", "100%", "[x]", "{y}", "two words", " lead", "ü ö", "日本", "'q'", 'd"q',
    "a;b", "a&b", "a=b", "a+b", "a@b", "a:b", "back\\slash", "new\nline", "-dash", "%3F", "a%2Fb",
    "$HOME", "~", "\x01", "x" * 200,
)  # fmt: skip
SLOWEST_REFUSAL_SECONDS = 5.0


def _list(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def _name_verbs(project, out):
    """The verbs that read the store, each as a call."""
    people = project / "participants.csv"
    asked = {"model": "small", "project": project}
    return {
        "compare": lambda: glabella.compare(project=project),
        "score": lambda: glabella.score(people, out=out / "scores.csv", **asked),
        "explain": lambda: glabella.explain(people, out=out / "scores.parquet", **asked),
        "report": lambda: write_report("small", out=out / "report.html", project=project),
        "dry run": lambda: glabella.promote("small", dry_run=True, project=project),
        "promote": lambda: glabella.promote("small", project=project),
        "roll back": lambda: glabella.roll_back("small", project=project),
        "validate": lambda: glabella.validate(people, outcome="sex", **asked),
        "update": lambda: glabella.update(people, outcome="sex", **asked),
    }


@pytest.mark.parametrize("name", ODD)
def test_a_project_works_under_any_path(small_project, empty_store, tmp_path, name):
    above = tmp_path / "above"
    project = above / name
    above.mkdir()
    small_project.rename(project)
    store = open_store(find_project(project), create=True)
    (project / "file.txt").write_text("x")
    with open_run(store, analysis="small", run_name="small", tags={}) as run:
        run.log_file(project / "file.txt", "record")
    found = find_artifacts(store, run.run_id, "record")
    assert (found / "file.txt").read_text() == "x"
    assert found.is_relative_to(project)
    assert [path.name for path in above.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a%20b", "q?m"])
def test_training_and_scoring_work_where_a_path_looks_like_an_address(
    small_project, new_patients, tmp_path, name
):
    project = tmp_path / "above" / name
    project.parent.mkdir()
    small_project.rename(project)
    shutil.rmtree(project / "mlruns")
    analysis = project / "pipelines" / "small.yaml"
    text = analysis.read_text().replace(
        "[prevalence, arm_only, severity, ridge, xgboost]", "[ridge]"
    )
    text = text.replace("{folds: 3, repeats: 2}", "{folds: 2, repeats: 1}")
    text = text.replace("  across: leave_one_trial_out\n", "")
    analysis.write_text(text.replace("  inside: {folds: 3, repeats: 1}\n", ""))
    assert glabella.train("small", project=project, workers=1).model_uri == "models:/small/1"
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    done = glabella.score(
        tmp_path / "new.csv", out=tmp_path / "scores.csv", model="small@challenger", project=project
    )
    assert done.scored == 30
    assert [path.name for path in project.parent.iterdir()] == [name]


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_path_that_is_no_text_is_refused_at_once(small_project, tmp_path):
    project = tmp_path / "\udcff"
    small_project.rename(project)
    for create in (False, True):
        with pytest.raises(StoreError, match="bytes that are not UTF-8"):
            open_store(find_project(project), create=create)


def test_a_path_that_is_too_long_is_refused_at_once(tmp_path):
    with pytest.raises(StoreError, match=r"as an address it has 2\d+ characters") as caught:
        write_address(tmp_path.joinpath(*["x" * 200] * 10) / "mlruns" / "mlflow.db")
    assert len(str(caught.value)) < 500


def test_a_character_that_no_address_can_hold_is_named(tmp_path, monkeypatch):
    """An earlier SQLAlchemy reads an address as it stands, and a question mark ends the path."""
    import sqlalchemy.engine

    class Earlier:
        URL = sqlalchemy.engine.URL

        @staticmethod
        def make_url(address):
            return sqlalchemy.engine.make_url(address.replace("%3F", "?"))

    monkeypatch.setattr(databases, "import_module", lambda name: Earlier)
    with pytest.raises(StoreError, match=r"it has '\?'") as caught:
        write_address(tmp_path / "q?m" / "mlruns" / "mlflow.db")
    assert "Rename or move the project" in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:///{folder}/mistyped.db",
        "sqlite:////{folder}/mistyped.db",
        "sqlite:///{folder}/no/such/folder/mlflow.db",
        "sqlite:///mistyped.db",
        "sqlite+pysqlite:///{folder}/mistyped.db",
        "SQLITE:///{folder}/mistyped.db",
        "sqlite:///file:{folder}/mistyped.db?uri=true",
        "sqlite:///{folder}/mistyped.db?timeout=5",
        "sqlite:///{folder}/mis%20typed.db",
        "sqlite:///{folder}/empty.db",
        "sqlite:///{folder}/others.db",
        "sqlite:///{folder}/text.db",
        "sqlite:///{folder}/link.db",
        "sqlite:///{folder}",
        "sqlite://",
        "sqlite:///:memory:",
        "file://{folder}/mlruns",
        "{folder}/mlruns",
        "mlruns",
    ],
)
def test_no_reading_verb_makes_anything_of_a_mistyped_address(
    small_project, tmp_path, monkeypatch, address
):
    folder = tmp_path / "stores"
    folder.mkdir()
    (folder / "empty.db").touch()
    (folder / "text.db").write_text("not a database, whatever its name says " * 100)
    (folder / "link.db").symlink_to(folder / "nowhere.db")
    with closing(sqlite3.connect(folder / "others.db")) as database, database:
        database.execute("CREATE TABLE patients (name TEXT)")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    stated = address.format(folder=folder)
    before = _list(tmp_path)
    contents = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for name, act in _name_verbs(small_project, here).items():
        monkeypatch.setenv("MLFLOW_TRACKING_URI", stated)
        started = time.monotonic()
        with pytest.raises(StoreError) as caught:
            act()
        assert time.monotonic() - started < SLOWEST_REFUSAL_SECONDS, name
        assert "MLFLOW_TRACKING_URI" in str(caught.value) or "link" in str(caught.value), name
        assert _list(tmp_path) == before, name
    assert contents == {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_project_without_runs_is_read_and_left_as_it_is(small_project, tmp_path, monkeypatch):
    shutil.rmtree(small_project / "mlruns")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    before = _list(tmp_path)
    for act in _name_verbs(small_project, here).values():
        with pytest.raises(StoreError, match="there are no runs and no models yet"):
            act()
    assert _list(tmp_path) == before


def test_a_training_makes_the_stated_database_and_no_folder_for_it(
    small_project, tmp_path, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/no/such/runs.db")
    with pytest.raises(StoreError, match="the folder of the database does not exist"):
        open_store(find_project(small_project), create=True)
    assert not (tmp_path / "no").exists()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/runs.db")
    store = open_store(find_project(small_project), create=True)
    assert store.database == tmp_path / "runs.db"
    assert (tmp_path / "runs.db").is_file()


def test_a_link_that_leads_nowhere_is_not_made_a_database(small_project, tmp_path):
    database = small_project / "mlruns" / "mlflow.db"
    database.unlink()
    database.symlink_to(tmp_path / "nowhere.db")
    for create in (False, True):
        with pytest.raises(StoreError, match="a link to a missing file"):
            open_store(find_project(small_project), create=create)
    assert not (tmp_path / "nowhere.db").exists()


def test_a_damaged_database_is_refused_at_once(small_project):
    (small_project / "mlruns" / "mlflow.db").write_bytes(b"\0" * 5000)
    started = time.monotonic()
    with pytest.raises(StoreError, match="is damaged: file is not a database"):
        find_registered_bundle("small", project=find_project(small_project), allow_simulated=False)
    assert time.monotonic() - started < SLOWEST_REFUSAL_SECONDS


def test_only_addresses_of_files_name_one(tmp_path):
    assert find_database("http://host:5000") is None
    assert find_database("postgresql://host/runs") is None
    assert find_database(f"sqlite:///{tmp_path}/a.db") == tmp_path / "a.db"
    assert find_database(write_address(tmp_path / "a%20b?.db")) == tmp_path / "a%20b?.db"
    assert find_database("sqlite:///a.db") == Path.cwd() / "a.db"
