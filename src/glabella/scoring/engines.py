"""Scores batches in threads of this process, or on the workers of Dask or Spark."""

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
    """Open an executor for batches, on the address or by default on ``workers`` of this machine.

    Its ``submit`` takes a function, or a `partial` of one, whose positional arguments, such as a
    model, are sent to each worker once.
    """
    if engine == "local":
        if address is not None:
            raise DataError("the local engine has no address", place="--address", remedy="Omit it.")
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
    """Futures of a Dask client, which sends a task's large arguments to each worker once."""

    def __init__(self, client: Any):
        self._client = client
        self._sent: dict[int, tuple[object, Any]] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        # The partial function is the same for all batches; only the rows differ.
        function, bound = (fn.func, fn.args) if isinstance(fn, partial) else (fn, ())
        sent = [self._publish(each) for each in bound]
        return self._client.submit(  # type: ignore[no-any-return]
            function, *sent, *args, **kwargs, pure=False, retries=2
        )

    def _publish(self, item: object) -> Any:
        if id(item) not in self._sent:
            self._sent[id(item)] = (item, self._client.scatter(item, broadcast=True, hash=False))
        return self._sent[id(item)][1]


class _SparkPool(Executor):
    """Spark jobs, one for each batch; several run at once, and a thread waits for each."""

    def __init__(self, context: Any, threads: ThreadPoolExecutor):
        self._context = context
        self._threads = threads
        self._sent: dict[int, tuple[object, Any]] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        function, bound = (fn.func, fn.args) if isinstance(fn, partial) else (fn, ())
        sent = [self._publish(each) for each in bound]

        def compute(batch: tuple[tuple[Any, ...], dict[str, Any]]) -> Any:
            more, named = batch
            return function(*(each.value for each in sent), *more, **named)

        def run() -> Any:
            [found] = self._context.parallelize([(args, kwargs)], 1).map(compute).collect()
            return found

        return self._threads.submit(run)

    def _publish(self, item: object) -> Any:
        if id(item) not in self._sent:
            self._sent[id(item)] = (item, self._context.broadcast(item))
        return self._sent[id(item)][1]
