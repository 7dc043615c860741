"""Fits on a Dask cluster give what they give here."""

import json
import os
import subprocess
import sys

import pytest
from joblib import delayed

import glabella
from glabella.cluster import versions
from glabella.cluster.cluster import Cluster
from glabella.errors import ClusterError
from glabella.validation.fitting import workers
from glabella.validation.fitting.workers import open_workers, parse_workers

pytestmark = [
    # The scheduler probes for a free port and leaves the socket to the collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=0
    ) as made:
        yield made.scheduler_address.replace("tcp://", "dask://")


def _shorten(project, more=""):
    path = project / "pipelines" / "small.yaml"
    text = path.read_text().replace(
        "[prevalence, arm_only, severity, ridge, xgboost]", "[severity, ridge]"
    )
    text = text.replace("  inside: {folds: 3, repeats: 1}\n", "")
    path.write_text(text.replace("inner_folds: 2", f"inner_folds: 2\n{more}"))
    return project


def _figures(result):
    plain = json.loads(json.dumps(result.as_json()))
    return {
        key: plain[key]
        for key in ("finding", "candidates", "procedure", "permutations", "stability")
    }


def test_a_training_on_a_cluster_gives_the_figures_of_one_process(
    cluster, make_small_project, tmp_path
):
    more = "  permutations: 19\n  stability: {refits: 20}\n"
    there = _shorten(make_small_project(tmp_path / "there"), more)
    here = _shorten(make_small_project(tmp_path / "here"), more)
    stages = []
    result = glabella.train(
        "small", project=there, workers=cluster, progress=lambda stage, *_: stages.append(stage)
    )
    assert _figures(result) == _figures(glabella.train("small", project=here, workers=1))
    assert "validating" in stages


def test_what_was_finished_on_the_cluster_is_not_fitted_again(cluster, small_project):
    class StopError(Exception):
        pass

    def stop(stage, done, total):
        if stage == "validating" and 9 <= done < total:
            raise StopError

    _shorten(small_project)
    with pytest.raises(StopError):
        glabella.train("small", project=small_project, workers=cluster, progress=stop)
    kept = list((small_project / "mlruns" / "unfinished" / "small").glob("*.npz"))
    assert len(kept) >= 9
    counts = []
    glabella.train(
        "small", project=small_project, workers=cluster, resume=True,
        progress=lambda stage, done, total: counts.append(done)
        if stage.startswith("validating") else None,
    )  # fmt: skip
    assert min(counts) > len(kept)


def test_tasks_spread_no_further_tasks(cluster):
    def count_inside(shared, number):
        from joblib.parallel import get_active_backend

        with workers.keep_one_thread():
            return max(shared), type(get_active_backend()[0]).__name__, number

    with open_workers(cluster, again="it") as opened:
        assert opened.count == 2
        shared = list(range(1000))
        found = opened.make_parallel(shared=[shared])(
            delayed(count_inside)(shared, number) for number in range(4)
        )
    assert found == [(999, "SequentialBackend", number) for number in range(4)]


def test_other_versions_on_a_worker_are_refused_by_name(cluster, monkeypatch):
    # Here alone: a worker looks at its own.
    monkeypatch.setattr(versions, "version", lambda name: "1.0")
    with pytest.raises(ClusterError) as caught, open_workers(cluster, again="it"):
        pass
    assert caught.value.finding.startswith("a worker has other versions: glabella ")
    assert "instead of 1.0" in caught.value.finding


def test_nobody_at_the_address_is_said_before_a_run_is_opened(small_project, monkeypatch):
    monkeypatch.setattr(Cluster, "seconds_to_answer", 1)
    with pytest.raises(ClusterError, match="no Dask scheduler answered") as caught:
        glabella.train("small", project=small_project, workers="dask://127.0.0.1:9")
    assert caught.value.place == "--workers dask://127.0.0.1:9"
    assert not list((small_project / "mlruns").glob("trained/*"))


def test_a_scheduler_without_workers_is_said(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(Cluster, "seconds_to_answer", 1)
    with distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0",
                                  protocol="tcp://") as empty:  # fmt: skip
        address = empty.scheduler_address.replace("tcp://", "dask://")
        with (
            pytest.raises(ClusterError, match="no Dask worker answered"),
            open_workers(address, again="it"),
        ):
            pass


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError) as caught, open_workers("dask://localhost:8786", again="it"):
        pass
    assert "pip install 'glabella[dask]'" in caught.value.remedy


def test_what_a_lost_worker_had_begun_is_done_by_another(cluster, tmp_path):
    def die_once(number):
        mark = tmp_path / "died"
        if number == 1 and not mark.exists():
            mark.touch()
            os._exit(1)
        return number

    with open_workers(cluster, again="it") as opened:
        found = opened.make_parallel()(delayed(die_once)(number) for number in range(6))
    assert found == list(range(6))
    assert (tmp_path / "died").exists()


@pytest.mark.parametrize(
    "text", ["dask://", "dask://host", "dask://host:99999", "tcp://host:1", "0", "-1", "two", ""]
)
def test_what_is_neither_number_nor_address_is_refused(text):
    with pytest.raises(ValueError, match="neither a number of processes nor the address"):
        parse_workers(text)


@pytest.mark.parametrize("text", ["dask://10.0.0.1:8786", "dask://[::1]:8786", "dask://a-b.c:1"])
def test_addresses_are_read_as_they_are(text):
    assert parse_workers(text) == text


def test_the_command_line_refuses_a_malformed_address(small_project):
    done = subprocess.run(
        [sys.executable, "-m", "glabella", "train", "small", "--project", small_project,
         "--workers", "dask://host"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "neither a number of processes" in " ".join(done.stderr.replace("│", " ").split())
