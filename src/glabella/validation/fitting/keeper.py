"""Results of tasks of one kind, kept as they come in and found by a run that is continued."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from glabella.validation.fitting.checkpoint import Checkpoint
from glabella.validation.fitting.digest import FitKey

Result = TypeVar("Result")


@dataclass(frozen=True)
class Keeper(Generic[Result]):
    """Keeps results of tasks of one kind, and finds them.

    Parameters
    ----------
    checkpoint : Checkpoint
        Where.
    scope : str
        The digest of what all of them depend on, from `Digester.make_scope`.
    pack : callable
        Gives a result as plain values, bytes and arrays.
    unpack : callable
        Gives it back.
    """

    checkpoint: Checkpoint
    scope: str
    pack: Callable[[Result], Any]
    unpack: Callable[[Any], Result]

    def find(self, *name: object) -> Result | None:
        """Find the result of the task of a name; None if it is not there."""
        content = self.checkpoint.find_plain(self._make_key(name))
        return None if content is None else self.unpack(content)

    def keep(self, result: Result, *name: object) -> None:
        """Keep the result of the task of a name."""
        self.checkpoint.keep_plain(self._make_key(name), self.pack(result))

    def _make_key(self, name: tuple[object, ...]) -> FitKey:
        return FitKey(hashlib.sha256(f"{self.scope} {name!r}".encode()).hexdigest())
