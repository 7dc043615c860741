"""A Dask cluster that can't be used is refused before anything is sent to it."""

import sys

import pytest

from glabella.cluster.cluster import Cluster
from glabella.cluster.dask import connect_dask
from glabella.errors import ClusterError

CLUSTER = Cluster("Dask", "--address tcp://127.0.0.1:9")


def test_an_address_at_which_nothing_answers_is_refused(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(Cluster, "seconds_to_answer", 1)
    refused = pytest.raises(ClusterError, match="no Dask scheduler answered within 1 seconds")
    with refused, connect_dask(CLUSTER, "tcp://127.0.0.1:9"):
        pass


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    refused = pytest.raises(ClusterError, match="needs the package distributed")
    with refused as caught, connect_dask(CLUSTER, "tcp://127.0.0.1:9"):
        pass
    assert "pip install 'glabella[dask]'" in caught.value.remedy
