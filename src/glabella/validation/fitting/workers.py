"""Where fits run: in this process, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from joblib import Parallel, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError
from threadpoolctl import ThreadpoolController

from glabella.cluster.cluster import Cluster
from glabella.cluster.dask import connect_dask
from glabella.errors import AnalysisError

SCHEME = "dask://"
_ADDRESS = re.compile(r"dask://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(\d{1,5})")


@dataclass(frozen=True)
class Workers:
    """Processes of this machine, or those of a connected Dask cluster.

    Parameters
    ----------
    count : int
        How many tasks run at once; 1 runs them in this process, one after the other.
    cluster : str or None
        The address of the Dask scheduler; None for this machine.
    """

    count: int = 1
    cluster: str | None = None
    # What was sent to a cluster once is kept until the end: if an object is sent again just as
    # the first sending of it is let go, Dask can lose both.
    _kept: list[Parallel] = field(default_factory=list, repr=False, compare=False)

    def make_parallel(self, *, shared: Sequence[object] = (), **how: Any) -> Parallel:
        """Make what runs tasks, each with one thread; `how` is for `joblib.Parallel`.

        A cluster gets the arguments that are `shared` between tasks once; they are recognised by
        identity. Joblib takes nothing to a cluster that has one core.
        """
        if self.cluster is None and self.count == 1:
            return Parallel(n_jobs=1, backend="sequential", **how)
        if self.cluster is None:
            return Parallel(n_jobs=self.count, initializer=_keep_interrupts_for_parent, **how)
        # Named by the configuration: as an argument, joblib 1.6 hands the backend a keyword that
        # it passes on to the tasks.
        with parallel_config(backend="dask", scatter=list(shared)):
            parallel = Parallel(n_jobs=-1, **how)
        self._kept.append(parallel)
        return parallel

    def run(self, tasks: Iterable[Any], *, shared: Sequence[object] = ()) -> Iterator[Any]:
        """Run tasks and give their results in order, as soon as each is there."""
        results = self.make_parallel(shared=shared, return_as="generator")(tasks)
        try:
            # Not `yield from`, which would close the results before the warning is silenced.
            for result in results:  # noqa: UP028
                yield result
        finally:
            with warnings.catch_warnings():
                # A caller that interrupts knows that some tasks were not used.
                warnings.simplefilter("ignore", UserWarning)
                results.close()


def parse_workers(text: str) -> int | str:
    """Read a number of processes, or the address of a Dask scheduler.

    Examples
    --------
    >>> parse_workers("4"), parse_workers("dask://localhost:8786")
    (4, 'dask://localhost:8786')
    """
    if _ADDRESS.fullmatch(text) and int(text.rpartition(":")[2]) < 2**16:
        return text
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise ValueError(
        f"'{text}' is neither a number of processes nor the address of a Dask scheduler, such as "
        "dask://localhost:8786"
    )


@contextlib.contextmanager
def open_workers(asked: int | str, *, again: str) -> Iterator[Workers]:
    """Open the workers that are asked for, while the block lasts."""
    if isinstance(asked, int):
        try:
            yield Workers(asked)
        except TerminatedWorkerError:
            raise AnalysisError(
                "a worker process was killed, perhaps for want of memory",
                place=f"--workers {asked}",
                remedy="Ask for fewer workers, and continue with --resume.",
            ) from None
        return
    cluster = Cluster("Dask", f"--workers {asked}", again)
    address = f"tcp://{asked.removeprefix(SCHEME)}"
    with connect_dask(cluster, address, is_default=True) as client:
        workers = Workers(max(1, sum(client.ncores().values())), asked)
        try:
            yield workers
        finally:
            workers._kept.clear()


def _keep_interrupts_for_parent() -> None:
    """Ignore Ctrl-C, which a terminal sends to workers too: the caller ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def keep_one_thread() -> Iterator[None]:
    """Keep a task, and the libraries that it calls, to one thread of one process."""
    controller = _find_thread_pools(len(sys.modules))
    with controller.limit(limits=1), parallel_config(backend="sequential"):
        yield


@lru_cache(maxsize=1)
def _find_thread_pools(modules: int) -> ThreadpoolController:
    """Look for libraries with threads again only when something was imported since: it is slow."""
    return ThreadpoolController()
