"""A store that is asked over a network answers in time, or is said not to."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


class TooLate(BaseException):
    """Time is up; no library's `except Exception` may take it for a failed attempt of its own."""


def ask_within(seconds: float, question: Callable[[], Any]) -> None:
    """Ask in a thread, and wait for it no longer than is stated."""
    raised: list[BaseException] = []

    def ask() -> None:
        # The one who waits raises it again.
        try:
            question()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=ask, name="glabella-ask", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TooLate
    if raised:
        raise raised[0]


@contextlib.contextmanager
def limit(seconds: float) -> Iterator[None]:
    """End what is done inside when time is up, also in the middle of reading an answer.

    Only a process's main thread can be woken so, and Windows has no such alarm; elsewhere each
    attempt's own limit is what there is. An alarm that a program has set itself is left alone.
    """
    is_possible = (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
        and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    )
    if not is_possible:
        yield
        return

    def wake(number: int, frame: FrameType | None) -> None:
        raise TooLate

    before = signal.signal(signal.SIGALRM, wake)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
