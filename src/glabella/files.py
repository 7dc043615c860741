"""Files that are whole or not there, and folders that one process at a time writes into."""

from __future__ import annotations

from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows has another kind of lock; there two processes are not told apart.
    fcntl = None  # type: ignore[assignment]

LOCK_FILE = ".lock"


def write_whole(path: Path, content: bytes) -> None:
    """Write under another name first, so that a file of this name is always whole.

    Parameters
    ----------
    path : Path
        The file; one that is there is replaced.
    content : bytes
        What goes into it.

    Raises
    ------
    OSError
        If it can't be written; what was there stays.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


class FolderLock:
    """Keeps a folder to one process, until it is released or the process ends.

    Parameters
    ----------
    folder : Path
        An existing folder.
    """

    def __init__(self, folder: Path):
        self._path = folder / LOCK_FILE
        self._file: IO[bytes] | None = None

    def take(self) -> None:
        """Take the folder.

        Raises
        ------
        BlockingIOError
            If another process has it.
        OSError
            If nothing can be written there.
        """
        file = self._path.open("wb")
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise
        self._file = file

    def release(self) -> None:
        """Give the folder back."""
        if self._file is not None:
            self._file.close()
            self._file = None
