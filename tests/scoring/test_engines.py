"""Scores from a cluster are those from here, to the last digit, refusals included."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glabella
from glabella.bundle.load import load_bundle
from glabella.bundle.predict import score_frame
from glabella.cluster import versions
from glabella.errors import ClusterError, DataError

pytestmark = [
    # A scheduler probes for a free port, and Spark's gateway leaves its socket, to the collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    # Both lag behind pandas 3 in what they call, and say so.
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]


@pytest.fixture(scope="module")
def dask_address():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=0
    ) as made:
        yield made.scheduler_address


@pytest.fixture(scope="module")
def spark():
    sql = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java 17, and there is none")
    session = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.memory", "1g")
        .config("spark.log.level", "OFF")
        .getOrCreate()
    )
    # Workers are else whatever `python3` is.
    session.sparkContext.pythonExec = sys.executable
    yield session
    session.stop()


@pytest.fixture
def parts(many_patients, tmp_path) -> Path:
    """The patients as a folder of three Parquet parts; one stands in two of them."""
    folder = tmp_path / "parts"
    folder.mkdir()
    for at, rows in enumerate(np.array_split(np.arange(len(many_patients)), 3)):
        many_patients.iloc[rows].to_parquet(folder / f"part-{at}.parquet", index=False)
    return folder


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.reset_index(drop=True)
    others = frame.select_dtypes(exclude="number").columns
    return frame.assign(
        **{name: frame[name].astype(object).where(frame[name].notna(), "").astype(str)
           for name in others}
    )  # fmt: skip


def _equal(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert list(found.columns) == list(expected.columns)
    pd.testing.assert_frame_equal(
        _as_text(found), _as_text(expected), check_exact=True, check_dtype=False
    )


class TestFiles:
    @pytest.mark.parametrize("options", [{}, {"arm": "placebo", "reasons": 1}])
    def test_dask_gives_what_threads_give(
        self, dask_address, parts, score_whole, small_batches, options
    ) -> None:
        here, expected = score_whole(parts, "here.parquet", **options)
        there, found = score_whole(
            parts, "there.parquet", engine="dask", address=dask_address, **options
        )
        _equal(found, expected)
        assert there.as_json() | {"output": ""} == here.as_json() | {"output": ""}
        assert there.refused == 6

    def test_spark_gives_what_threads_give(self, spark, parts, score_whole, small_batches) -> None:
        here, expected = score_whole(parts, "here.csv")
        there, found = score_whole(parts, "there.csv", engine="spark")
        _equal(found, expected)
        assert there.as_json() | {"output": ""} == here.as_json() | {"output": ""}

    def test_a_part_with_another_schema_is_refused_before_anything(
        self, dask_address, parts, score_whole, tmp_path
    ) -> None:
        last = parts / "part-2.parquet"
        pd.read_parquet(last).drop(columns="age").to_parquet(last, index=False)
        with pytest.raises(DataError) as refused:
            score_whole(parts, "there.csv", engine="dask", address=dask_address)
        assert "part-2.parquet" in str(refused.value)
        assert not list(tmp_path.glob("*there*"))


class TestFrames:
    @pytest.fixture
    def expected(self, trained, many_patients):
        return score_frame(load_bundle(Path(trained[1].bundle)), many_patients)

    def test_a_dask_frame_gives_what_the_table_gives(self, trained, parts, expected) -> None:
        dask = pytest.importorskip("dask.dataframe")
        frame = dask.read_parquet(parts)
        scored = glabella.score_distributed(frame, model=trained[1].bundle)
        assert scored.npartitions == frame.npartitions
        _equal(scored.compute(scheduler="threads"), expected)

    def test_parts_that_change_before_they_are_scored_score_nobody(self, trained, parts) -> None:
        dask = pytest.importorskip("dask.dataframe")
        scored = glabella.score_distributed(dask.read_parquet(parts), model=trained[1].bundle)
        first = sorted(parts.glob("*.parquet"))[0]
        rows = pd.read_parquet(first)
        pd.concat([rows, rows]).to_parquet(first)
        with pytest.raises(DataError, match="had different rows when it was read again"):
            scored.compute(scheduler="sync")

    def test_on_a_dask_cluster_too(self, trained, parts, expected, dask_address) -> None:
        dask = pytest.importorskip("dask.dataframe")
        distributed = pytest.importorskip("distributed")
        with distributed.Client(dask_address):
            scored = glabella.score_distributed(dask.read_parquet(parts), model=trained[1].bundle)
            _equal(scored.compute(), expected)

    def test_a_spark_frame_gives_what_the_table_gives(
        self, spark, trained, many_patients, expected
    ) -> None:
        frame = spark.createDataFrame(many_patients).repartition(3, "sex").cache()
        order = frame.toPandas()
        scored = glabella.score_distributed(frame, model=trained[1].bundle)
        mine = score_frame(load_bundle(Path(trained[1].bundle)), order)
        _equal(scored.toPandas(), mine)
        assert (scored.toPandas()["status"] == "refused").sum() == 6
        assert sorted(mine["response_probability"].dropna()) == sorted(
            expected["response_probability"].dropna()
        )

    def test_mlflows_own_udf_gives_the_same_numbers(self, spark, trained, many_patients) -> None:
        from pyspark.sql import functions

        from glabella.tracking.store import load_mlflow

        project, result = trained
        mlflow, address = load_mlflow(), f"sqlite:///{project}/mlruns/mlflow.db"
        mlflow.set_tracking_uri(address)
        mlflow.set_registry_uri(address)
        try:
            udf = mlflow.pyfunc.spark_udf(
                spark,
                result.model_uri,
                result_type="response_probability double, status string, error string",
                env_manager="local",
            )
            signature = mlflow.pyfunc.load_model(result.model_uri).metadata.signature
        finally:
            mlflow.set_tracking_uri(None)
            mlflow.set_registry_uri(None)
        names = [item.name for item in signature.inputs.inputs]
        # It sees a partition at a time, so of repeated participants nothing is asked here.
        rows = many_patients.drop_duplicates("usubjid").reset_index(drop=True)
        frame = spark.createDataFrame(rows)
        told = functions.struct(*(functions.col(name) for name in names))
        found = frame.select(udf(told).alias("found")).select("found.*").toPandas()
        mine = score_frame(load_bundle(Path(result.bundle)), rows)
        for name in ("response_probability", "status", "error"):
            pd.testing.assert_series_equal(found[name], mine[name], check_dtype=False)

    def test_columns_that_are_wrong_or_missing_are_refused(self, trained, many_patients) -> None:
        dask = pytest.importorskip("dask.dataframe")
        for spoil, match in (
            (many_patients.drop(columns="age"), "lacks the column 'age'"),
            (many_patients.assign(age=many_patients["age"] * 365), "age"),
        ):
            with pytest.raises(DataError, match=match):
                glabella.score_distributed(
                    dask.from_pandas(spoil, npartitions=2), model=trained[1].bundle
                )
        with pytest.raises(DataError, match="neither a Dask nor a Spark"):
            glabella.score_distributed(many_patients, model=trained[1].bundle)


class TestRefusals:
    @pytest.mark.parametrize(
        ("engine", "address"), [("dask", "tcp://127.0.0.1:9"), ("spark", "spark://127.0.0.1:9")]
    )
    def test_a_cluster_that_is_not_there(self, parts, score_whole, engine, address, tmp_path):
        if engine == "spark":
            pytest.importorskip("pyspark")
        began = time.monotonic()
        with pytest.raises(ClusterError, match="answered within 10 seconds") as refused:
            score_whole(parts, "there.csv", engine=engine, address=address)
        assert time.monotonic() - began < 25
        assert address in (refused.value.place or "")
        assert not (tmp_path / "there.csv").exists()

    def test_other_versions_on_a_worker_stop_the_job(
        self, parts, score_whole, dask_address, monkeypatch
    ) -> None:
        # Here alone: a worker looks at its own.
        monkeypatch.setattr(versions, "version", lambda name: "0.1")
        with pytest.raises(ClusterError, match="instead of"):
            score_whole(parts, "there.csv", engine="dask", address=dask_address)

    def test_an_engine_that_is_not_installed(self, parts, score_whole, monkeypatch) -> None:
        monkeypatch.setitem(sys.modules, "pyspark", None)
        with pytest.raises(ClusterError, match="pyspark is not installed") as refused:
            score_whole(parts, "there.csv", engine="spark")
        assert "glabella[spark]" in (refused.value.remedy or "")

    def test_an_address_for_the_local_engine(self, parts, score_whole) -> None:
        with pytest.raises(DataError, match="no address"):
            score_whole(parts, "there.csv", address="tcp://127.0.0.1:1")


def _list_children(parent: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "status").read_text()
        except OSError:
            continue
        above = int(status.split("PPid:\t")[1].split("\n")[0])
        children.setdefault(above, []).append(int(entry.name))
    found, left = [], [parent]
    while left:
        mine = children.get(left.pop(), [])
        found += mine
        left += mine
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds workers in /proc")
def test_a_worker_killed_half_way_loses_nothing(trained, many_patients, tmp_path) -> None:
    rows = pd.concat([many_patients.head(11)] * 1500, ignore_index=True)
    rows["usubjid"] = [f"K-{at}" for at in range(len(rows))]
    rows.to_parquet(tmp_path / "many.parquet", index=False)
    here = glabella.score(
        tmp_path / "many.parquet", out=tmp_path / "here.parquet", model=trained[1].bundle
    )
    command = [
        sys.executable, "-m", "glabella", "score", str(tmp_path / "many.parquet"), "--out",
        str(tmp_path / "there.parquet"), "--model", trained[1].bundle, "--engine", "dask",
        "--workers", "2",
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        until, hidden = time.monotonic() + 90, tmp_path / ".there.parquet.partial"
        while time.monotonic() < until and not any(hidden.rglob("*.arrows")):
            time.sleep(0.05)
        workers = [
            pid
            for pid in _list_children(running.pid)
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        if workers:
            os.kill(workers[0], signal.SIGKILL)
        message = running.communicate(timeout=240)[1]
    if running.returncode == 0:
        # Its batches went to the other worker.
        _equal(pd.read_parquet(tmp_path / "there.parquet"), here.frame())
        return
    assert running.returncode == 1 and "the cluster was lost" in message
    assert not (tmp_path / "there.parquet").exists()
    again = glabella.score(
        tmp_path / "many.parquet", out=tmp_path / "there.parquet", model=trained[1].bundle,
        resume=True,
    )  # fmt: skip
    _equal(again.frame(), here.frame())
