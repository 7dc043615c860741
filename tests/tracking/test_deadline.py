"""A server that does not answer, or never ends its answer, is left within seconds; no password."""

import contextlib
import os
import signal
import socket
import threading
import time

import pytest
from typer.testing import CliRunner

import glabella
from glabella.cli.main import app
from glabella.definitions.locate import find_project
from glabella.errors import GlabellaError, StoreError, remove_secrets
from glabella.pipelines.report import write_report
from glabella.tracking import store as stores
from glabella.tracking.deadline import TooLate, run_within, with_time_limit
from glabella.tracking.store import Store, explain_store_errors, load_mlflow, open_store

SLOWEST_REFUSAL_SECONDS = 15.0
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"


class FakeServer:
    """Listens on this machine alone, and answers each connection as it is told."""

    def __init__(self, answer):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.asked = 0
        self._answer = answer
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self):
        while not self._is_over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.asked += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            self._answer(connection, self._is_over)

    def stop(self):
        self._is_over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)


def _say_nothing(connection, is_over):
    is_over.wait(120)


def _drip_the_body(connection, is_over):
    connection.recv(65536)
    connection.sendall(_HEAD)
    while not is_over.wait(0.3):
        connection.sendall(b" ")


def _drip_the_head(connection, is_over):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not is_over.wait(0.3):
        connection.sendall(b"x")


@pytest.fixture(params=[_say_nothing, _drip_the_body, _drip_the_head])
def server(request):
    running = FakeServer(request.param)
    yield running
    running.stop()


@pytest.fixture
def short(monkeypatch):
    """What is a second here is ten for a user."""
    monkeypatch.setattr(stores, "_SECONDS_TO_ANSWER", 1.0)
    monkeypatch.setattr(stores, "_SECONDS_FOR_A_STEP", 1.5)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")


def _name_verbs(project, out):
    people = project / "participants.csv"
    asked = {"model": "small", "project": project}
    return {
        "compare": lambda: glabella.compare(project=project),
        "train": lambda: glabella.train("small", project=project, workers=1),
        "score": lambda: glabella.score(people, out=out / "scores.csv", **asked),
        "report": lambda: write_report("small", out=out / "report.html", project=project),
        "promote": lambda: glabella.promote("small", project=project),
        "roll back": lambda: glabella.roll_back("small", project=project),
        "validate": lambda: glabella.validate(people, outcome="sex", **asked),
    }


def test_a_server_that_never_answers_whole_is_left_after_ten_seconds(
    server, small_project, monkeypatch
):
    address = f"http://someone:hushhush@127.0.0.1:{server.port}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    started = time.monotonic()
    with pytest.raises(
        StoreError, match=r"gave no complete answer in 10 seconds|Read timed out"
    ) as caught:
        glabella.compare(project=small_project)
    assert time.monotonic() - started < SLOWEST_REFUSAL_SECONDS
    assert "hushhush" not in str(caught.value)
    assert f"127.0.0.1:{server.port}" in str(caught.value)
    assert "MLFLOW_TRACKING_URI" in str(caught.value)
    # One to knock, one to ask: nothing is tried again.
    assert server.asked == 2


def test_every_verb_leaves_such_a_server(server, short, small_project, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.port}")
    for name, act in _name_verbs(small_project, tmp_path).items():
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"gave no complete answer|timed out"):
            act()
        assert time.monotonic() - started < 10, name


@pytest.mark.parametrize("scheme", ["postgresql+psycopg2", "mysql+pymysql"])
def test_a_database_server_that_never_answers_is_left_too(
    short, small_project, monkeypatch, scheme
):
    running = FakeServer(_say_nothing)
    try:
        monkeypatch.setenv(
            "MLFLOW_TRACKING_URI", f"{scheme}://someone:hushhush@127.0.0.1:{running.port}/runs"
        )
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"no complete answer|can't be used") as caught:
            glabella.compare(project=small_project)
        assert time.monotonic() - started < SLOWEST_REFUSAL_SECONDS
        assert "hushhush" not in str(caught.value)
    finally:
        running.stop()


def test_a_server_that_falls_silent_later_is_left_too(short, small_project, monkeypatch):
    """The first answer is whole; every later one drips."""
    answers = []

    def answer(connection, is_over):
        request = connection.recv(65536)
        if not request:
            return
        answers.append(request)
        if len(answers) > 1:
            connection.sendall(_HEAD)
            while not is_over.wait(0.3):
                connection.sendall(b" ")
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
            b"Connection: close\r\n\r\n{}"
        )

    running = FakeServer(answer)
    try:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{running.port}")
        started = time.monotonic()
        with pytest.raises(StoreError, match="gave no complete answer in 2 seconds"):
            glabella.compare(project=small_project)
        assert time.monotonic() - started < 10
        assert len(answers) > 1
    finally:
        running.stop()


def test_a_users_own_patience_is_kept(monkeypatch, small_project):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "6")
    seen = []

    def look(seconds, question):
        seen.append((seconds, os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"]))

    monkeypatch.setattr(stores, "run_within", look)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    open_store(find_project(small_project))
    assert seen == [(10.0, "6"), (77.0, "0")]
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "6"


def test_a_question_is_waited_for_no_longer_than_is_stated():
    with pytest.raises(TooLate):
        run_within(0.05, lambda: time.sleep(2))
    with pytest.raises(KeyError):
        run_within(5, lambda: {}["x"])
    run_within(5, lambda: None)


def test_an_alarm_ends_what_lasts_too_long_and_is_put_back():
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(TooLate), with_time_limit(0.05):
        time.sleep(5)
    with with_time_limit(5):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_an_alarm_of_the_program_and_a_second_thread_are_left_alone():
    signal.setitimer(signal.ITIMER_REAL, 50)
    try:
        with with_time_limit(0.01):
            time.sleep(0.05)
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 40
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def elsewhere():
        with with_time_limit(0.01):
            time.sleep(0.05)

    run_within(5, elsewhere)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://ann:hush@host:5000/x", "http://***@host:5000/x"),
        ("https://ann:p@ss/w?rd#1@host/x", "https://***@host/x"),
        ("postgresql+psycopg2://ann:hush@host/db", "postgresql+psycopg2://***@host/db"),
        ("mssql://host/db?user=ann&password=hush&x=1", "mssql://host/db?user=ann&password=***&x=1"),
        ("http://host/?access_token=hush", "http://host/?access_token=***"),
        ("http://host/?X-Amz-Signature=hush&a=b", "http://host/?X-Amz-Signature=***&a=b"),
        ("host=h user=ann password=hush dbname=d", "host=h user=ann password=*** dbname=d"),
        ("{'password': 'hush', 'x': 1}", "{'password': '***', 'x': 1}"),
        ("Authorization: Bearer hushhush.hush", "Authorization: Bearer ***"),
        ("two http://a:b@h/x and http://c:d@h/y", "two http://***@h/x and http://***@h/y"),
        ("models:/small@champion", "models:/small@champion"),
        ("sqlite:////home/x/mlflow.db", "sqlite:////home/x/mlflow.db"),
        ("nothing to hide: 3 rows", "nothing to hide: 3 rows"),
    ],
)
def test_no_password_stays_in_a_text(text, expected):
    assert remove_secrets(text) == expected


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("MLFLOW_TRACKING_PASSWORD", "hush hush", "hush hush"),
        ("MLFLOW_TRACKING_TOKEN", "hush", "hush"),
        ("MLFLOW_TRACKING_URI", "http://ann:hu%73h%21@host", "hush!"),
        ("MLFLOW_TRACKING_URI", "http://ann:hu@sh@host", "hu@sh"),
    ],
)
def test_a_password_that_was_told_to_mlflow_is_known_wherever_it_comes(
    monkeypatch, name, value, secret
):
    monkeypatch.setenv(name, value)
    error = GlabellaError(f"refused {secret}", place=f"at {secret}", remedy=f"not {secret}")
    for text in (str(error), error.args[0], error.finding, error.place, error.remedy):
        assert secret not in text
        assert "***" in text


def test_what_mlflow_says_of_an_address_holds_no_password(monkeypatch, small_project):
    address = "http://someone:hushhush@host:1/x"
    mlflow = load_mlflow()
    with pytest.raises(StoreError) as caught, explain_store_errors(Store(address, None)):
        raise mlflow.MlflowException(f"no answer from {address}?password=hushhush")
    assert "hushhush" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert Store(address, None).shown == "http://***@host:1/x"


def test_mlflow_prints_no_address(monkeypatch, capfd):
    load_mlflow()
    assert os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] == "true"


def test_the_command_shows_no_password(small_project, monkeypatch):
    for address in (
        "http://someone:hushhush@127.0.0.1:9/x?token=hushhush",
        "postgresql://someone:hush@hush@127.0.0.1:9/runs",
        "nonsense://someone:hushhush@127.0.0.1:9",
        "postgresql+nodriver://someone:hushhush@127.0.0.1:9/runs",
        "http://someone:hushhush@[::1/x",
        "http://someone:hushhush@127.0.0.1:port",
    ):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        done = CliRunner().invoke(app, ["compare", "--project", str(small_project)])
        assert isinstance(done.exception, StoreError), address
        assert "hush" not in str(done.exception) + done.output
