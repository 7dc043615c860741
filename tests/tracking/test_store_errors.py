"""A store that can't be used is refused in our words."""

import sqlite3

import pytest
import sqlalchemy.exc

from glabella.definitions.locate import Project
from glabella.errors import StoreError
from glabella.tracking.runs import list_finished
from glabella.tracking.store import Store, explain_store_errors, open_store
from glabella.tracking.store_errors import check_address

STORE = Store("sqlite:////tmp/x.db", None)


@pytest.mark.parametrize(
    "address",
    ["http://", "http://[::1", f"http://{'x' * 300}/", "http://h:99999", "http://h:port/"],
)
def test_an_address_that_is_none_is_refused_and_not_repeated(address, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(StoreError) as caught:
        open_store(Project(tmp_path, tmp_path))
    assert str(caught.value) == (
        "the address of the store of runs and models can't be read as an address\n"
        "  Check MLFLOW_TRACKING_URI, or unset it to use the project's own store."
    )


@pytest.mark.parametrize(
    "address",
    ["http://localhost:5000", "postgresql://u:p@h/db", "sqlite:////a/b.db", "https://é.de"],
)
def test_an_address_is_taken(address):
    check_address(address, remedy="")


@pytest.mark.parametrize("address", ["foo://bar", "sqlite+foo:///x.db", "oracle://h/x"])
def test_a_kind_of_store_that_there_is_not_is_refused(address, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "")
    with pytest.raises(StoreError, match=r"can't be used|there are no runs and no models yet"):
        list_finished(open_store(Project(tmp_path, tmp_path)))


@pytest.mark.parametrize(
    ("error", "finding"),
    [
        (
            ModuleNotFoundError("No module named 'psycopg2'", name="psycopg2"),
            "needs the package 'psycopg2', which is not installed\n"
            "  Install the driver for this kind of database.",
        ),
        (
            sqlite3.DatabaseError("database disk image is malformed"),
            "the database of runs and models is damaged: database disk image is malformed",
        ),
        (
            sqlalchemy.exc.DatabaseError(
                "SELECT secret", {"id": "P1"}, sqlite3.DatabaseError("file is not a database")
            ),
            "the database of runs and models is damaged: file is not a database\n",
        ),
        (
            sqlalchemy.exc.OperationalError(
                "SELECT secret", {"id": "P1"}, sqlite3.OperationalError("database is locked")
            ),
            "the store of runs and models can't be used: database is locked\n",
        ),
    ],
)
def test_what_a_store_raises_is_a_refusal_without_its_statement(error, finding):
    with pytest.raises(StoreError) as caught, explain_store_errors(STORE):
        raise error
    assert finding in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "P1" not in str(caught.value)


@pytest.mark.parametrize("damage", ["text", "middle", "cut"])
def test_a_damaged_database_is_refused_by_name(small_project, damage):
    database = small_project / "mlruns" / "mlflow.db"
    content = bytearray(database.read_bytes())
    if damage == "text":
        content = bytearray(b"this is not a database at all, however long it may be\n" * 100)
    elif damage == "middle":
        content[100:200_000] = bytes(range(1, 201)) * 1000
    else:
        del content[5_000:]
    database.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        list_finished(open_store(Project(small_project, small_project)))
    assert "the database of runs and models is damaged" in str(caught.value)
    assert str(database) in str(caught.value)
