"""A scoring job's files: finished batches, kept until the output is whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow

from glabella.errors import DataError
from glabella.files import LOCK_FILE, FolderLock, write_whole

_JOB_FILE = "job.json"
_TALLY = b"tally"
_SPOOL = "spool"
_BATCH = ".arrows"
_ENDS_LOOKED_AT = 1 << 16


class Job:
    """The folder beside the output in which a job keeps its finished batches.

    Parameters
    ----------
    target : Path
        The output.
    resume : bool
        Whether to take up the batches that an interrupted job finished.
    """

    def __init__(self, target: Path, *, resume: bool):
        self._target = target
        self._resume = resume
        self.folder = target.with_name(f".{target.name}.partial")
        self._lock = FolderLock(self.folder)
        self.finished = 0

    @property
    def spool(self) -> Path:
        """A folder for what the job needs while it runs."""
        return self.folder / _SPOOL

    def __enter__(self) -> Job:
        try:
            self.folder.mkdir(exist_ok=True)
            self._lock.take()
        except BlockingIOError:
            raise DataError(
                "another job is writing this output",
                place=str(self._target),
                remedy="Wait for it, or name another file with --out.",
            ) from None
        except OSError as error:
            raise describe_write_error(error, self._target.parent) from None
        # Finished batches of an earlier job stay until this one's table was opened.
        self._empty()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What was finished is kept for --resume; where nothing was, nothing stays.
        if kind is None or not self.count():
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            self._empty()
        self._lock.release()

    def start(self, described: Mapping[str, Any]) -> None:
        """Say what the job is; of a job that is taken up, check that it is the same.

        Parameters
        ----------
        described : mapping
            Model, table and options, as plain values.

        Raises
        ------
        DataError
            If the finished batches are of another model, table or options.
        """
        path = self.folder / _JOB_FILE
        if self._resume and self.count():
            before = _read_description(path)
            differ = [name for name, value in described.items() if before.get(name) != value]
            if differ:
                raise DataError(
                    f"the interrupted job had another {differ[0]}, so it can't be taken up",
                    place=str(self._target),
                    remedy="Score anew without --resume.",
                )
            self.finished = self._count_readable()
            return
        for batch in self.folder.glob(f"*{_BATCH}"):
            batch.unlink()
        write_whole(path, json.dumps(described, indent=1).encode())

    def count(self) -> int:
        """Count the batches that are finished.

        Returns
        -------
        int
            Those without a gap before them.
        """
        done = 0
        while self._path(done).is_file():
            done += 1
        return done

    def keep(self, number: int, table: pyarrow.Table, tally: Mapping[str, Any]) -> None:
        """Keep a finished batch.

        Parameters
        ----------
        number : int
            Its place, from 0.
        table : Table
            Its rows.
        tally : mapping
            What they were counted to, as plain values.
        """
        schema = table.schema.with_metadata({_TALLY: json.dumps(tally).encode()})
        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(sink, schema) as writer:
            writer.write_table(table.replace_schema_metadata(schema.metadata))
        write_whole(self._path(number), sink.getvalue())

    def load(self, number: int) -> tuple[pyarrow.Table, dict[str, Any]]:
        """Load a finished batch.

        Parameters
        ----------
        number : int
            Its place, from 0.

        Returns
        -------
        tuple of Table and dict
            As they were kept.
        """
        table = pyarrow.ipc.open_stream(self._path(number).read_bytes()).read_all()
        return table.replace_schema_metadata(), json.loads(table.schema.metadata[_TALLY])

    def _count_readable(self) -> int:
        """Count the batches that can be read, as one need not be after a power cut."""
        for number in range(self.count()):
            try:
                self.load(number)
            except (pyarrow.ArrowException, OSError, KeyError, ValueError):
                return number
        return self.count()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08d}{_BATCH}"

    def _empty(self) -> None:
        """Remove all but what a job could be taken up from."""
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.suffix != _BATCH and path.name not in (_JOB_FILE, LOCK_FILE):
                path.unlink()


def _read_description(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        # A job that does not say what it was is another one.
        return {}


def describe_write_error(error: OSError, place: Path) -> DataError:
    """Say why the output can't be written.

    Parameters
    ----------
    error : OSError
        What the system said.
    place : Path
        Where.

    Returns
    -------
    DataError
        To be raised.
    """
    reason = os.strerror(error.errno) if error.errno else "the disk did not take it"
    return DataError(
        f"the output can't be written: {reason}",
        place=str(place),
        remedy="Mend that and run the same again; with --resume, from what was finished.",
    )


def describe_files(paths: tuple[Path, ...]) -> list[list[Any]]:
    """Describe files so that a changed one is known, without reading them whole.

    Parameters
    ----------
    paths : tuple of Path
        Existing files.

    Returns
    -------
    list of list
        Name, size, time of change and a hash of either end, for each.
    """
    found = []
    for path in paths:
        state = path.stat()
        with path.open("rb") as file:
            ends = file.read(_ENDS_LOOKED_AT)
            file.seek(max(0, state.st_size - _ENDS_LOOKED_AT))
            ends += file.read(_ENDS_LOOKED_AT)
        digest = hashlib.sha256(ends).hexdigest()
        found.append([path.name, state.st_size, state.st_mtime_ns, digest])
    return found
