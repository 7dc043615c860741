"""Which rows of a table of any size have a participant of an earlier row again."""

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

# The number of rows whose hashes are kept in memory before they are written to files.
_HELD_ROWS = 1_000_000
_PARTITIONS = 64
_RECORD = np.dtype([("first", np.uint64), ("second", np.uint64), ("row", np.int64)])


class RepeatedRows:
    """Whether each row of a table has the participant of an earlier row.

    Parameters
    ----------
    bits : array of uint8
        One bit for each row, packed.
    rows : int
        The number of rows.
    """

    def __init__(self, bits: npt.NDArray[np.uint8], rows: int):
        self._bits = bits
        self._rows = rows

    def check_count(self, rows: int) -> None:
        """Refuse a table that had a different number of rows when it was read again."""
        if rows != self._rows:
            raise DataError(
                f"the table had {self._rows} rows, and {rows} when it was read again",
                remedy="Run the same again when no other program writes it.",
            )

    def select_part(self, start: int, count: int) -> npt.NDArray[np.bool_]:
        """Select the values of ``count`` rows, beginning with row ``start``."""
        from_byte = start // 8
        bits = np.unpackbits(self._bits[from_byte : (start + count + 7) // 8])
        return bits[start - 8 * from_byte :][:count].astype(bool)


class RepeatFinder:
    """Collects the identifiers of a table, and finds those that occur more than once.

    Hashes of up to a million rows are kept in memory. Those of a larger table are written to
    files, divided so that equal hashes are in the same file, and compared file by file.

    Parameters
    ----------
    folder : Path
        The folder of the files, which are removed in the end.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._held: list[npt.NDArray[np.void]] = []
        self._held_rows = 0
        self._rows = 0
        self._files: list[BinaryIO] = []

    def __enter__(self) -> RepeatFinder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, file in enumerate(self._files):
            file.close()
            self._find_path(number).unlink(missing_ok=True)

    def add(self, ids: pyarrow.LargeStringArray) -> None:
        """Add the identifiers of the next rows."""
        records = np.empty(len(ids), dtype=_RECORD)
        records["first"], records["second"] = hash_ids(ids)
        records["row"] = np.arange(self._rows, self._rows + len(ids))
        self._rows += len(ids)
        self._held.append(records)
        self._held_rows += len(ids)
        if self._held_rows > _HELD_ROWS:
            self._write_held()

    def find(self) -> RepeatedRows:
        """Find the repeated rows among all that were added, except the first of each one."""
        repeated = np.zeros((self._rows + 7) // 8, dtype=np.uint8)
        if self._files and self._held:
            self._write_held()
        parts = range(len(self._files)) if self._files else [None]
        for number in parts:
            rows = _find_later(self._join_held() if number is None else self._read(number))
            # Several rows may be in the same byte, so each is added separately.
            np.bitwise_or.at(repeated, rows // 8, (128 >> (rows % 8)).astype(np.uint8))
        return RepeatedRows(repeated, self._rows)

    def _find_path(self, number: int) -> Path:
        return self._folder / f"ids-{number:02d}"

    def _join_held(self) -> npt.NDArray[np.void]:
        held = np.concatenate(self._held) if self._held else np.empty(0, dtype=_RECORD)
        self._held, self._held_rows = [], 0
        return held

    def _write_held(self) -> None:
        if not self._files:
            self._files = [
                open_new(self._find_path(number), private=True) for number in range(_PARTITIONS)
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
