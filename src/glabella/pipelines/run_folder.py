"""The files of a run on this machine: all of them or none, and beside them who was in it."""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from glabella.atomic import LOCK_FILE, FolderLock, NotOursError, make_folder, open_new
from glabella.definitions.locate import Project
from glabella.errors import DataError
from glabella.tracking.registry import is_registered

BUNDLE_FOLDER = "bundle"
RECORD_FOLDER = "record"
REPORT_FILE = "report.html"
_KINDS = ("trained", "updated", "validated")
# What a run writes is made in a folder of its process, which ends with `open_run_folder`.
_NEW = ".new-"
_WORKPLACE = re.compile(r"\.([0-9a-f]{8}|new)-.+")
_RUN_ID = re.compile(r"[0-9a-f]{32}")
_RUN_FILE = "run"
_FILES = "files"
# What has no lock is of an earlier version, or of a process that is about to take it.
_SECONDS_WITHOUT_A_LOCK = 24 * 3600
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunFolder:
    """Where the files of a run are written, and where they stay.

    Parameters
    ----------
    partial : Path
        An empty folder, which goes if the run does not end well.
    final : Path
        Where its files are found once they are kept.
    keys : Path
        The file that leads back to participants. It is no part of the folder, because that is
        copied into MLflow's store.
    """

    partial: Path
    final: Path
    keys: Path

    def write_keys(self, table: pd.DataFrame) -> None:
        """Write who was in the run."""
        make_folder(self.keys.parent)
        with open_new(self.keys, private=True) as file:
            file.write(table.to_csv(index=False).encode())

    def keep(self) -> None:
        """Let the files be found."""
        self.partial.rename(self.final)


@contextlib.contextmanager
def open_run_folder(project: Project, kind: str, run_id: str) -> Iterator[RunFolder]:
    """Make the folder of a run, and take back all of it where the run does not end well.

    What runs left behind whose process was killed is removed first, and that is logged.
    """
    _remove_killed(project)
    common = project.runs / kind
    try:
        # Before anything is computed: what is written below them says who took part.
        for below in (common, project.runs / "keys"):
            make_folder(below)
    except NotOursError as error:
        raise DataError(
            f"nothing can be written there: {error.strerror}",
            place=str(error.filename),
            remedy="Remove it, or name another project with --project.",
        ) from None
    new = Path(tempfile.mkdtemp(prefix=_NEW, dir=common))
    lock = FolderLock(new)
    # On a disk without locks nothing is removed after a kill, and a run works all the same.
    with contextlib.suppress(OSError):
        lock.take()
    # Only now has it the name by which another run would look whether it is left over.
    workplace = new.rename(common / f".{run_id[:8]}-{new.name.removeprefix(_NEW)}")
    folder = _name_folder(project, kind, run_id, workplace)
    try:
        (workplace / _RUN_FILE).write_text(run_id, encoding="ascii")
        folder.partial.mkdir(mode=0o700)
        yield folder
    except BaseException:
        _remove_folder(folder)
        raise
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
        lock.release()


def _name_folder(project: Project, kind: str, run_id: str, workplace: Path) -> RunFolder:
    keys = project.runs / "keys" / f"{run_id}.csv"
    return RunFolder(workplace / _FILES, project.runs / kind / run_id, keys)


def _remove_folder(folder: RunFolder) -> None:
    shutil.rmtree(folder.final, ignore_errors=True)
    folder.keys.unlink(missing_ok=True)


def _remove_killed(project: Project) -> None:
    """Remove what runs left whose process ended without a word, never what a living one writes."""
    for kind in _KINDS:
        found = (project.runs / kind).glob(".*")
        killed = [path for path in found if _WORKPLACE.fullmatch(path.name) and _is_left(path)]
        for workplace in killed:
            run_id = _read_run(workplace)
            # One that was registered in its last moment lacks nothing.
            if run_id is not None and not is_registered(run_id):
                _remove_folder(_name_folder(project, kind, run_id, workplace))
            shutil.rmtree(workplace, ignore_errors=True)
        if killed:
            _LOGGER.warning(
                "removed the unfinished files of %d killed run(s) in %s",
                len(killed),
                project.runs / kind,
            )


def _is_left(workplace: Path) -> bool:
    if workplace.is_symlink() or not workplace.is_dir() or not FolderLock.has_locks():
        return False
    try:
        if workplace.name.startswith(_NEW) or not (workplace / LOCK_FILE).exists():
            return time.time() - workplace.stat().st_mtime > _SECONDS_WITHOUT_A_LOCK
        lock = FolderLock(workplace)
        lock.take()
        lock.release()
    except OSError:
        # A living process has it, or who has it can't be told.
        return False
    return True


def _read_run(workplace: Path) -> str | None:
    try:
        text = (workplace / _RUN_FILE).read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    # It becomes part of a path.
    return text if _RUN_ID.fullmatch(text) else None
