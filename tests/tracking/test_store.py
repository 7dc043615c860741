"""The store is the project's own by default; it is made only by verbs that write."""

import os
from pathlib import Path

import pytest

import glabella
from glabella.definitions.locate import find_project
from glabella.errors import StoreError
from glabella.tracking.store import Store, open_store


def test_a_store_that_cannot_be_reached_is_named(small_project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(StoreError, match="the store of runs and models can't be reached"):
        glabella.train("small", project=small_project, workers=1)


def test_asking_for_what_is_not_there_makes_no_store(tmp_path, checkout):
    project = find_project(checkout)
    empty = type(project)(definitions=project.definitions, home=tmp_path)
    with pytest.raises(StoreError, match="there are no runs and no models yet"):
        open_store(empty)
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_made_whole_and_leaves_nothing_else(tmp_path, checkout, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    project = find_project(checkout)
    empty = type(project)(definitions=project.definitions, home=tmp_path)
    open_store(empty, create=True)
    assert [path.name for path in (tmp_path / "mlruns").iterdir()] == ["mlflow.db"]
    open_store(empty)


def test_opening_a_project_leaves_no_address_for_other_programs(small_project, monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.delenv(name, raising=False)
    open_store(find_project(small_project))
    assert not {"MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"} & set(os.environ)


@pytest.mark.parametrize(
    ("uri", "is_remote"),
    [
        ("https://user:secret@host.example/mlflow", True),
        ("postgresql+psycopg2://user:secret@host.example/db", True),
        ("sqlite:////folder/mlflow.db", False),
    ],
)
def test_a_server_is_known_by_its_address_and_shown_without_its_password(uri, is_remote):
    store = Store(uri, None)
    assert store.is_remote is is_remote
    assert "secret" not in store.shown
    assert store.root is None


def test_only_a_projects_own_store_has_a_folder_of_artifacts():
    database = Path("/project/mlruns/mlflow.db")
    own = Store("sqlite:////project/mlruns/mlflow.db", "file:///project/mlruns/artifacts", database)
    assert own.root == Path("/project/mlruns/artifacts")
    assert own.shown == str(database)
    assert Store(own.uri, None, database).root is None


def test_a_folder_can_not_be_the_store(small_project, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(tmp_path))
    with pytest.raises(StoreError, match="a folder can't be the store"):
        open_store(find_project(small_project))
