"""A Dask cluster: reached at its scheduler's address, or started on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from glabella.cluster.cluster import Cluster
from glabella.cluster.versions import list_versions


@contextlib.contextmanager
def connect_dask(
    cluster: Cluster, address: str | None, *, workers: int = 1, is_default: bool = False
) -> Iterator[Any]:
    """Connect to a Dask cluster whose workers have the versions of this machine."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise cluster.describe_missing("distributed") from None
    with contextlib.ExitStack() as stack:
        where: Any = address
        if address is None:
            where = stack.enter_context(
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=workers, threads_per_worker=1, dashboard_address=None
                )
            )
        try:
            client = stack.enter_context(
                Client(  # type: ignore[no-untyped-call]
                    where, timeout=cluster.seconds_to_answer, set_as_default=is_default
                )
            )
        except (OSError, ValueError):
            raise cluster.describe_silence("scheduler") from None
        try:
            client.wait_for_workers(1, timeout=cluster.seconds_to_answer)
        except (OSError, TimeoutError):
            raise cluster.describe_silence("worker") from None
        cluster.compare_versions(lambda: client.run(list_versions).values())
        with cluster.watch():
            yield client
