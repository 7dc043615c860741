"""A Spark cluster: reached at its master's address, or started on this machine."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator
from typing import Any

from glabella.cluster.cluster import Cluster
from glabella.cluster.versions import list_versions
from glabella.errors import ClusterError

_TRIES = 3


@contextlib.contextmanager
def connect_spark(cluster: Cluster, address: str | None, *, workers: int) -> Iterator[Any]:
    """Connect to a Spark cluster whose workers have the versions of this machine."""
    try:
        from pyspark import SparkConf, SparkContext
    except ImportError:
        raise cluster.describe_missing("pyspark") from None
    # Without a session, which takes seconds to start: rows are no data frame here.
    active = SparkContext._active_spark_context
    if address is not None and address.startswith("spark://"):
        _check_port(cluster, address)
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
        raise ClusterError(
            f"Spark can't be started ({type(error).__name__})",
            place=cluster.place,
            remedy="It needs Java 17 or later; look at the address, and at what Spark printed.",
        ) from None
    try:
        compare_spark_versions(cluster, context)
        with cluster.watch():
            yield context
    finally:
        if active is None:
            context.stop()


def compare_spark_versions(cluster: Cluster, context: Any) -> None:
    """Refuse a Spark worker on which a score could differ from this machine's."""
    cluster.compare_versions(
        lambda: context.parallelize([0], 1).map(lambda _: list_versions()).collect()
    )


def _check_port(cluster: Cluster, address: str) -> None:
    """Spark tries a master for minutes, and says so in its log alone."""
    host, _, port = address.removeprefix("spark://").split(",")[0].rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=cluster.seconds_to_answer):
            pass
    except (OSError, ValueError):
        raise cluster.describe_silence("master") from None
