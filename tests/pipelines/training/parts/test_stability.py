"""Bootstrap refits as a stage of training."""

import html
import json
import re
from pathlib import Path

import pytest

import glabella
from glabella.analysis.loaded.load import load_analysis
from glabella.definitions.locate import find_project
from glabella.errors import DefinitionError


def _ask(project, stability):
    path = project / "pipelines" / "small.yaml"
    text = path.read_text().replace(
        "[prevalence, arm_only, severity, ridge, xgboost]", "[arm_only, severity, ridge]"
    )
    text = text.replace(
        "inner_folds: 2", f"inner_folds: 2\n  threshold: 0.4\n  stability: {stability}"
    )
    path.write_text(text.replace("  inside: {folds: 3, repeats: 1}\n", ""))
    return project


def test_it_is_not_run_unless_asked_for(trained):
    assert trained[1].as_json()["stability"] is None
    assert 'id="stability"' not in Path(trained[1].report).read_text()


def test_refits_stand_in_json_report_and_store(small_project):
    project = _ask(small_project, "{refits: 20}")
    result = glabella.train("small", project=project, workers=1)
    plain = json.loads(json.dumps(result.as_json(), allow_nan=False))["stability"]
    assert (plain["refits"], plain["failed"], plain["threshold"]) == (20, 0, 0.4)
    assert 0 < plain["mean_absolute_error"] < plain["median_range"] < 1
    assert plain["slope_low"] <= plain["slope"] <= plain["slope_high"]
    leading = [row["feature"] for row in plain["features"] if row["is_leading"]]
    assert "illness_months" in leading and len(leading) == 3
    # The arm is no property of the patient.
    assert "arm" not in {row["feature"] for row in plain["features"]}
    text = Path(result.report).read_text()
    # Intervals are marked, so that no line breaks inside them.
    read = re.sub(r'<span class="interval">([^<]*)</span>', r"\1", text)
    assert html.escape(plain["statement"]).replace("&#x27;", "&#39;") in read
    assert "calibration slope on the original participants" in text
    from glabella.tracking.store import load_mlflow

    client = load_mlflow().MlflowClient(tracking_uri=f"sqlite:///{project}/mlruns/mlflow.db")
    metrics = client.get_run(result.run_id).data.metrics
    assert metrics["stability.flips"] == plain["flips"]


@pytest.mark.parametrize("wrong", ["{refits: 19}", "{size: 0.4}"])
def test_what_makes_no_sense_is_refused(small_project, wrong):
    with pytest.raises(DefinitionError, match="refits"):
        load_analysis("small", find_project(_ask(small_project, wrong)))
