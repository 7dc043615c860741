"""Finished repeats of a rehearsal, kept in chunks so that it can be taken up again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet

from glabella.errors import AnalysisError, DataError
from glabella.pipelines.rehearsed import Repeat

DEFINITION_FILE = "definition.json"
CHUNKS = "chunks"
CHUNK_SIZE = 10
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

    def open(self, definition: Mapping[str, str]) -> None:
        """Make the folder, or take it up where it is of the same definition.

        Parameters
        ----------
        definition : mapping of str
            Name to what repeats depend on: hashes of definitions, versions, options.

        Raises
        ------
        AnalysisError
            If it holds repeats of another definition: what changed is named.
        DataError
            If it holds something else, or can't be written.
        """
        path = self.folder / DEFINITION_FILE
        if path.exists():
            self._compare(json.loads(path.read_text(encoding="utf-8")), definition)
            return
        if self.folder.exists() and any(self.folder.iterdir()):
            raise DataError(
                "the folder holds something else than a rehearsal",
                place=str(self.folder),
                remedy="Name an empty folder, or a new one.",
            )
        try:
            (self.folder / CHUNKS).mkdir(parents=True, exist_ok=True)
            _write_whole(path, json.dumps(dict(definition), indent=1, sort_keys=True).encode())
        except OSError as error:
            raise self._explain(error) from None

    def _compare(self, kept: Mapping[str, str], definition: Mapping[str, str]) -> None:
        changed = [
            name for name in sorted({*kept, *definition}) if kept.get(name) != definition.get(name)
        ]
        if changed:
            raise AnalysisError(
                f"its repeats are of another definition: {', '.join(changed)} changed since",
                place=str(self.folder),
                remedy="Repeats of two definitions can't be counted together. Name another folder "
                "with --out, or remove this one.",
            )

    def list_finished(self) -> dict[int, int]:
        """List the chunks that are there.

        Returns
        -------
        dict of int
            The number of a chunk's first repeat to how many it holds.
        """
        return {
            int(path.name): pyarrow.parquet.read_metadata(path / "repeats.parquet").num_rows
            for path in (self.folder / CHUNKS).iterdir()
            if path.is_dir() and path.name.isdigit()
        }

    def keep(self, first: int, repeats: Sequence[Repeat]) -> None:
        """Keep a chunk, whole or not at all.

        Parameters
        ----------
        first : int
            The number of its first repeat.
        repeats : sequence of Repeat
            In their order.

        Raises
        ------
        DataError
            If it can't be written; chunks that were kept before stay.
        """
        target = self.folder / CHUNKS / f"{first:06d}"
        partial = target.with_name(f".{target.name}.partial")
        tables: dict[str, list[dict[str, Any]]] = {
            "repeats": [item.about for item in repeats],
            "figures": [row for item in repeats for row in item.figures],
            "claims": [row for item in repeats for row in item.claims],
        }
        try:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            for name, rows in tables.items():
                frame = pd.DataFrame(rows, columns=list(_COLUMNS[name]))
                frame.to_parquet(partial / f"{name}.parquet", index=False)
            # A shorter one stands there where fewer repeats were asked for before.
            shutil.rmtree(target, ignore_errors=True)
            partial.replace(target)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise self._explain(error) from None

    def read(self, name: str, *, repeats: int) -> pd.DataFrame:
        """Read one table of the first repeats.

        Parameters
        ----------
        name : str
            ``repeats``, ``figures`` or ``claims``.
        repeats : int
            How many; more may have been kept.

        Returns
        -------
        DataFrame
            In the order of the repeats.
        """
        paths = sorted((self.folder / CHUNKS).glob(f"[0-9]*/{name}.parquet"))
        parts = [pd.read_parquet(path) for path in paths]
        filled = [part for part in parts if len(part)]
        found = pd.concat(filled, ignore_index=True) if filled else parts[0]
        return found[found["repeat"] < repeats].reset_index(drop=True)

    def write(self, name: str, content: bytes) -> Path:
        """Write a file of results beside the chunks, whole or not at all.

        Parameters
        ----------
        name : str
            The file.
        content : bytes
            What goes into it.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        DataError
            If it can't be written.
        """
        try:
            _write_whole(self.folder / name, content)
        except OSError as error:
            raise self._explain(error) from None
        return self.folder / name

    def _explain(self, error: OSError) -> DataError:
        return DataError(
            f"the results can't be written: {error.strerror}",
            place=str(self.folder),
            remedy="Make room, then run the same command again: finished repeats are kept.",
        )


def _write_whole(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
