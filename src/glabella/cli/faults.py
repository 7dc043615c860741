"""What a user is told of an error: what was refused, or that Glabella is at fault.

A refusal is an error of ours, or one of the system: a file that vanished, a full disk. Anything
else is a fault of Glabella. Its report holds where it happened and nothing of what happened there:
messages of errors and values of variables may be those of a participant.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import typer

from glabella.errors import GlabellaError, escape_controls

# EX_SOFTWARE of sysexits.h: an internal error, and neither the user's data (1) nor usage (2).
FAULT = 70
_PACKAGES = ("numpy", "pandas", "pyarrow", "scikit-learn", "xgboost", "mlflow", "typer")
# A worker's frames travel as text, of which these lines alone hold no message.
_FRAME = re.compile(r'^\s*File "([^"]+)", line (\d+), in (\S+)', re.MULTILINE)


@contextlib.contextmanager
def print_errors() -> Iterator[None]:
    """Turn an error into a message on standard error and an exit code.

    1 for what was refused, 70 for a fault of Glabella. A reader of standard output that went away
    is no error.
    """
    with _escape_controls_of():
        try:
            try:
                yield
            finally:
                # What the disk has no room for is known only now.
                _write_out()
        except GlabellaError as error:
            _stop(str(error), 1)
        except BrokenPipeError:
            _stop("", 1)
        except MemoryError:
            _stop(
                "the memory of this machine does not suffice\n  Use fewer workers, or a machine "
                "with more.",
                1,
            )
        except OSError as error:
            _stop(_describe_system_error(error), 1)
        except Exception as error:
            _stop(_describe_fault(error), FAULT)


def _stop(message: str, code: int) -> None:
    if message:
        # Standard error may be full, or closed, as well.
        with contextlib.suppress(OSError, ValueError):
            typer.echo(f"glabella: {message}", err=True)
    _write_out_quietly()
    sys.exit(code)


def _write_out() -> None:
    # There is none where the shell closed it.
    if sys.stdout is not None:
        sys.stdout.flush()


def _write_out_quietly() -> None:
    """Empty standard output now: at the interpreter's end a failure would print a traceback."""
    try:
        _write_out()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _describe_system_error(error: OSError) -> str:
    reason = error.strerror or "the system refused it"
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    if names:
        return escape_controls(f"{names[-1]}: this can't be read or written: {reason}")
    remedy = "\n  Free space on the disk." if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
    return f"a file or the output can't be read or written: {reason}{remedy}"


def _describe_fault(error: Exception) -> str:
    kind = type(error).__name__
    try:
        handle, path = tempfile.mkstemp(prefix="glabella-fault-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(write_report(error))
    except OSError:
        return f"this is a fault of Glabella ({kind}), and no report of it could be written"
    return (
        f"this is a fault of Glabella ({kind})\n  Where it happened is noted in {path}, without "
        "any value of your data: please report it with that file."
    )


def write_report(error: BaseException) -> str:
    """Write where an error happened, without its message and without any value.

    Returns
    -------
    str
        Versions, then the kinds of error and the places in code that led there.
    """
    lines = [
        "A fault of Glabella. Messages of errors and values are left out on purpose.",
        "",
        f"glabella {version('glabella')}, Python {platform.python_version()}, {platform.system()}",
        ", ".join(f"{name} {_find_version(name)}" for name in _PACKAGES),
    ]
    seen: set[int] = set()
    waiting: list[tuple[str, BaseException | None]] = [("", error)]
    while waiting:
        how, each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        lines += [
            "",
            f"{how}{type(each).__module__}.{type(each).__qualname__}",
            *_list_frames(each),
        ]
        waiting += [("caused by ", each.__cause__), ("while handling ", each.__context__)]
        if isinstance(each, BaseExceptionGroup):
            waiting += [("among them ", inner) for inner in each.exceptions]
    return "\n".join(lines) + "\n"


def _list_frames(error: BaseException) -> list[str]:
    frames = [
        (frame.f_code.co_filename, number, frame.f_code.co_name)
        for frame, number in traceback.walk_tb(error.__traceback__)
    ]
    if not frames:
        frames = [(file, int(line), name) for file, line, name in _FRAME.findall(str(error))]
    return [f"  {_format_place(file)}:{line} in {name}" for file, line, name in frames]


def _format_place(file: str) -> str:
    """Name a file of code without the folders that it is installed in."""
    parts = Path(file).parts
    for folder in ("site-packages", "dist-packages", "src"):
        if folder in parts:
            return "/".join(parts[parts.index(folder) + 1 :])
    return "/".join(parts[-2:])


def _find_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


class ShownStream:
    """A text stream in which characters that steer a terminal are shown as escapes.

    Parameters
    ----------
    stream : file object
        Where the text goes.
    """

    def __init__(self, stream: Any):
        self.plain = stream

    def write(self, text: str) -> int:
        """Write text, its ends of lines and tabs as they are."""
        self.plain.write(escape_controls(text, keep="\n\t"))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)


@contextlib.contextmanager
def _escape_controls_of() -> Iterator[None]:
    before = sys.stdout, sys.stderr
    for stream in filter(None, before):
        # What the terminal's encoding lacks is shown as an escape, too.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.stdout, sys.stderr = (  # type: ignore[assignment]
        stream and ShownStream(stream) for stream in before
    )
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
