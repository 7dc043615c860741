"""What can't be used of a cluster is refused with its place and what to do."""

import pytest

from glabella.cluster.cluster import Cluster
from glabella.cluster.versions import list_versions
from glabella.errors import ClusterError, DataError

CLUSTER = Cluster("Dask", "--workers dask://host:1", "the same command again")


def test_workers_of_the_same_versions_are_taken():
    CLUSTER.compare_versions(lambda: [list_versions(), list_versions()])


def test_a_worker_of_other_versions_is_refused_by_name():
    with pytest.raises(ClusterError, match=r"other versions: xgboost 1\.0 instead of") as refused:
        CLUSTER.compare_versions(lambda: [list_versions(), {**list_versions(), "xgboost": "1.0"}])
    assert refused.value.place == "--workers dask://host:1"
    assert "same on every worker" in refused.value.remedy


def test_a_worker_that_can_not_say_its_versions_is_refused():
    def ask():
        raise ModuleNotFoundError("glabella")

    with pytest.raises(ClusterError, match="can't say which versions") as refused:
        CLUSTER.compare_versions(ask)
    assert "of Python and of Dask on every worker" in refused.value.remedy


class KilledWorker(Exception):  # noqa: N818
    """Named as Dask names it."""


@pytest.mark.parametrize("lost", [KilledWorker("S-001, 41"), ConnectionResetError("S-001")])
def test_a_loss_is_said_without_what_the_cluster_printed(lost):
    with pytest.raises(ClusterError) as refused, CLUSTER.watch():
        raise lost
    assert str(refused.value) == (
        f"--workers dask://host:1: the cluster was lost on the way ({type(lost).__name__})\n"
        "  Look at its log for memory. What was finished is kept: run the same command again."
    )
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("error", [DataError("a column is missing"), ZeroDivisionError()])
def test_what_is_no_loss_stays_what_it_was(error):
    with pytest.raises(type(error)) as raised, CLUSTER.watch():
        raise error
    assert raised.value is error
