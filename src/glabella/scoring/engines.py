"""Where batches are scored: in threads here, on Dask's workers, or on Spark's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Literal

from glabella.cluster.cluster import Cluster
from glabella.cluster.dask import connect_dask
from glabella.cluster.spark import connect_spark
from glabella.errors import DataError

Engine = Literal["local", "dask", "spark"]
ENGINES: tuple[Engine, ...] = ("local", "dask", "spark")


@contextlib.contextmanager
def open_engine(engine: Engine, address: str | None, workers: int) -> Iterator[Executor]:
    """Open what runs batches.

    Parameters
    ----------
    engine : str
        ``local``, ``dask`` or ``spark``.
    address : str or None
        Of a Dask scheduler (``tcp://host:8786``) or a Spark master (``spark://host:7077``); a
        cluster of `workers` processes on this machine by default.
    workers : int
        How many batches at once.

    Yields
    ------
    Executor
        Whose `submit` takes a function, or a `partial` of one: what is bound by position, such as
        a model, is sent to a worker once.

    Raises
    ------
    DataError
        If the local engine is given an address.
    ClusterError
        If the engine is not installed, nothing answers, workers have other versions, or the
        cluster is lost.
    """
    if engine == "local":
        if address is not None:
            raise DataError(
                "the local engine has no address", place="--address", remedy="Leave it out."
            )
        with ThreadPoolExecutor(workers) as pool:
            yield pool
        return
    kind = engine.capitalize()
    place = f"--address {address}" if address else f"the local {kind} cluster"
    cluster = Cluster(kind, place)
    if engine == "dask":
        with connect_dask(cluster, address, workers=workers) as client:
            yield _DaskPool(client)
        return
    with (
        connect_spark(cluster, address, workers=workers) as context,
        ThreadPoolExecutor(workers) as threads,
    ):
        yield _SparkPool(context, threads)


class _DaskPool(Executor):
    """Futures of a Dask client, which takes a task's large arguments to a worker once."""

    def __init__(self, client: Any):
        self._client = client
        self._sent: dict[int, tuple[object, Any]] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        # A partial of the task is the same for all batches; only rows differ.
        function, bound = (fn.func, fn.args) if isinstance(fn, partial) else (fn, ())
        sent = [self._send(each) for each in bound]
        return self._client.submit(  # type: ignore[no-any-return]
            function, *sent, *args, **kwargs, pure=False, retries=2
        )

    def _send(self, item: object) -> Any:
        if id(item) not in self._sent:
            self._sent[id(item)] = (item, self._client.scatter(item, broadcast=True, hash=False))
        return self._sent[id(item)][1]


class _SparkPool(Executor):
    """One Spark job a batch, several at once: a thread waits for each."""

    def __init__(self, context: Any, threads: ThreadPoolExecutor):
        self._context = context
        self._threads = threads
        self._sent: dict[int, tuple[object, Any]] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        function, bound = (fn.func, fn.args) if isinstance(fn, partial) else (fn, ())
        sent = [self._send(each) for each in bound]

        def answer(batch: tuple[tuple[Any, ...], dict[str, Any]]) -> Any:
            more, named = batch
            return function(*(each.value for each in sent), *more, **named)

        def run() -> Any:
            [found] = self._context.parallelize([(args, kwargs)], 1).map(answer).collect()
            return found

        return self._threads.submit(run)

    def _send(self, item: object) -> Any:
        if id(item) not in self._sent:
            self._sent[id(item)] = (item, self._context.broadcast(item))
        return self._sent[id(item)][1]
