"""The steps of the guide, and no others, put a part into the report, JSON, record and metrics."""

import importlib
import json
import re
from pathlib import Path

import jinja2
import numpy as np
import pytest

import glabella
from glabella.pipelines.training import results
from glabella.reporting import render
from glabella.tracking.store import load_mlflow


@pytest.fixture
def guide(checkout):
    return (checkout / "docs" / "how_to_add_a_part_of_a_training.md").read_text(encoding="utf-8")


@pytest.fixture
def added(guide, tmp_path, monkeypatch):
    """The part of the guide: its module, its template and its entry."""
    [module] = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    [template] = re.findall(r"```jinja\n(.*?)```", guide, re.DOTALL)
    [name] = re.findall(r"`(\w+\.html\.jinja)`", guide)
    (tmp_path / "part_of_the_guide.py").write_text(module, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    part = importlib.import_module("part_of_the_guide").Spread
    monkeypatch.setattr(results, "PARTS", (*results.PARTS, part))
    opened = render.open_templates

    def open_templates():
        environment = opened()
        extra = jinja2.DictLoader({f"report/parts/{name}": template})
        environment.loader = jinja2.ChoiceLoader([environment.loader, extra])
        return environment

    monkeypatch.setattr(render, "open_templates", open_templates)
    return part


def test_a_part_added_by_the_steps_is_in_report_json_record_and_metrics(added, small_project):
    path = small_project / "pipelines" / "small.yaml"
    path.write_text(
        path.read_text().replace(
            "[prevalence, arm_only, severity, ridge, xgboost]", "[arm_only, severity, ridge]"
        )
    )
    result = glabella.train("small", project=small_project, workers=1)
    part = result.figures.find(added)
    assert 0 < part.lower < part.upper < 1
    plain = {"lower": part.lower, "upper": part.upper}
    assert result.as_json()["spread"] == plain
    kept = json.loads((Path(result.report).parent / "record" / "record.json").read_text())
    assert kept["spread"] == plain
    client = load_mlflow().MlflowClient(tracking_uri=f"sqlite:///{small_project}/mlruns/mlflow.db")
    metrics = client.get_run(result.run_id).data.metrics
    assert np.isclose(metrics["spread.lower"], part.lower)
    page = Path(result.report).read_text(encoding="utf-8")
    assert '<li><a href="#spread">Spread of the predictions</a></li>' in page
    section = page.split('<section id="spread"><h2>Spread of the predictions</h2>')[1]
    assert f"{part.lower:.2f} to {part.upper:.2f}" in re.sub("<[^>]*>", "", section)[:200]


def test_a_part_that_fails_leaves_the_rest(added, small_project, monkeypatch):
    def fail(fitted):
        raise ValueError("no predictions")

    monkeypatch.setattr(added, "compute", fail)
    path = small_project / "pipelines" / "small.yaml"
    path.write_text(
        path.read_text().replace("[prevalence, arm_only, severity, ridge, xgboost]", "[ridge]")
    )
    result = glabella.train("small", project=small_project, workers=1)
    assert result.as_json()["spread"] is None
    assert [item.part for item in result.failed] == ["spread of the predictions"]
    assert "The part &#39;spread of the predictions&#39; is missing" in Path(
        result.report
    ).read_text(encoding="utf-8")
