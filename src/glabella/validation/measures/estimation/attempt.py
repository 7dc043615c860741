"""What may fail without ending a run: a figure of which only the reason is left."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, CancelledError
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TypeVar

import numpy as np

from glabella.errors import GlabellaError
from glabella.validation.measures.estimation.estimate import Estimate, make_missing_estimate

Result = TypeVar("Result")
Otherwise = TypeVar("Otherwise")

# These are not of a figure: the disk, the memory, a process or a cluster was lost, every later
# figure would be lost with it, and a run that ends can be resumed.
_ENDS_A_RUN = (OSError, MemoryError, BrokenExecutor, CancelledError)


@dataclass(frozen=True)
class Failure:
    """Why something could not be computed.

    Parameters
    ----------
    kind : str
        The exception's name, so that a fault of the program is not taken for one of the data.
    message : str
        Its first line, without what it quotes: that may be a value.
    place : str
        The module and line of this package that it came from.
    """

    kind: str
    message: str
    place: str

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """Describe an exception."""
        ours = [
            f"{PurePath(frame.filename).stem}:{frame.lineno}"
            for frame in traceback.extract_tb(error.__traceback__)
            if "glabella" in PurePath(frame.filename).parts
        ]
        return cls(type(error).__name__, describe_failure(error), ours[-1] if ours else "")

    @property
    def words(self) -> str:
        """The failure as the reason of a figure that is missing."""
        return f"it could not be computed ({self.kind}: {self.message})"


def describe_failure(error: Exception) -> str:
    """Say in a line why a fit failed.

    Returns
    -------
    str
        A library's message is kept short, and free of what it quotes: that may be a value.
    """
    if isinstance(error, GlabellaError):
        return error.finding
    first = str(error).strip().split("\n")[0]
    return re.sub(r"""(['"]).*?\1""", "'...'", first) or type(error).__name__


def attempt(
    compute: Callable[[], Result], otherwise: Callable[[Failure], Otherwise]
) -> Result | Otherwise:
    """Compute what a run can do without.

    Notes
    -----
    Everything but a loss of the disk, the memory or the workers is taken: hours of fits are not
    thrown away for one figure, whatever its fault is. The reason has the exception's name, and
    stands where the figure would.
    """
    try:
        return compute()
    except _ENDS_A_RUN:
        raise
    # The one place that takes every exception, for the reason in the notes above.
    except Exception as error:
        if type(error).__module__.startswith("distributed"):
            raise
        return otherwise(Failure.of(error))


def attempt_estimate(compute: Callable[[], Estimate]) -> Estimate:
    """Compute an estimate, or the reason why there is none.

    Returns
    -------
    Estimate
        Not estimable where that fails, or the value is no number; without an interval where only
        its ends are none.
    """
    found = attempt(compute, lambda failure: make_missing_estimate(failure.words))
    if found.value is not None and not np.isfinite(found.value):
        return make_missing_estimate(found.reason or "its value is beyond what a number can hold")
    ends = [end for end in (found.low, found.high, found.standard_error) if end is not None]
    if not np.isfinite(ends).all():
        return replace(
            found,
            low=None,
            high=None,
            standard_error=None,
            reason=found.reason or "its interval is beyond what a number can hold",
        )
    return found


def attempt_estimates(computed: Mapping[str, Callable[[], Estimate]]) -> dict[str, Estimate]:
    """Compute several estimates, each by itself."""
    return {name: attempt_estimate(compute) for name, compute in computed.items()}
