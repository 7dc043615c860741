"""Interrupts: exit codes as shells expect, a run marked failed, no process left over."""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")

# Waits for a signal, and takes as long to close as it is told.
WAITING = """
import sys, time
from glabella.cli.signals import stop_on_signals
with stop_on_signals():
    {before}
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        time.sleep({closing})
        print("closed", flush=True)
        {after}
"""
CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}


def _start(*, before: str = "pass", after: str = "pass", closing: float = 0, **how):
    code = WAITING.format(before=before, after=after, closing=closing)
    started = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **how,
    )
    assert started.stdout.readline() == "ready\n"
    return started


@pytest.mark.parametrize("name", CODES)
def test_a_signal_closes_what_is_open_and_exits_as_shells_expect(name):
    started = _start()
    started.send_signal(getattr(signal, name))
    out, err = started.communicate(timeout=20)
    assert (started.returncode, out) == (CODES[name], "closed\n")
    assert "glabella: interrupted" in err and "Traceback" not in err


def test_a_hangup_whose_terminal_is_gone_still_closes_what_is_open():
    with _start() as started:
        started.stderr.close()
        started.send_signal(signal.SIGHUP)
        assert started.stdout.read() == "closed\n"
    assert started.returncode == 129


def test_a_hangup_that_nohup_ignores_is_ignored():
    started = _start(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    started.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert started.poll() is None
    started.send_signal(signal.SIGTERM)
    started.communicate(timeout=20)
    assert started.returncode == 143


def test_a_signal_that_is_delivered_twice_at_once_is_one():
    started = _start(closing=1.0)
    started.send_signal(signal.SIGINT)
    time.sleep(0.3)
    started.send_signal(signal.SIGINT)
    out, _ = started.communicate(timeout=20)
    assert (started.returncode, out) == (130, "closed\n")


def test_a_second_signal_does_not_wait_and_leaves_no_worker():
    before = (
        "import multiprocessing; worker = multiprocessing.get_context('spawn').Process("
        "target=time.sleep, args=(60,), daemon=False); worker.start(); "
        "print(worker.pid, file=sys.stderr, flush=True)"
    )
    started = _start(before=before, closing=60)
    worker = int(started.stderr.readline())
    started.send_signal(signal.SIGTERM)
    time.sleep(1.3)
    began = time.monotonic()
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=20)
    assert time.monotonic() - began < 10
    assert (started.returncode, out) == (143, "")
    assert "ended at once" in err
    assert _wait_for_end([worker]) == []


def test_work_that_was_done_when_the_signal_came_is_done():
    started = _start(after="sys.exit(0)")
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=20)
    assert started.returncode == 0


def test_an_interrupt_that_a_destructor_swallows_is_raised_again():
    before = (
        "exec('class Slow:\\n def __del__(self): print(\"ready\", flush=True); time.sleep(20)');"
        "Slow()"
    )
    started = _start(before=before)
    began = time.monotonic()
    started.send_signal(signal.SIGINT)
    err = started.communicate(timeout=50)[1]
    assert time.monotonic() - began < 15
    assert started.returncode == 130
    assert "glabella: interrupted" in err and "Traceback" not in err


def _wait_for_end(processes: list[int]) -> list[int]:
    """Give those of some processes that still run after twenty seconds."""
    until = time.monotonic() + 20
    left = processes
    while left and time.monotonic() < until:
        time.sleep(0.1)
        left = [number for number in left if _is_running(number)]
    return left


def _is_running(number: int) -> bool:
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


def _list_group(leader: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == leader:
                found.append(int(entry.name))
    return found


@pytest.fixture
def training(small_project):
    """A training in two processes, interrupted while it validates."""
    command = [
        sys.executable, "-m", "glabella", "train", "small", "--project", str(small_project),
        "--workers", "2", "--json",
    ]  # fmt: skip
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in running.stderr:
        if "validating" in line:
            break
    yield small_project, running
    running.kill()
    running.communicate()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds processes in /proc")
@pytest.mark.parametrize(
    ("name", "send"),
    [("SIGINT", os.killpg), ("SIGHUP", os.kill)],
    ids=["Ctrl-C, workers too", "a closed connection"],
)
def test_an_interrupted_training_is_marked_failed_and_leaves_no_process(training, name, send):
    project, running = training
    group = _list_group(running.pid)
    assert len(group) >= 3
    send(running.pid, getattr(signal, name))
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (CODES[name], "")
    assert "glabella: interrupted" in err and "Traceback" not in err
    assert re.search(r"\d+ finished fits are kept: --resume", err)
    with contextlib.closing(sqlite3.connect(project / "mlruns" / "mlflow.db")) as database:
        states = database.execute("select distinct status from runs").fetchall()
    assert states == [("FAILED",)]
    assert list((project / "mlruns" / "trained").iterdir()) == []
    assert _wait_for_end(group) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds processes in /proc")
def test_a_killed_worker_ends_a_training_in_one_message(training):
    _, running = training
    workers = [
        number
        for number in _list_group(running.pid)
        if b"popen_loky" in Path(f"/proc/{number}/cmdline").read_bytes()
    ]
    os.kill(workers[0], signal.SIGKILL)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (1, "")
    assert "glabella: --workers 2: a worker process was killed, perhaps for want of memory" in err
    assert "continue with --resume" in err and "Traceback" not in err
