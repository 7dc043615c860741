"""What a long job has finished, in a folder of one process and of one job's identity.

A part is whole or not there, so that a job that was killed continues from its finished parts. The
identity is what parts depend on: those of another one are never taken for this job's.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glabella.atomic import (
    LOCK_FILE,
    FolderLock,
    NotOursError,
    describe_os_error,
    make_folder,
    write_whole,
)
from glabella.errors import DataError


@dataclass(frozen=True)
class Wording:
    """What is said of a folder that can't be used, and what to do about it.

    Parameters
    ----------
    place : Path
        What the user named.
    busy, wait : str
        That another process has the folder; what to do.
    odd, other : str
        That its name is a link's, a file's or another user's; what to do.
    unwritten, again : str
        That the disk refused; what to do.
    """

    place: Path
    busy: str
    wait: str
    odd: str
    other: str
    unwritten: str
    again: str

    def describe_write_error(self, error: OSError) -> DataError:
        """Say why something can't be written."""
        return DataError(
            f"{self.unwritten}: {describe_os_error(error)}",
            place=str(self.place),
            remedy=self.again,
        )


class PartStore:
    """A folder of finished parts.

    Parameters
    ----------
    folder : Path
        Made when it is taken.
    identity_file : str
        The file in it that says which job its parts are of.
    wording : Wording
        For messages.
    """

    def __init__(self, folder: Path, identity_file: str, wording: Wording) -> None:
        self.folder = folder
        self.wording = wording
        self.identity_path = folder / identity_file
        self._lock = FolderLock(folder)

    def take(self, *within: str, refuse_foreign: Callable[[], None] | None = None) -> None:
        """Make the folder, or take one that is ours, and keep other processes out."""
        try:
            is_new = make_folder(self.folder)
            if not is_new and refuse_foreign is not None:
                refuse_foreign()
            for name in within:
                make_folder(self.folder / name)
            self._lock.take()
        except BlockingIOError:
            raise DataError(
                self.wording.busy, place=str(self.wording.place), remedy=self.wording.wait
            ) from None
        except NotOursError as error:
            raise DataError(
                f"{self.wording.odd}: {error.strerror}",
                place=str(error.filename),
                remedy=f"It was left as it is. {self.wording.other}",
            ) from None
        except OSError as error:
            raise self.wording.describe_write_error(error) from None

    def release(self) -> None:
        """Let other processes in."""
        self._lock.release()

    def remove(self) -> None:
        """Remove the folder, if nothing is left in it but what keeps it."""
        self.identity_path.unlink(missing_ok=True)
        # As long as the lock's file is there, the folder is taken by name.
        with contextlib.suppress(OSError):
            (self.folder / LOCK_FILE).unlink()
            self.folder.rmdir()

    def write_identity(self, identity: Mapping[str, Any]) -> None:
        """Say which job the parts are of."""
        write_whole(self.identity_path, json.dumps(identity, indent=1).encode())

    def list_changes(self, identity: Mapping[str, Any]) -> list[str] | None:
        """List by what the parts are another job's; None if the folder does not say it."""
        try:
            kept = dict(json.loads(self.identity_path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None
        names = dict.fromkeys([*identity, *kept])
        return [name for name in names if kept.get(name) != identity.get(name)]
