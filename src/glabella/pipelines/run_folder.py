"""The files of a run on this machine: all of them or none, and beside them who was in it."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from glabella.definitions.locate import Project

BUNDLE_FOLDER = "bundle"
RECORD_FOLDER = "record"
REPORT_FILE = "report.html"


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
        """Write who was in the run.

        Parameters
        ----------
        table : DataFrame
            A row a participant.
        """
        self.keys.parent.mkdir(exist_ok=True)
        table.to_csv(self.keys, index=False)

    def keep(self) -> None:
        """Let the files be found."""
        self.partial.rename(self.final)


@contextlib.contextmanager
def open_run_folder(project: Project, kind: str, run_id: str) -> Iterator[RunFolder]:
    """Make the folder of a run, and take back all of it where the run does not end well.

    Parameters
    ----------
    project : Project
        Where runs are kept.
    kind : str
        What such runs do, as the name of their common folder: ``trained``, ``updated``...
    run_id : str
        MLflow's id.

    Yields
    ------
    RunFolder
        To write into, and to keep.
    """
    common = project.runs / kind
    common.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{run_id[:8]}-", dir=common))
    folder = RunFolder(partial, common / run_id, project.runs / "keys" / f"{run_id}.csv")
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder.final, ignore_errors=True)
        folder.keys.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
