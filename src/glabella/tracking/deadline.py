"""Limits on how long a store on a network is waited for."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


class TooLate(BaseException):
    """The time is over; not an `Exception`, so that no library takes it for a failed attempt."""


def run_within(seconds: float, question: Callable[[], Any]) -> None:
    """Run a question in a thread, and wait for it no longer than a number of seconds."""
    raised: list[BaseException] = []

    def run() -> None:
        # The thread that waits raises it again.
        try:
            question()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="glabella-run", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TooLate
    if raised:
        raise raised[0]


@contextlib.contextmanager
def with_time_limit(seconds: float) -> Iterator[None]:
    """End the code inside when the time is over, even while it reads an answer.

    This works only in a process's main thread, not on Windows, and not if the program has set an
    alarm itself; otherwise each attempt has its own limit only.
    """
    is_possible = (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
        and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    )
    if not is_possible:
        yield
        return

    def check_time(number: int, frame: FrameType | None) -> None:
        raise TooLate

    before = signal.signal(signal.SIGALRM, check_time)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
