"""Where fits run: in this process, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from joblib import Parallel, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError
from threadpoolctl import ThreadpoolController

from glabella.errors import AnalysisError, GlabellaError

SCHEME = "dask://"
_ADDRESS = re.compile(r"dask://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
_SECONDS_TO_ANSWER = 10


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
        """Make what runs tasks, each with one thread.

        Parameters
        ----------
        shared : sequence of object
            Arguments that many tasks have in common, by identity: a cluster gets them once.
        **how
            For `joblib.Parallel`.

        Returns
        -------
        Parallel
            On the cluster, or on this machine; joblib takes nothing to a cluster that has one
            core.
        """
        if self.cluster is None and self.count == 1:
            return Parallel(n_jobs=1, backend="sequential", **how)
        if self.cluster is None:
            return Parallel(n_jobs=self.count, initializer=_leave_interrupts_to_parent, **how)
        # Named by the configuration: as an argument, joblib 1.6 hands the backend a keyword that
        # it passes on to the tasks.
        with parallel_config(backend="dask", scatter=list(shared)):
            parallel = Parallel(n_jobs=-1, **how)
        self._kept.append(parallel)
        return parallel

    def run(self, tasks: Iterable[Any], *, shared: Sequence[object] = ()) -> Iterator[Any]:
        """Run tasks and give their results in order, as soon as each is there.

        Parameters
        ----------
        tasks : iterable
            From `joblib.delayed`.
        shared : sequence of object
            As in `make_parallel`.

        Yields
        ------
        object
            The result of a task.
        """
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

    Parameters
    ----------
    text : str
        ``4``, or ``dask://host:8786``.

    Returns
    -------
    int or str
        The number, or the address as it is.

    Raises
    ------
    ValueError
        If it is neither.

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
def open_workers(asked: int | str, versions: Mapping[str, str]) -> Iterator[Workers]:
    """Open the workers that are asked for, while the block lasts.

    Parameters
    ----------
    asked : int or str
        Processes of this machine, or ``dask://host:port``.
    versions : mapping of str
        Of the packages that shape numbers, here; a cluster's workers must have the same.

    Yields
    ------
    Workers
        Ready for tasks.

    Raises
    ------
    AnalysisError
        If nothing answers at the address, its workers have other versions, the cluster is lost, or
        a process is killed.
    """
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
    with _connect(asked) as client:
        _compare_versions(asked, client, versions)
        workers = Workers(max(1, sum(client.ncores().values())), asked)
        try:
            with _tell_of_loss(asked):
                yield workers
        finally:
            workers._kept.clear()


def _leave_interrupts_to_parent() -> None:
    """Ignore Ctrl-C, which a terminal sends to workers too: the caller ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Keep a task, and the libraries that it calls, to one thread of one process.

    Yields
    ------
    None
        Nothing.
    """
    controller = _find_thread_pools(len(sys.modules))
    with controller.limit(limits=1), parallel_config(backend="sequential"):
        yield


@lru_cache(maxsize=1)
def _find_thread_pools(modules: int) -> ThreadpoolController:
    """Look for libraries with threads again only when something was imported since: it is slow."""
    return ThreadpoolController()


@contextlib.contextmanager
def _connect(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError:
        raise AnalysisError(
            "a Dask cluster needs the package distributed, and it is not installed",
            place=f"--workers {address}",
            remedy="Install the extra: pip install 'glabella[dask]'",
        ) from None
    try:
        client = Client(  # type: ignore[no-untyped-call]
            f"tcp://{address.removeprefix(SCHEME)}", timeout=_SECONDS_TO_ANSWER, set_as_default=True
        )
    except (OSError, ValueError):
        raise AnalysisError(
            f"no Dask scheduler answered within {_SECONDS_TO_ANSWER} seconds",
            place=f"--workers {address}",
            remedy="Start one with `dask scheduler`, or mend the address.",
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_SECONDS_TO_ANSWER)
        except TimeoutError:
            raise AnalysisError(
                f"the Dask scheduler had no worker within {_SECONDS_TO_ANSWER} seconds",
                place=f"--workers {address}",
                remedy="Start some with `dask worker`.",
            ) from None
        yield client


def _compare_versions(address: str, client: Any, versions: Mapping[str, str]) -> None:
    """Refuse workers on which a fit could give other figures than here."""
    try:
        found = client.run(_find_versions, list(versions))
    except Exception as error:
        raise AnalysisError(
            f"a worker can't say which versions it has ({type(error).__name__})",
            place=f"--workers {address}",
            remedy="Install the same version of Glabella, of Python and of Dask on every worker.",
        ) from None
    for there in found.values():
        other = [
            f"{name} {there.get(name) or 'missing'} instead of {version}"
            for name, version in versions.items()
            if there.get(name) != version
        ]
        if other:
            raise AnalysisError(
                f"a worker has other versions: {', '.join(other)}",
                place=f"--workers {address}",
                remedy="Install the same on every worker: figures must not depend on who fits.",
            )


def _find_versions(names: Sequence[str]) -> dict[str, str | None]:
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


@contextlib.contextmanager
def _tell_of_loss(address: str) -> Iterator[None]:
    """Say in a message that workers or scheduler were lost."""
    from distributed import CancelledError, KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        yield
    except GlabellaError:
        raise
    except (KilledWorker, CancelledError, CommClosedError, ConnectionError, TimeoutError) as error:
        raise AnalysisError(
            f"the Dask cluster was lost on the way ({type(error).__name__})",
            place=f"--workers {address}",
            remedy="Look at its log for memory, then go on with --resume.",
        ) from None
