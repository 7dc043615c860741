"""Where batches are scored: in threads here, on Dask's workers, or on Spark's."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from glabella.errors import BundleError, DataError, GlabellaError

Engine = Literal["local", "dask", "spark"]
ENGINES: tuple[Engine, ...] = ("local", "dask", "spark")
_SECONDS_TO_ANSWER = 10
_TRIES = 3
# Of what shapes a number or a word of a score.
SHAPING = ("glabella", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "xgboost")
_REMEDY = "Finished batches are kept: run the same command again with --resume."


def find_versions() -> dict[str, str]:
    """Find the versions, here, of what shapes scores.

    Returns
    -------
    dict of str
        By package; ``missing`` where it is not installed.
    """
    found = {}
    for name in SHAPING:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def compare_versions(there: Mapping[str, str], place: str) -> None:
    """Refuse workers on which a score could be another.

    Parameters
    ----------
    there : mapping of str
        From `find_versions` on a worker.
    place : str
        The cluster.

    Raises
    ------
    DataError
        With what differs.
    """
    here = find_versions()
    other = [
        f"{name} {there.get(name, 'missing')} instead of {here[name]}"
        for name in here
        if there.get(name) != here[name]
    ]
    if other:
        raise DataError(
            f"a worker has other versions: {', '.join(other)}",
            place=place,
            remedy="Install the same on every worker: scores must not depend on who computes them.",
        )


@contextlib.contextmanager
def open_engine(engine: Engine, address: str | None, workers: int) -> Iterator[Executor]:
    """Open what runs batches.

    Parameters
    ----------
    engine : str
        ``local``, ``dask`` or ``spark``.
    address : str or None
        Of a Dask scheduler (``tcp://host:8786``) or a Spark master (``spark://host:7077``); a
        cluster of `workers` processes on this machine unless stated.
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
        If the engine is not installed, nobody answers, or workers have other versions.
    """
    if engine == "local":
        if address is not None:
            raise DataError(
                "the local engine has no address", place="--address", remedy="Leave it out."
            )
        with ThreadPoolExecutor(workers) as pool:
            yield pool
        return
    opened = _open_dask if engine == "dask" else _open_spark
    with opened(address, workers) as pool:
        yield pool


@contextlib.contextmanager
def _open_dask(address: str | None, workers: int) -> Iterator[Executor]:
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise _describe_missing("dask", "distributed") from None
    with contextlib.ExitStack() as stack:
        if address is None:
            where: Any = stack.enter_context(
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=workers, threads_per_worker=1, dashboard_address=None
                )
            )
        else:
            where = address
        place = f"--address {address}" if address else "the local Dask cluster"
        try:
            client = stack.enter_context(
                Client(  # type: ignore[no-untyped-call]
                    where, timeout=_SECONDS_TO_ANSWER, set_as_default=False
                )
            )
            client.wait_for_workers(1, timeout=_SECONDS_TO_ANSWER)
        except (OSError, ValueError, TimeoutError):
            raise _describe_silence("Dask scheduler with a worker", place) from None
        for there in client.run(find_versions).values():
            compare_versions(there, place)
        with _tell_of_loss(place):
            yield _DaskPool(client)


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


@contextlib.contextmanager
def _open_spark(address: str | None, workers: int) -> Iterator[Executor]:
    try:
        from pyspark import SparkConf, SparkContext
    except ImportError:
        raise _describe_missing("spark", "pyspark") from None
    place = f"--address {address}" if address else "the local Spark cluster"
    # Without a session, which takes seconds to start: rows are no data frame here.
    active = SparkContext._active_spark_context
    if address is not None and address.startswith("spark://"):
        _knock(address, place)
    try:
        context = active or SparkContext(
            conf=SparkConf()
            # By itself a local master gives a batch of a lost worker to no other.
            .setMaster(address or f"local[{workers},{_TRIES}]")
            .setAppName("glabella score")
            .set("spark.ui.enabled", "false")
            .set("spark.log.level", "ERROR")
        )
        if address is None and active is None:
            # Else workers are whatever `python3` is, which may lack this package.
            context.pythonExec = sys.executable
    except Exception as error:
        raise DataError(
            f"Spark can't be started ({type(error).__name__})",
            place=place,
            remedy="It needs Java 17 or later; look at the address, and at what Spark printed.",
        ) from None
    try:
        ask_spark_versions(context, place)
        with _tell_of_loss(place), ThreadPoolExecutor(workers) as threads:
            yield _SparkPool(context, threads)
    finally:
        if active is None:
            context.stop()


def ask_spark_versions(context: Any, place: str) -> None:
    """Refuse a Spark worker on which a score could be another.

    Parameters
    ----------
    context : SparkContext
        The cluster's.
    place : str
        The cluster, for messages.

    Raises
    ------
    DataError
        With what differs, or if the worker has no such package.
    """
    try:
        found = context.parallelize([0], 1).map(lambda _: find_versions()).collect()
    except Exception as error:
        raise DataError(
            f"a worker can't say which versions it has ({type(error).__name__})",
            place=place,
            remedy="Install the same version of Glabella and of Python on every worker, and name "
            "that Python in PYSPARK_PYTHON.",
        ) from None
    for there in found:
        compare_versions(there, place)


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


def _knock(address: str, place: str) -> None:
    """Spark tries a master for minutes, and says so in its log alone."""
    import socket

    host, _, port = address.removeprefix("spark://").split(",")[0].rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=_SECONDS_TO_ANSWER):
            pass
    except (OSError, ValueError):
        raise _describe_silence("Spark master", place) from None


@contextlib.contextmanager
def _tell_of_loss(place: str) -> Iterator[None]:
    """Say in a message that a cluster was lost; what it printed may hold a row."""
    try:
        yield
    except GlabellaError:
        raise
    except Exception as error:
        name = type(error).__name__
        if name in _OF_LOSS or isinstance(error, ConnectionError | TimeoutError):
            raise DataError(
                f"the cluster was lost on the way ({name})", place=place, remedy=_REMEDY
            ) from None
        raise


_OF_LOSS = frozenset(
    {
        "KilledWorker",
        "CancelledError",
        "FutureCancelledError",
        "CommClosedError",
        "Py4JError",
        "Py4JJavaError",
        "Py4JNetworkError",
    }
)


def _describe_missing(extra: str, package: str) -> BundleError:
    return BundleError(
        f"the package {package} is not installed",
        place=f"--engine {extra}",
        remedy=f"Install the extra: pip install 'glabella[{extra}]'",
    )


def _describe_silence(who: str, place: str) -> DataError:
    return DataError(
        f"no {who} answered within {_SECONDS_TO_ANSWER} seconds",
        place=place,
        remedy="Start one, or mend the address.",
    )
