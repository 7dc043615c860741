"""Tasks of which the results are kept as they come in, and found by a run that is continued."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from glabella.validation.fitting.checkpoint import Checkpoint, FitKey
from glabella.validation.fitting.parallel import run_tasks

Result = TypeVar("Result")


@dataclass(frozen=True)
class Keeper(Generic[Result]):
    """Keeps the results of tasks of one kind.

    Parameters
    ----------
    checkpoint : Checkpoint
        Where.
    scope : str
        The digest of what all of them depend on, from `Checkpoint.make_scope`.
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
        """Find the result of a task.

        Parameters
        ----------
        *name : object
            What tells it from the others of its scope.

        Returns
        -------
        object or None
            None where it is not there.
        """
        content = self.checkpoint.find_plain(self._make_key(name))
        return None if content is None else self.unpack(content)

    def keep(self, result: Result, *name: object) -> None:
        """Keep the result of a task.

        Parameters
        ----------
        result : object
            What it came to.
        *name : object
            As in `find`.
        """
        self.checkpoint.keep_plain(self._make_key(name), self.pack(result))

    def _make_key(self, name: tuple[object, ...]) -> FitKey:
        return FitKey(hashlib.sha256(f"{self.scope} {name!r}".encode()).hexdigest())


@dataclass(frozen=True)
class Task:
    """A task, and what tells it from the others of its scope.

    Parameters
    ----------
    name : tuple of object
        Plain values.
    job : object
        From `joblib.delayed`; gives None where it failed, which is not kept.
    """

    name: tuple[object, ...]
    job: Any


def run_kept(
    tasks: Sequence[Task],
    keeper: Keeper[Result] | None,
    *,
    workers: int,
    shared: Sequence[object] = (),
) -> Iterator[Result | None]:
    """Run tasks that have not been run yet, and give the results of all in order.

    Parameters
    ----------
    tasks : sequence of Task
        In the order that results are wanted in.
    keeper : Keeper or None
        Where finished ones are found and kept; None keeps none.
    workers, shared
        As in `run_tasks`.

    Yields
    ------
    object or None
        The result of a task: the same whether it was found or run.
    """
    found = {task.name: None if keeper is None else keeper.find(*task.name) for task in tasks}
    results = run_tasks(
        [task.job for task in tasks if found[task.name] is None], workers=workers, shared=shared
    )
    for task in tasks:
        result = found[task.name]
        if result is None:
            result = next(results)
            if keeper is not None and result is not None:
                keeper.keep(result, *task.name)
        yield result
