"""Where fits run: in this process, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
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
class _Cluster:
    """A connected Dask cluster.

    What was sent to it once is kept until the end: where an object is sent again just as the first
    sending of it is let go, Dask can lose both.
    """

    address: str
    kept: list[Parallel] = field(default_factory=list)


# Who asks for parallel fits is far below who knows where they run.
_cluster: ContextVar[_Cluster | None] = ContextVar("cluster", default=None)


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
def use_workers(workers: int | str, versions: Mapping[str, str]) -> Iterator[int]:
    """Let fits run where they are asked to, while the block lasts.

    Parameters
    ----------
    workers : int or str
        Processes of this machine, or ``dask://host:port``.
    versions : mapping of str
        Of the packages that shape numbers, here; a cluster's workers must have the same.

    Yields
    ------
    int
        How many fits run at once.

    Raises
    ------
    AnalysisError
        If nothing answers at the address, its workers have other versions, the cluster is lost, or
        a process is killed.
    """
    if isinstance(workers, int):
        try:
            yield workers
        except TerminatedWorkerError:
            raise AnalysisError(
                "a worker process was killed, perhaps for want of memory",
                place=f"--workers {workers}",
                remedy="Ask for fewer workers, and continue with --resume.",
            ) from None
        return
    with _connect(workers) as client:
        _compare_versions(workers, client, versions)
        token = _cluster.set(_Cluster(workers))
        try:
            with _tell_of_loss(workers):
                yield max(1, sum(client.ncores().values()))
        finally:
            _cluster.reset(token)


def make_parallel(workers: int, *, shared: Sequence[object] = (), **how: Any) -> Parallel:
    """Make what runs tasks, each with one thread.

    Parameters
    ----------
    workers : int
        How many at once; 1 runs them here, one after the other.
    shared : sequence of object
        Arguments that many tasks have in common, by identity: a cluster gets them once.
    **how
        For `joblib.Parallel`.

    Returns
    -------
    Parallel
        On the cluster of `use_workers`, or on this machine; joblib takes nothing to a cluster
        that has one core.
    """
    cluster = _cluster.get()
    if cluster is None and workers == 1:
        return Parallel(n_jobs=1, backend="sequential", **how)
    if cluster is None:
        return Parallel(n_jobs=workers, initializer=_leave_interrupts_to_parent, **how)
    # Named by the configuration: as an argument, joblib 1.6 hands the backend a keyword that it
    # passes on to the tasks.
    with parallel_config(backend="dask", scatter=list(shared)):
        parallel = Parallel(n_jobs=-1, **how)
    cluster.kept.append(parallel)
    return parallel


def _leave_interrupts_to_parent() -> None:
    """Ignore Ctrl-C, which a terminal sends to workers too: who asked for the tasks ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_tasks(
    tasks: Iterable[Any], *, workers: int, shared: Sequence[object] = ()
) -> Iterator[Any]:
    """Run tasks and give their results in order, as soon as each is there.

    Parameters
    ----------
    tasks : iterable
        From `joblib.delayed`.
    workers, shared
        As in `make_parallel`.

    Yields
    ------
    object
        The result of a task.
    """
    results = make_parallel(workers, shared=shared, return_as="generator")(tasks)
    try:
        # Not `yield from`, which would close the results before the warning is silenced.
        for result in results:  # noqa: UP028
            yield result
    finally:
        with warnings.catch_warnings():
            # Who interrupts knows that some tasks were not used.
            warnings.simplefilter("ignore", UserWarning)
            results.close()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Keep a task to one thread, and whatever it calls from spreading further tasks.

    Yields
    ------
    None
        Nothing.
    """
    token = _cluster.set(None)
    try:
        controller = _find_thread_pools(len(sys.modules))
        with controller.limit(limits=1), parallel_config(backend="sequential"):
            yield
    finally:
        _cluster.reset(token)


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
