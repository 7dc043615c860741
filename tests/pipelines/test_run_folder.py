"""A run's files are kept whole or not at all, also after a kill that left no time to clear up."""

import os
import signal
import stat
import subprocess
import sys
import time

import pandas as pd
import pytest

from glabella.definitions.locate import find_project
from glabella.pipelines import run_folder
from glabella.pipelines.run_folder import open_run_folder
from glabella.tracking.runs import open_run
from glabella.tracking.store import open_store

_RUN = "0123456789abcdef0123456789abcdef"
_OTHER = "f" * 32
# A run that is killed when all of its files are there and before it is registered.
_KILLED = """
import sys, time
from pathlib import Path
import pandas as pd
from glabella.definitions.locate import find_project
from glabella.pipelines.run_folder import open_run_folder
project, kind, run_id, is_kept, mark = sys.argv[1:]
with open_run_folder(find_project(Path(project)), kind, run_id) as folder:
    folder.write_keys(pd.DataFrame({"usubjid": ["P-001"]}))
    (folder.partial / "report.html").write_text("half")
    if is_kept == "yes":
        folder.keep()
    Path(mark).touch()
    time.sleep(600)
"""


@pytest.fixture
def project(small_project):
    found = find_project(small_project)
    open_store(found)
    return found


@pytest.fixture
def start(project, tmp_path):
    """Start such a run, and end it when the test has ended."""
    started = []

    def begin(kind, *, is_kept="no", run_id=_RUN):
        mark = tmp_path / f"there-{len(started)}"
        command = [sys.executable, "-c", _KILLED, str(project.home), kind, run_id, is_kept]
        process = subprocess.Popen([*command, str(mark)])
        started.append(process)
        deadline = time.monotonic() + 60
        while not mark.exists():
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < deadline, "it did not come up"
            time.sleep(0.02)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def _list(project):
    files = project.runs.rglob("*")
    return sorted(
        str(path.relative_to(project.runs))
        for path in files
        if path.is_file() and path.name != "mlflow.db"
    )


def _end_another(project):
    with open_run_folder(project, "validated", _OTHER) as folder:
        (folder.partial / "report.html").write_text("whole")
        folder.keep()


@pytest.mark.parametrize("kind", ["trained", "updated", "validated"])
@pytest.mark.parametrize("is_kept", ["no", "yes"])
def test_the_next_run_removes_what_a_killed_one_left_and_says_so(
    project, start, kind, is_kept, caplog
):
    process = start(kind, is_kept=is_kept)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert f"keys/{_RUN}.csv" in _list(project)
    _end_another(project)
    assert _list(project) == [f"validated/{_OTHER}/report.html"]
    assert list((project.runs / kind).glob(".*")) == []
    assert "removed the unfinished files of 1 killed run(s)" in caplog.text
    caplog.clear()
    (project.runs / "validated" / _OTHER / "report.html").unlink()
    (project.runs / "validated" / _OTHER).rmdir()
    _end_another(project)
    assert caplog.text == ""


def test_what_a_living_run_writes_is_left_to_it(project, start, caplog):
    start("trained")
    before = _list(project)
    _end_another(project)
    assert set(before) < set(_list(project))
    assert caplog.text == ""


def test_a_killed_run_that_was_registered_keeps_its_files(project, start, monkeypatch):
    process = start("trained", is_kept="yes")
    process.kill()
    process.wait()
    monkeypatch.setattr(run_folder, "is_registered", lambda run_id: run_id == _RUN)
    _end_another(project)
    assert _list(project) == [
        f"keys/{_RUN}.csv",
        f"trained/{_RUN}/report.html",
        f"validated/{_OTHER}/report.html",
    ]
    assert list((project.runs / "trained").glob(".*")) == []


def test_a_folder_without_a_lock_is_removed_when_it_is_a_day_old(project):
    common = project.runs / "trained"
    names = [".01234567-abc", ".new-abc"]
    for name in names:
        (common / name).mkdir(parents=True)
        (common / name / "report.html").write_text("half")
    _end_another(project)
    assert sorted(path.name for path in common.iterdir()) == names
    for name in names:
        os.utime(common / name, (1, 1))
    _end_again = "e" * 32
    with open_run_folder(project, "validated", _end_again):
        pass
    assert list(common.iterdir()) == []


def test_what_no_run_made_is_not_removed(project, tmp_path):
    common = project.runs / "trained"
    (common / ".git").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / ".lock").touch()
    (common / ".01234567-abc").symlink_to(tmp_path / "elsewhere")
    odd = common / ".89abcdef-abc"
    odd.mkdir()
    (odd / ".lock").touch()
    (odd / "run").write_text("../../features")
    _end_another(project)
    assert sorted(path.name for path in common.iterdir()) == [".01234567-abc", ".git"]
    assert (project.home / "features").is_dir()
    assert (tmp_path / "elsewhere" / ".lock").exists()


def test_a_run_that_fails_leaves_nothing(project):
    with pytest.raises(KeyboardInterrupt), open_run_folder(project, "trained", _RUN) as folder:
        folder.write_keys(pd.DataFrame({"usubjid": ["P-001"]}))
        folder.keep()
        raise KeyboardInterrupt
    assert _list(project) == []


def test_only_its_owner_reads_who_was_in_a_run(project):
    with open_run_folder(project, "trained", _RUN) as folder:
        folder.write_keys(pd.DataFrame({"usubjid": ["P-001"]}))
        folder.keep()
    for path, mode in ((folder.keys, 0o600), (folder.keys.parent, 0o700), (folder.final, 0o700)):
        assert stat.S_IMODE(path.stat().st_mode) == mode


def test_who_was_in_a_run_is_not_written_through_a_link(project, tmp_path):
    (project.runs / "keys").mkdir()
    (project.runs / "keys" / f"{_RUN}.csv").symlink_to(tmp_path / "stolen.csv")
    with pytest.raises(FileExistsError), open_run_folder(project, "trained", _RUN) as folder:
        folder.write_keys(pd.DataFrame({"usubjid": ["P-001"]}))
    assert not (tmp_path / "stolen.csv").exists()


def test_a_run_of_the_store_opens_its_folder(project):
    with (
        open_run(open_store(project), analysis="small", run_name="small", tags={}) as run,
        open_run_folder(project, "trained", run.run_id) as folder,
    ):
        folder.keep()
    assert folder.final.is_dir()
