"""Which rows of a table of any size stand for a participant who stands in an earlier row."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow

from glabella.atomic import open_new
from glabella.bundle.ids import hash_ids
from glabella.errors import DataError

# Rows whose hashes are held in memory before they are written down.
_HELD_ROWS = 1_000_000
_PARTITIONS = 64
_RECORD = np.dtype([("first", np.uint64), ("second", np.uint64), ("row", np.int64)])


class DoubledRows:
    """A bit for each row of a table.

    Parameters
    ----------
    bits : array of uint8
        Packed.
    rows : int
        How many rows that is.
    """

    def __init__(self, bits: npt.NDArray[np.uint8], rows: int):
        self._bits = bits
        self._rows = rows

    def refuse_other_count(self, rows: int) -> None:
        """Refuse a table that had another number of rows when it was read again."""
        if rows != self._rows:
            raise DataError(
                f"the table had {self._rows} rows, and {rows} when it was read again",
                remedy="Run the same again when no other program writes it.",
            )

    def take(self, start: int, count: int) -> npt.NDArray[np.bool_]:
        """Take a part of the table's rows.

        Returns
        -------
        array of bool, shape (count,)
            True where the participant stands in an earlier row.
        """
        from_byte = start // 8
        bits = np.unpackbits(self._bits[from_byte : (start + count + 7) // 8])
        return bits[start - 8 * from_byte :][:count].astype(bool)


class DoublesFinder:
    """Collects the identifiers of a table and finds those that stand twice.

    Their hashes are held in memory for a million rows; of a larger table they are written down,
    divided so that equal ones come together, and looked through part by part.

    Parameters
    ----------
    folder : Path
        Where they are written; nothing stays there.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._held: list[npt.NDArray[np.void]] = []
        self._held_rows = 0
        self._rows = 0
        self._files: list[BinaryIO] = []

    def __enter__(self) -> DoublesFinder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, file in enumerate(self._files):
            file.close()
            self._path(number).unlink(missing_ok=True)

    def add(self, ids: pyarrow.LargeStringArray) -> None:
        """Add the identifiers of the next rows."""
        records = np.empty(len(ids), dtype=_RECORD)
        records["first"], records["second"] = hash_ids(ids)
        records["row"] = np.arange(self._rows, self._rows + len(ids))
        self._rows += len(ids)
        self._held.append(records)
        self._held_rows += len(ids)
        if self._held_rows > _HELD_ROWS:
            self._write_down()

    def find(self) -> DoubledRows:
        """Find the doubled rows among all that were added."""
        doubled = np.zeros((self._rows + 7) // 8, dtype=np.uint8)
        if self._files and self._held:
            self._write_down()
        parts = range(len(self._files)) if self._files else [None]
        for number in parts:
            rows = _find_later(self._join_held() if number is None else self._read(number))
            # Rows of one byte may come together, so each is added on its own.
            np.bitwise_or.at(doubled, rows // 8, (128 >> (rows % 8)).astype(np.uint8))
        return DoubledRows(doubled, self._rows)

    def _path(self, number: int) -> Path:
        return self._folder / f"ids-{number:02d}"

    def _join_held(self) -> npt.NDArray[np.void]:
        held = np.concatenate(self._held) if self._held else np.empty(0, dtype=_RECORD)
        self._held, self._held_rows = [], 0
        return held

    def _write_down(self) -> None:
        if not self._files:
            self._files = [
                open_new(self._path(number), private=True) for number in range(_PARTITIONS)
            ]
        records = self._join_held()
        # The highest bits of these hashes are the best mixed.
        which = (records["first"] >> np.uint64(58)).astype(np.intp)
        order = np.argsort(which, kind="stable")
        bounds = np.searchsorted(which[order], np.arange(_PARTITIONS + 1))
        for number, file in enumerate(self._files):
            file.write(records[order[bounds[number] : bounds[number + 1]]].tobytes())

    def _read(self, number: int) -> npt.NDArray[np.void]:
        self._files[number].seek(0)
        return np.frombuffer(self._files[number].read(), dtype=_RECORD)


def _find_later(records: npt.NDArray[np.void]) -> npt.NDArray[np.int64]:
    order = np.lexsort((records["row"], records["second"], records["first"]))
    sorted_records = records[order]
    same = (sorted_records["first"][1:] == sorted_records["first"][:-1]) & (
        sorted_records["second"][1:] == sorted_records["second"][:-1]
    )
    return np.asarray(sorted_records["row"][1:][same], dtype=np.int64)
