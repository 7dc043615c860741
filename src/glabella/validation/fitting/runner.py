"""Runs the tasks of a training: where they run, who hears of it, and what is kept of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from joblib import Parallel

from glabella.validation.fitting.checkpoint import Checkpoint
from glabella.validation.fitting.digest import Digester
from glabella.validation.fitting.keeper import Keeper
from glabella.validation.fitting.workers import Workers

Progress = Callable[[str, int, int], None]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Task:
    """A task, and its name among the others of its scope.

    Parameters
    ----------
    name : tuple of object
        Plain values.
    job : object
        From `joblib.delayed`; gives None if it failed, which is not kept.
    """

    name: tuple[object, ...]
    job: Any


@dataclass(frozen=True)
class Runner:
    """Runs tasks, reports how far they are, and keeps those that are finished.

    Parameters
    ----------
    workers : Workers
        Where tasks run; results do not depend on it.
    progress : callable, optional
        Called with a stage, the number done and the number in all.
    checkpoint : Checkpoint, optional
        Where finished fits are kept and found; without it none are.
    """

    workers: Workers = field(default_factory=Workers)
    progress: Progress | None = None
    checkpoint: Checkpoint | None = None

    def note_done(self, stage: str, done: int = 0, in_all: int = 0) -> None:
        """Report that some tasks of a stage are done; a stage without parts has none."""
        if self.progress is not None:
            self.progress(stage, done, in_all)

    def name_stage(self, words: str) -> Runner:
        """Give every stage that is reported one name."""
        return replace(self, progress=lambda _, done, in_all: self.note_done(words, done, in_all))

    def make_keeper(
        self,
        make_scope: Callable[[Digester], str],
        pack: Callable[[Result], Any],
        unpack: Callable[[Any], Result],
    ) -> Keeper[Result] | None:
        """Make what keeps results of tasks that depend on a scope; None if nothing is kept."""
        if self.checkpoint is None:
            return None
        return Keeper(self.checkpoint, make_scope(self.checkpoint.digester), pack, unpack)

    def make_parallel(self, *, shared: Sequence[object] = ()) -> Parallel:
        """Make what runs tasks, as often as it is called; see `Workers.make_parallel`."""
        return self.workers.make_parallel(shared=shared)

    def run(self, jobs: Iterable[Any], *, shared: Sequence[object] = ()) -> Iterator[Any]:
        """Run tasks of which nothing is kept, and give their results in order."""
        return self.workers.run(jobs, shared=shared)

    def run_kept(
        self,
        tasks: Sequence[Task],
        keeper: Keeper[Result] | None,
        *,
        shared: Sequence[object] = (),
    ) -> Iterator[Result | None]:
        """Run tasks that have not been run yet, and give the results of all in order.

        A result is the same whether it was found or run.
        """
        found = {task.name: None if keeper is None else keeper.find(*task.name) for task in tasks}
        results = self.run([task.job for task in tasks if found[task.name] is None], shared=shared)
        for task in tasks:
            result = found[task.name]
            if result is None:
                result = next(results)
                if keeper is not None and result is not None:
                    keeper.keep(result, *task.name)
            yield result


# In this process, one after the other, with nothing reported or kept.
ONE_BY_ONE = Runner()
