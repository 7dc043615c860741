"""A tracking server with PostgreSQL behind it, a store that is down, and two trainings at once."""

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import glabella
from glabella.cli.main import app
from glabella.definitions.locate import find_project
from glabella.errors import BundleError, StoreError
from glabella.tracking.registry import find_registered_bundle
from glabella.tracking.store import load_mlflow, open_store

CLOSED = "127.0.0.1:9"
SLOWEST_REFUSAL_SECONDS = 5.0


def find_free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(is_so, *, seconds, what):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"{what} did not come up"
        time.sleep(0.1)


def listens(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


def find_postgres():
    """Find PostgreSQL's programs: on the path, or where Debian puts them."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    pytest.skip("PostgreSQL is not installed: a tracking server keeps its runs in it")
    return None


@pytest.fixture
def postgres():
    """A cluster of its own in a temporary folder, on a free port of the loopback."""
    programs = find_postgres()
    # Outside pytest's folder, which another user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="glabella-postgres-"))
    # PostgreSQL refuses to run as root.
    as_user = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    port = find_free_port()
    made = [programs / "initdb", "-D", folder / "data", "-U", "glabella", "-A", "trust", "-N"]
    process = None
    try:
        subprocess.run([*as_user, *map(str, made)], check=True, capture_output=True, cwd="/")
        served = [programs / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", port,
                  "-k", folder, "-F"]  # fmt: skip
        process = subprocess.Popen(
            [*as_user, *map(str, served)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/",
        )  # fmt: skip
        wait_until(lambda: listens(port), seconds=30, what="PostgreSQL")
        # Without a driver, SQLAlchemy 2.1 takes another than 2.0 did.
        yield f"postgresql+psycopg2://glabella@127.0.0.1:{port}/postgres"
    finally:
        ended = [programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop"]
        subprocess.run([*as_user, *map(str, ended)], capture_output=True, cwd="/")
        if process is not None:
            process.wait(15)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(postgres, tmp_path, monkeypatch):
    """`mlflow server` with one worker; runs in PostgreSQL, artifacts in a folder."""
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed: mlflow needs it here")
    port = find_free_port()
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    log = (tmp_path / "server.log").open("wb")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
            "--workers", "1", "--backend-store-uri", postgres,
            "--artifacts-destination", str(tmp_path / "artifacts"),
        ],
        env=environment, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        wait_until(lambda: listens(port), seconds=120, what="mlflow server")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        # The server's own children leave with it: the session is ours.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()


def write_quick_analysis(project, plain):
    """A training of a few seconds: one candidate, two folds."""
    text = plain.replace("{folds: 3, repeats: 2}", "{folds: 2, repeats: 1}")
    text = text.replace("  across: leave_one_trial_out\n", "")
    text = text.replace("[prevalence, arm_only, severity, ridge, xgboost]", "[ridge]")
    text = text.replace("  inside: {folds: 3, repeats: 1}\n", "")
    (project / "pipelines" / "small.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def quick_project(small_project):
    path = small_project / "pipelines" / "small.yaml"
    write_quick_analysis(small_project, path.read_text(encoding="utf-8"))
    return small_project


def test_a_server_with_postgresql_does_all_that_the_local_store_does(
    server, quick_project, new_patients, tmp_path
):
    unused = (quick_project / "mlruns" / "mlflow.db").read_bytes()
    first, second = (glabella.train("small", project=quick_project, workers=1) for _ in range(2))
    assert second.model_uri == "models:/small/2"
    compared = glabella.compare("small", project=quick_project)
    assert [run.run_id for run in compared.runs] == [second.run_id, first.run_id]
    assert compared.differences[0].measured.log_loss.reason == "the two predict alike"
    assert not glabella.promote("small/1", project=quick_project).promoted
    for version in ("1", "2"):
        done = glabella.promote(f"small/{version}", override="a test", project=quick_project)
        assert (done.promoted, done.version) == (True, version)
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    scored = glabella.score(
        tmp_path / "new.csv", out=tmp_path / "scores.csv", model="small@champion",
        project=quick_project,
    )  # fmt: skip
    assert scored.scored == 30
    assert scored.model.endswith(second.run_id[:8])
    back = glabella.roll_back("small", project=quick_project)
    assert (back.champion_before, back.version) == ("2", "1")
    with pytest.raises(BundleError, match="had no champion before"):
        glabella.roll_back("small", project=quick_project)
    # Nothing of it went into the project's own store.
    assert (quick_project / "mlruns" / "mlflow.db").read_bytes() == unused


@pytest.mark.parametrize("scheme", ["http", "postgresql"])
def test_a_store_that_is_down_is_named_within_seconds(small_project, scheme, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{scheme}://someone:secret@{CLOSED}/runs")
    project = {"project": small_project}
    for act in (
        lambda: glabella.compare(**project),
        lambda: glabella.promote("small", **project),
        lambda: glabella.roll_back("small", **project),
        lambda: find_registered_bundle(
            "small", project=find_project(small_project), allow_simulated=False
        ),
    ):
        started = time.monotonic()
        with pytest.raises(StoreError, match="can't be reached") as caught:
            act()
        assert time.monotonic() - started < SLOWEST_REFUSAL_SECONDS
        assert "MLFLOW_TRACKING_URI" in str(caught.value)
        assert CLOSED in str(caught.value)
        assert "secret" not in str(caught.value)


def test_the_commands_name_a_store_that_is_down(small_project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{CLOSED}")
    for verb in (["compare"], ["promote", "small"], ["promote", "small", "--rollback"]):
        done = CliRunner().invoke(app, [*verb, "--project", str(small_project)])
        assert isinstance(done.exception, StoreError)


def test_an_answer_that_is_no_trackings_is_a_refusal(small_project, monkeypatch):
    """Somebody else's server listens there: mlflow's own error becomes a refusal."""
    import http.server
    import threading

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        do_POST = do_GET  # noqa: N815 - the name that http.server calls

        def log_message(self, *args):
            pass

    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=other.serve_forever, daemon=True)
    thread.start()
    try:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{other.server_port}")
        with pytest.raises(StoreError, match="can't be used"):
            glabella.compare(project=small_project)
    finally:
        other.shutdown()
        other.server_close()
        thread.join()


def test_two_trainings_at_once_leave_the_store_whole(quick_project):
    # Without an experiment, so that both try to make it.
    command = [sys.executable, "-m", "glabella", "train", "small", "--workers", "1",
               "--project", str(quick_project)]  # fmt: skip
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        _, errors = process.communicate(timeout=180)
        assert process.returncode == 0, errors
    open_store(find_project(quick_project))
    client = load_mlflow().MlflowClient()
    versions = client.search_model_versions("name = 'small'")
    assert {str(item.version) for item in versions} == {"1", "2"}
    assert len({item.run_id for item in versions}) == 2
    experiment = client.get_experiment_by_name("small")
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 2 * 2
    assert {run.info.status for run in runs} == {"FINISHED"}
    with contextlib.closing(sqlite3.connect(quick_project / "mlruns" / "mlflow.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    trained = [path.name for path in (quick_project / "mlruns" / "trained").iterdir()]
    assert sorted(trained) == sorted(item.run_id for item in versions)
    for version in ("1", "2"):
        assert find_registered_bundle(
            f"small/{version}", project=find_project(quick_project), allow_simulated=False
        )
    assert glabella.compare(project=quick_project).differences[0].measured is not None
