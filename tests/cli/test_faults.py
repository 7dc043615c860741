"""An error is a refusal with a message, or a fault of ours with a report; never a traceback."""

import errno
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from glabella.cli import faults
from glabella.cli.faults import FAULT, print_errors, write_report
from glabella.errors import DataError

SECRET = "Jane Roe, born 1970"


@pytest.fixture
def leave(monkeypatch, capsys, tmp_path):
    """Raise an error where the command line would, and give exit code and what was printed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def raise_there(error: BaseException) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended, print_errors():
            participant = SECRET
            raise error.with_traceback(None) if participant else error
        return (ended.value.code, *capsys.readouterr())

    return raise_there


def test_what_is_not_known_is_a_fault_with_a_report_that_holds_no_value(leave, tmp_path):
    code, out, err = leave(KeyError(SECRET))
    assert (code, out) == (FAULT, "")
    path = Path(re.search(r"noted in (\S+),", err)[1])
    assert err == (
        "glabella: this is a fault of Glabella (KeyError)\n"
        f"  Where it happened is noted in {path}, without any value of your data: please report it "
        "with that file.\n"
    )
    assert path.parent == tmp_path
    assert path.stat().st_mode & 0o077 == 0
    report = path.read_text()
    assert SECRET not in report + err
    assert "builtins.KeyError" in report
    assert re.search(r"test_faults\.py:\d+ in raise_there", report)
    assert re.search(r"glabella \S+, Python 3\.", report)


def test_a_report_names_causes_and_the_frames_of_workers_without_messages():
    def fail():
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise RuntimeError(SECRET) from error

    class RemoteTracebackError(Exception):
        pass

    remote = RemoteTracebackError(
        'Traceback\n  File "/x/site-packages/glabella/models/a.py", line 7, in fit\n'
        f"    raise ValueError(name)\nValueError: {SECRET}"
    )
    with pytest.raises(RuntimeError) as caught:
        fail()
    caught.value.__cause__.__cause__ = remote
    report = write_report(ExceptionGroup(SECRET, [caught.value]))
    assert SECRET not in report
    for kind in ("ExceptionGroup", "among them builtins.RuntimeError", "caused by builtins.Value"):
        assert kind in report
    assert "  glabella/models/a.py:7 in fit" in report


def test_a_report_that_can_not_be_written_is_told_of(leave, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    code, _, err = leave(ZeroDivisionError())
    assert code == FAULT
    assert err == (
        "glabella: this is a fault of Glabella (ZeroDivisionError), and no report of it could be "
        "written\n"
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DataError("odd", place="a.csv", remedy="Mend it."), "a.csv: odd\n  Mend it."),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "a.csv"),
            "a.csv: this can't be read or written: No such file or directory",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "a\x1b[2J.csv"),
            "a\\x1b[2J.csv: this can't be read or written: Permission denied",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "a file or the output can't be read or written: No space left on device\n"
            "  Free space on the disk.",
        ),
        (
            OSError("odd"),
            "a file or the output can't be read or written: the system refused it",
        ),
        (
            MemoryError(),
            "the memory of this machine does not suffice\n  Use fewer workers, or a machine with "
            "more.",
        ),
    ],
)
def test_what_the_system_refuses_is_a_refusal(leave, error, message):
    assert leave(error) == (1, "", f"glabella: {message}\n")


def test_a_reader_that_went_away_is_no_error(leave):
    assert leave(BrokenPipeError(errno.EPIPE, "Broken pipe")) == (1, "", "")


def test_what_steers_a_terminal_is_shown_on_both_streams(capsys):
    with print_errors():
        sys.stdout.write("a\x1b[31mb\u202e\tc\n")
        sys.stderr.write("d\x9be\u2028\udcff\n")
        sys.stderr.writelines(["\r", "x"])
    out, err = capsys.readouterr()
    assert out == "a\\x1b[31mb\\u202e\tc\n"
    assert err == "d\\x9be\\u2028\\udcff\n\\rx"
    assert not isinstance(sys.stdout, faults.ShownStream)


def run_shell(command: str, **more: object) -> subprocess.CompletedProcess[str]:
    line = command.replace("glabella", f"'{sys.executable}' -m glabella")
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, **more)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk that Linux pretends")
def test_a_full_disk_behind_json_is_told_without_a_traceback(small_project):
    done = run_shell(f"glabella check small --project '{small_project}' --json > /dev/full")
    assert done.returncode == 1
    assert done.stderr == (
        "glabella: a file or the output can't be read or written: No space left on device\n"
        "  Free space on the disk.\n"
    )
    silent = run_shell("glabella check nosuch 2> /dev/full")
    assert (silent.returncode, silent.stdout) == (1, "")


@pytest.mark.parametrize(
    ("command", "code"),
    [("glabella --help | head -1; exit ${PIPESTATUS[0]}", None), ("glabella --version >&-", 0)],
)
def test_an_output_that_is_closed_is_no_reason_for_a_traceback(command, code):
    done = run_shell(command)
    assert done.stderr == ""
    assert code is None or done.returncode == code


def test_an_encoding_without_a_sign_shows_it_as_an_escape():
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = run_shell("glabella check '\u5e74'", env=environment)
    assert done.returncode == 1
    assert "'\\u5e74'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_store_is_refused_by_name(small_project):
    database = small_project / "mlruns" / "mlflow.db"
    database.write_text("this is not a database at all, however long it may be\n" * 100)
    done = run_shell(f"glabella compare --project '{small_project}' --json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "the database of runs and models" in done.stderr
    assert str(database) in done.stderr
    assert "Traceback" not in done.stderr
