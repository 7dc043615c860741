"""Finished repeats of a rehearsal, kept in chunks so that it can be continued."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.parquet

from glabella.atomic import LOCK_FILE, is_partial, write_whole
from glabella.errors import AnalysisError, DataError
from glabella.part_store import PartStore, Wording
from glabella.pipelines.rehearsal.repeat import Repeat

DEFINITION_FILE = "definition.json"
CHUNKS = "chunks"
CHUNK_SIZE = 10
_PARTIAL = ".partial"
# What a table of no rows has all the same.
_COLUMNS = {
    "repeats": (
        "repeat",
        "failure",
        "n",
        "events",
        "chosen",
        "verdict",
        "failed_candidates",
        "seconds",
    ),
    "figures": (
        "repeat",
        "design",
        "candidate",
        "kind",
        "measure",
        "value",
        "low",
        "high",
        "truth",
        "again",
        "weight",
    ),
    "claims": ("repeat", "claim", "of", "made", "true"),
}
TABLES = tuple(_COLUMNS)


@dataclass(frozen=True)
class ChunkStore:
    """A folder of finished repeats, all of one definition.

    Parameters
    ----------
    folder : Path
        Where.
    """

    folder: Path

    @contextlib.contextmanager
    def open(self, definition: Mapping[str, str]) -> Iterator[None]:
        """Make the folder, or continue one of the same definition, and keep others out."""
        self._check_rehearsal_folder()
        self._store.take(CHUNKS)
        try:
            for path in filter(lambda each: is_partial(each.name), self.folder.iterdir()):
                path.unlink()
            for stale in self._chunks.glob(f".*{_PARTIAL}"):
                shutil.rmtree(stale, ignore_errors=True)
            self._restore_results(definition)
            yield
        finally:
            self._store.release()

    @cached_property
    def _store(self) -> PartStore:
        wording = Wording(
            place=self.folder,
            busy="another rehearsal is writing into this folder",
            wait="Wait for it, or name another folder with --out.",
            odd="no rehearsal can be kept here",
            other="Name another folder with --out.",
            unwritten="the results can't be written",
            again="Correct that, then run the same command again: finished repeats are kept.",
        )
        return PartStore(self.folder, DEFINITION_FILE, wording)

    @property
    def _chunks(self) -> Path:
        return self.folder / CHUNKS

    def _check_rehearsal_folder(self) -> None:
        """Refuse what is no folder of a rehearsal, before anything is written into it."""
        if not self.folder.exists() or (self.folder / DEFINITION_FILE).exists():
            return
        is_begun = self.folder.is_dir() and all(
            path.name in (CHUNKS, LOCK_FILE) or path.name.endswith(_PARTIAL)
            for path in self.folder.iterdir()
        )
        if not is_begun or (self._chunks.exists() and any(self._chunks.glob("[0-9]*"))):
            raise DataError(
                "it holds something else than a rehearsal"
                if self.folder.is_dir()
                else "it is a file",
                place=str(self.folder),
                remedy="Name an empty folder, or a new one.",
            )

    def _restore_results(self, definition: Mapping[str, str]) -> None:
        if not self._store.identity_path.exists():
            try:
                self._store.write_identity(dict(sorted(definition.items())))
            except OSError as error:
                raise self._store.wording.describe_write_error(error) from None
            return
        changed = self._store.list_changes(definition)
        if changed is None:
            raise DataError(
                f"its {DEFINITION_FILE} can't be read, so what its repeats are of is unknown",
                place=str(self.folder),
                remedy="Name another folder with --out, or remove this one.",
            )
        if changed:
            raise AnalysisError(
                f"its repeats are of another definition: {', '.join(changed)} changed since",
                place=str(self.folder),
                remedy="Repeats of two definitions can't be counted together. Name another folder "
                "with --out, or remove this one.",
            )

    def list_finished(self) -> set[int]:
        """List the repeats that are there.

        Returns
        -------
        set of int
            Their numbers. A chunk that can't be read, as one need not be after a power cut, holds
            none.
        """
        finished: set[int] = set()
        for path in self._chunks.iterdir():
            if path.is_dir() and path.name.isdigit():
                first, count = int(path.name), _count_rows(path)
                finished |= set(range(first, first + count))
        return finished

    def keep(self, repeats: Sequence[Repeat]) -> None:
        """Keep a chunk, whole or not at all."""
        target = self._chunks / f"{repeats[0].number:06d}"
        partial = target.with_name(f".{target.name}{_PARTIAL}")
        tables: dict[str, list[dict[str, Any]]] = {
            "repeats": [item.about for item in repeats],
            "figures": [row for item in repeats for row in item.figures],
            "claims": [row for item in repeats for row in item.claims],
        }
        try:
            partial.mkdir(parents=True, mode=0o700)
            for name, rows in tables.items():
                frame = pd.DataFrame(rows, columns=list(_COLUMNS[name]))
                frame.to_parquet(partial / f"{name}.parquet", index=False)
            # One that can't be read may stand there.
            shutil.rmtree(target, ignore_errors=True)
            partial.replace(target)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise self._store.wording.describe_write_error(error) from None

    def read(self, name: str, *, repeats: int) -> pd.DataFrame:
        """Read one table of the first repeats."""
        parts = []
        for path in sorted(self._chunks.glob("[0-9]*")):
            try:
                parts.append(pd.read_parquet(path / f"{name}.parquet"))
            except (pyarrow.ArrowException, OSError):
                raise DataError(
                    f"the finished repeats in {CHUNKS}/{path.name} can't be read",
                    place=str(self.folder),
                    remedy="Remove that folder and run the same command again: its repeats are "
                    "run once more, and all others are kept.",
                ) from None
        filled = [part for part in parts if len(part)]
        found = pd.concat(filled, ignore_index=True) if filled else parts[0]
        return found[found["repeat"] < repeats].reset_index(drop=True)

    def remove_all(self, names: Collection[str]) -> None:
        """Remove results of before, so that they never stand beside newer ones."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def write(self, name: str, content: bytes) -> Path:
        """Write a file of results beside the chunks, whole or not at all."""
        try:
            write_whole(self.folder / name, content)
        except OSError as error:
            raise self._store.wording.describe_write_error(error) from None
        return self.folder / name


def _count_rows(chunk: Path) -> int:
    """Count a chunk's repeats, where all its tables can be read."""
    try:
        rows = {
            name: pyarrow.parquet.read_metadata(chunk / f"{name}.parquet").num_rows
            for name in TABLES
        }
    except (pyarrow.ArrowException, OSError):
        return 0
    return int(rows["repeats"])
