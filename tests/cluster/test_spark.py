"""A Spark cluster that can't be used is refused before anything is sent to it."""

import sys

import pytest

from glabella.cluster.cluster import Cluster
from glabella.cluster.spark import compare_spark_versions, connect_spark
from glabella.cluster.versions import list_versions
from glabella.errors import ClusterError

CLUSTER = Cluster("Spark", "--address spark://127.0.0.1:9")


def test_a_master_that_does_not_answer_is_refused():
    pytest.importorskip("pyspark")
    refused = pytest.raises(ClusterError, match="no Spark master answered")
    with refused, connect_spark(CLUSTER, "spark://127.0.0.1:9", workers=1):
        pass


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    refused = pytest.raises(ClusterError, match="needs the package pyspark")
    with refused as caught, connect_spark(CLUSTER, None, workers=1):
        pass
    assert "pip install 'glabella[spark]'" in caught.value.remedy


class Context:
    """Answers for a worker, as a Spark context does."""

    def __init__(self, answer):
        self.answer = answer

    def parallelize(self, items, parts):
        return self

    def map(self, ask):
        return self

    def collect(self):
        return [self.answer]


def test_a_worker_of_other_versions_is_refused():
    compare_spark_versions(CLUSTER, Context(list_versions()))
    with pytest.raises(ClusterError, match="numpy 1 instead of"):
        compare_spark_versions(CLUSTER, Context({**list_versions(), "numpy": "1"}))
