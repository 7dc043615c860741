"""Files that are whole or not there, never through a link, and folders of one process at a time.

A name in a shared folder can be taken before we come: by a link that leads elsewhere, or by
somebody's files. So what is written is opened under a name that can't be guessed and must be new,
and a folder that is there already is used only if it is ours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import IO, BinaryIO

try:
    import fcntl
except ImportError:  # Windows has another kind of lock; there two processes are not told apart.
    fcntl = None  # type: ignore[assignment]

LOCK_FILE = ".lock"
PARTIAL = ".partial"
# A name may have 255 bytes in all.
_SHOWN_BYTES = 120
# Windows has neither; there, a file that must be new is no link either.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_PARTIAL_NAME = re.compile(r"\..*\.[0-9a-f]{16}\.partial", re.DOTALL)
# What a file system says that has no hard links.
_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class NotOursError(OSError):
    """What has the name is a link, somebody else's, or no file or folder of the expected kind.

    Parameters
    ----------
    finding : str
        What it is.
    path : Path
        The name.
    """

    def __init__(self, finding: str, path: Path):
        super().__init__(errno.EEXIST, finding, str(path))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.strerror, Path(str(self.filename))))


def describe_os_error(error: OSError) -> str:
    """Say what the system refused, without the path."""
    if isinstance(error, NotOursError):
        return str(error.strerror)
    return os.strerror(error.errno) if error.errno else "the disk did not take it"


def open_new(path: Path, *, private: bool = False) -> BinaryIO:
    """Open a file that must not be there, not even as a link."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK
    return os.fdopen(os.open(path, flags, 0o600 if private else 0o666), "w+b")


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write under another name first, so that a file of this name is always whole."""
    write_together(path.parent, {path.name: content}, private=private)


def write_together(folder: Path, contents: Mapping[str, bytes], *, private: bool = False) -> None:
    """Write files as `write_whole` does, the first of them only when all could be written."""
    for name in contents:
        check_ordinary_file(folder / name)
    partials = {name: folder / name_partial(name) for name in contents}
    try:
        for name, content in contents.items():
            with open_new(partials[name], private=private) as file:
                file.write(content)
        for name, partial in partials.items():
            partial.replace(folder / name)
    finally:
        # An interrupt, too, leaves nothing beside them.
        for partial in partials.values():
            partial.unlink(missing_ok=True)


def name_partial(name: str) -> str:
    """Make a hidden name that can't be guessed, for a file until it is whole."""
    shown = name.encode(errors="replace")[:_SHOWN_BYTES].decode(errors="ignore")
    return f".{shown}.{secrets.token_hex(8)}{PARTIAL}"


def is_partial(name: str) -> bool:
    """Say whether a file's name is one that `name_partial` made.

    Examples
    --------
    >>> is_partial(name_partial("report.html")), is_partial(".thesis.partial")
    (True, False)
    """
    return _PARTIAL_NAME.fullmatch(name) is not None


def check_ordinary_file(path: Path) -> None:
    """Refuse a name under which there is something else than an ordinary file."""
    with contextlib.suppress(FileNotFoundError):
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            raise NotOursError("it is a link, and nothing is written through a link", path)
        if stat.S_ISDIR(mode):
            raise NotOursError("it is a folder", path)
        if not stat.S_ISREG(mode):
            raise NotOursError("it is no ordinary file", path)


def publish(partial: Path, target: Path) -> None:
    """Give a finished file its name, and never replace what has it."""
    try:
        os.link(partial, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        partial.rename(target)
        return
    partial.unlink()


def make_folder(folder: Path) -> bool:
    """Make a folder that only its owner may enter, or take one that is there and is ours."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        check_own_folder(folder)
        return False
    return True


def check_own_folder(folder: Path) -> None:
    """Refuse a folder that is not ours to write into or to empty."""
    with contextlib.suppress(FileNotFoundError):
        state = os.lstat(folder)
        if stat.S_ISLNK(state.st_mode):
            raise NotOursError("it is a link, and nothing is written through a link", folder)
        if not stat.S_ISDIR(state.st_mode):
            raise NotOursError("it is no folder", folder)
        if hasattr(os, "geteuid") and state.st_uid != os.geteuid():
            raise NotOursError("it belongs to another user", folder)


def find_identity(path: Path) -> tuple[object, ...]:
    """Say which file a path names now, so that one that was replaced or changed is known."""
    try:
        if path.is_dir():
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
            return tuple((entry.name, *find_identity(Path(entry.path))) for entry in entries
                         if not entry.is_dir() and entry.name[0] not in "._")  # fmt: skip
        state = path.stat()
    except OSError as error:
        return (error.errno,)
    return (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)


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
        """Take the folder."""
        check_ordinary_file(self._path)
        file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o600), "r+b")
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._check_still_there(file)
        except OSError:
            file.close()
            raise
        self._file = file

    def _check_still_there(self, file: IO[bytes]) -> None:
        """Who had the folder may have removed it after the file was opened here."""
        here = os.fstat(file.fileno())
        try:
            there = os.lstat(self._path)
        except FileNotFoundError:
            raise BlockingIOError from None
        if (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino):
            raise BlockingIOError

    @staticmethod
    def has_locks() -> bool:
        """Say whether processes are told apart here, so that a free folder is nobody's."""
        return fcntl is not None

    def release(self) -> None:
        """Give the folder back."""
        if self._file is not None:
            self._file.close()
            self._file = None
