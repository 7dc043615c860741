"""The files of a scoring job: finished batches, kept until the output is complete."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow

from glabella.atomic import (
    LOCK_FILE,
    PARTIAL,
    NotOursError,
    find_identity,
    is_partial,
    publish,
    write_whole,
)
from glabella.errors import DataError
from glabella.part_store import PartStore, Wording
from glabella.scoring.write import WRITABLE

_JOB_FILE = "job.json"
_TALLY = b"tally"
_SPOOL = "spool"
_BATCH = ".arrows"
_BATCH_NAME = re.compile(r"\d{8,}\.arrows")
_OUTPUT = "output"
_ENDS_LOOKED_AT = 1 << 16


class Job:
    """The folder beside the output in which a job keeps its finished batches.

    Parameters
    ----------
    target : Path
        The output.
    resume : bool
        Whether to continue from the batches that an interrupted job finished.
    """

    def __init__(self, target: Path, *, resume: bool):
        self._target = target
        self._resume = resume
        self.folder = target.with_name(f".{target.name}{PARTIAL}")
        self._store = PartStore(self.folder, _JOB_FILE, _make_wording(target))
        self.finished = 0

    @property
    def spool(self) -> Path:
        """A folder for the temporary files of the job."""
        return self.folder / _SPOOL

    @property
    def output(self) -> Path:
        """The output until it is complete."""
        return self.folder / f"{_OUTPUT}{self._target.suffix.lower()}"

    def __enter__(self) -> Job:
        self._store.take(refuse_foreign=self._check_folder)
        try:
            # An earlier version made it open to others.
            self.folder.chmod(0o700)
            if not self._store.identity_path.exists():
                # This file marks the folder as a job's from the beginning.
                self._store.write_identity({})
            # Finished batches of an earlier job stay until this job's table was opened.
            self._remove_passing()
        except OSError as error:
            self._store.release()
            raise self.describe_write_error(error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove_passing()
        # Finished batches are kept for --resume; if there are none, nothing stays.
        if kind is None or not self.count():
            self._remove_batches()
            self._store.remove()
        self._store.release()

    def describe_write_error(self, error: OSError) -> DataError:
        """Describe why the output can't be written."""
        return self._store.wording.describe_write_error(error)

    def _check_folder(self) -> None:
        """Refuse a folder with files that no job wrote, as it would be emptied."""
        for path in self.folder.iterdir():
            if path.is_symlink() or not (self._is_kept(path) or self._is_passing(path)):
                raise NotOursError("it has files that no scoring job wrote", self.folder)
        is_begun = all(path.name == LOCK_FILE for path in self.folder.iterdir())
        if not is_begun and not (self.folder / _JOB_FILE).is_file():
            raise NotOursError(f"it is not a scoring job's, as it has no {_JOB_FILE}", self.folder)

    @contextlib.contextmanager
    def check_unchanged(self, source: Path) -> Iterator[Callable[[], None]]:
        """Refuse a table that changes while it is read, which happens more than once.

        The function that it yields is to be called whenever the table has been read to its end. If
        the table has changed, any other error inside is replaced by this one.
        """
        before = find_identity(source)

        def check_table() -> None:
            if find_identity(source) != before:
                self._remove_batches()
                raise DataError(
                    "the table was replaced or changed while it was read, so nothing was written",
                    place=source.name,
                    remedy="Run the same again when no other program writes it.",
                )

        try:
            yield check_table
        except (DataError, OSError, pyarrow.ArrowException):
            check_table()
            raise

    def publish(self) -> None:
        """Publish the complete output under its name; `OSError` if it can't be moved."""
        try:
            publish(self.output, self._target)
        except FileExistsError:
            raise DataError(
                "the output exists already",
                place=str(self._target),
                remedy="It was made while this job ran. Name another file with --out.",
            ) from None

    def check_identity(self, described: Mapping[str, Any]) -> None:
        """Check that a resumed job has the same model, table and options; else begin a new one."""
        if self._resume and self.count():
            changed = self._store.list_changes(described)
            if changed is None or changed:
                # A job without a description is taken for a different one.
                differs = next(iter(changed or described))
                raise DataError(
                    f"the interrupted job had a different {differs}, so it can't be resumed",
                    place=str(self._target),
                    remedy="Score again without --resume.",
                )
            self.finished = self._count_readable()
            return
        self._remove_batches()
        self._store.write_identity(described)

    def count(self) -> int:
        """Count the finished batches, up to the first that is missing."""
        done = 0
        while self._find_path(done).is_file():
            done += 1
        return done

    def keep(self, number: int, table: pyarrow.Table, tally: Mapping[str, Any]) -> None:
        """Keep a finished batch, numbered from 0, with the counts of its rows as plain values."""
        schema = table.schema.with_metadata({_TALLY: json.dumps(tally).encode()})
        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(sink, schema) as writer:
            writer.write_table(table.replace_schema_metadata(schema.metadata))
        write_whole(self._find_path(number), sink.getvalue())

    def load(self, number: int) -> tuple[pyarrow.Table, dict[str, Any]]:
        """Load a finished batch and its counts, as they were kept."""
        table = pyarrow.ipc.open_stream(self._find_path(number).read_bytes()).read_all()
        return table.replace_schema_metadata(), json.loads(table.schema.metadata[_TALLY])

    def _count_readable(self) -> int:
        """Count the batches that can be read, as some may be damaged after a power cut."""
        for number in range(self.count()):
            try:
                self.load(number)
            except (pyarrow.ArrowException, OSError, KeyError, ValueError):
                return number
        return self.count()

    def _find_path(self, number: int) -> Path:
        return self.folder / f"{number:08d}{_BATCH}"

    def _is_kept(self, path: Path) -> bool:
        return path.name in (_JOB_FILE, LOCK_FILE) or _BATCH_NAME.fullmatch(path.name) is not None

    def _is_passing(self, path: Path) -> bool:
        outputs = [f"{_OUTPUT}{ending}" for ending in WRITABLE]
        return is_partial(path.name) or path.name in (_SPOOL, *outputs)

    def _remove_batches(self) -> None:
        for path in self.folder.iterdir():
            if _BATCH_NAME.fullmatch(path.name):
                path.unlink(missing_ok=True)

    def _remove_passing(self) -> None:
        """Remove the temporary files of a job, but no file that no job wrote."""
        for path in self.folder.iterdir():
            if not self._is_passing(path):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _make_wording(target: Path) -> Wording:
    return Wording(
        place=target,
        busy="another job is writing this output",
        wait="Wait for it, or name another file with --out.",
        odd="the folder for the unfinished output can't be used",
        other="Name another file with --out, or remove that folder.",
        unwritten="the output can't be written",
        again="Correct that and run the same again; with --resume, from what was finished.",
    )


def describe_files(paths: tuple[Path, ...]) -> list[list[Any]]:
    """Describe files by name, size, time of change and a hash of both ends, to detect changes."""
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
