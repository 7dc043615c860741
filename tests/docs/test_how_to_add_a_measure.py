"""A measure is added to a copy of the package by the steps of the page alone, and is everywhere."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

_TRAIN = """
import json, sys
import glabella
from glabella.validation.measures.registry import compute_measure

data = json.loads(sys.argv[2])
found = compute_measure("youden", *data, participant=range(len(data[0])))
result = glabella.train("small", project=sys.argv[1], workers=1)
print(json.dumps({
    "package": glabella.__file__,
    "alone": [found.value, found.standard_error],
    "columns": list(result.frame().columns),
    "json": result.as_json(),
    "report": str(result.report),
    "run": result.run_id,
}))
"""
_RESPONDED = [1] * 10 + [0] * 10
_PROBABILITY = [0.9] * 8 + [0.1] * 2 + [0.9] * 3 + [0.1] * 7


@pytest.fixture(scope="module")
def blocks(checkout):
    page = (checkout / "docs" / "how_to_add_a_measure.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


@pytest.fixture(scope="module")
def source(checkout, blocks, tmp_path_factory):
    """A copy of the package with the measure of the page in it."""
    written, imported = blocks
    name = imported.split()[-1]
    root = tmp_path_factory.mktemp("package")
    for folder in ("docs", "features", "models", "pipelines"):
        shutil.copytree(checkout / folder, root / folder)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(checkout / "src", root / "src", ignore=ignored)
    measures = root / "src" / "glabella" / "validation" / "measures"
    (measures / "youden.py").write_text(written, encoding="utf-8")
    registry = (measures / "registry.py").read_text(encoding="utf-8")
    head, rest = registry.split("\n__all__ = ")
    assert rest.count("        NPV,\n") == 1
    rest = rest.replace("        NPV,\n", f"        NPV,\n        {name},\n")
    (measures / "registry.py").write_text(f"{head}{imported}\n__all__ = {rest}", encoding="utf-8")
    return root / "src"


@pytest.fixture(scope="module")
def project(make_small_project, tmp_path_factory):
    folder = make_small_project(tmp_path_factory.mktemp("measured") / "project")
    path = folder / "pipelines" / "small.yaml"
    path.write_text(path.read_text().replace("ridge, xgboost]", "ridge]"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(source, project):
    done = subprocess.run(
        [sys.executable, "-c", _TRAIN, str(project), json.dumps([_RESPONDED, _PROBABILITY])],
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["package"].startswith(str(source))
    return told


def test_the_example_has_the_value_and_the_error_of_two_independent_proportions(trained):
    value, error = trained["alone"]
    n = len(_RESPONDED)
    within = 0.8 * 0.2 / 10 + 0.7 * 0.3 / 10
    assert value == pytest.approx(0.5)
    assert error == pytest.approx(np.sqrt(within * n / (n - 1)))


def test_it_is_in_the_table(trained):
    assert {"youden", "youden_low", "youden_high"} <= set(trained["columns"])


def test_it_is_in_the_json_of_candidates_trials_and_arms(trained):
    for entry in trained["json"]["candidates"].values():
        for figures in (entry["pooled"], entry["across"], *entry["across"]["groups"]):
            assert figures["youden"] is not None or figures["reasons"]["youden"]


def test_it_is_in_the_store_of_runs(trained, project):
    with closing(sqlite3.connect(project / "mlruns" / "mlflow.db")) as store:
        keys = {
            key
            for (key,) in store.execute(
                "SELECT key FROM latest_metrics WHERE run_uuid = ?", (trained["run"],)
            )
        }
    assert any(key.endswith("pooled.youden") for key in keys)


def test_it_is_in_the_report_with_its_words(trained):
    page = Path(trained["report"]).read_text(encoding="utf-8")
    assert page.count("Youden index</abbr>") >= 3
    assert "Youden, Cancer 1950;3:32." in page
