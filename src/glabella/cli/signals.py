"""Ends an interrupted command as an error would, with the exit code that shells expect."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

# What the user, the system and a closed terminal send; Windows has no SIGHUP.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
# A parent that passes a signal on, such as make or a container's first process, delivers it twice.
_SECONDS_OF_ONE_SIGNAL = 1.0
_SECONDS_UNTIL_AGAIN = 0.01
# A shell reports a command that was ended by a signal with 128 and the signal's number.
_EXIT_CODE = 128


@contextlib.contextmanager
def stop_on_signals() -> Iterator[None]:
    """End the block as `KeyboardInterrupt` when a signal comes, and exit with its code.

    So whatever has a run, a file or worker processes open closes it. A second signal does not wait
    for that. Signals that were ignored from the beginning, as under nohup, stay ignored.
    """
    received: list[tuple[int, float]] = []

    def stop(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not received:
            received.append((number, now))
            _print("interrupted; once more ends it at once")
            raise KeyboardInterrupt
        if now - received[0][1] > _SECONDS_OF_ONE_SIGNAL:
            _print("ended at once; the next run marks this one failed")
            _stop_workers()
            os._exit(_EXIT_CODE + received[0][0])

    stop_looking = _raise_what_was_swallowed()
    for name in _NAMES:
        number = getattr(signal, name, None)
        # A script's shell lets its background jobs ignore SIGINT, but a SIGINT that is sent to such
        # a job by its number is meant.
        if number is not None and (
            name == "SIGINT" or signal.getsignal(number) is not signal.SIG_IGN
        ):
            signal.signal(number, stop)
    try:
        yield
    except BaseException as error:
        # Work that was done all the same, just before the signal came, is done.
        is_done = isinstance(error, SystemExit) and error.code in (None, 0)
        if received and not is_done:
            sys.exit(_EXIT_CODE + received[0][0])
        raise
    finally:
        stop_looking()


def _raise_what_was_swallowed() -> Callable[[], None]:
    """Interrupt once more where the interrupt met a destructor, from which nothing is raised.

    What it returns ends that: an alarm after the command has ended would give it another exit code.
    """
    if not hasattr(signal, "setitimer"):
        return lambda: None
    otherwise = sys.unraisablehook

    def check_parent(swallowed: Any) -> None:
        if issubclass(swallowed.exc_type, KeyboardInterrupt):
            signal.signal(signal.SIGALRM, signal.default_int_handler)
            signal.setitimer(signal.ITIMER_REAL, _SECONDS_UNTIL_AGAIN)
        else:
            otherwise(swallowed)

    def stop() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        sys.unraisablehook = otherwise

    sys.unraisablehook = check_parent
    return stop


def _stop_workers() -> None:
    """Kill processes that would wait for this one for ever."""
    started = sys.modules.get("multiprocessing")
    for process in started.active_children() if started is not None else ():
        process.kill()


def _print(text: str) -> None:
    # Written here: the command line's own framework ends an interrupted verb without a word. The
    # terminal may be gone, which is what SIGHUP is for.
    with contextlib.suppress(OSError, ValueError):
        os.write(2, f"\nglabella: {text}\n".encode())
