"""Names of earlier releases that go on working for one release."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")

# Of options and arguments, to today's; options are named without their dashes.
OPTIONS = {"rehearsal": "allow-simulated"}
_ARGUMENTS = {"rehearsal": "allow_simulated"}


def apply_old_names(function: Callable[_Given, _Answer]) -> Callable[_Given, _Answer]:
    """Let a function take its arguments under their earlier names too."""

    @functools.wraps(function)
    def run(*args: _Given.args, **kwargs: _Given.kwargs) -> _Answer:
        for old, new in _ARGUMENTS.items():
            if old in kwargs:
                if new in kwargs:
                    raise TypeError(f"'{old}' is the earlier name of '{new}': give one of them")
                warnings.warn(
                    f"'{old}' is called '{new}' now; the next release no longer takes '{old}'",
                    DeprecationWarning,
                    stacklevel=2,
                )
                kwargs[new] = kwargs.pop(old)
        return function(*args, **kwargs)

    return run
