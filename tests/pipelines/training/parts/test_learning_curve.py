"""The learning curve as a stage of training."""

import html
import json
import re
from pathlib import Path

import pytest

import glabella
from glabella.analysis.loaded.load import load_analysis
from glabella.data.endpoints.imputation import OutcomeImputation
from glabella.definitions.locate import find_project
from glabella.errors import AnalysisError, DefinitionError
from glabella.pipelines.training.cross_validation import run_validation
from glabella.pipelines.training.parts.learning_curve import run_learning_curve
from glabella.validation.fitting.checkpoint import Checkpoint
from glabella.validation.fitting.runner import Runner
from glabella.validation.fitting.workers import Workers


def _ask(project, asked):
    path = project / "pipelines" / "small.yaml"
    text = path.read_text().replace("[prevalence, arm_only, severity, ridge, xgboost]", "[ridge]")
    text = text.replace("inner_folds: 2", f"inner_folds: 2\n  learning_curve: {asked}")
    text = text.replace("  across: leave_one_trial_out\n", "")
    path.write_text(text.replace("  inside: {folds: 3, repeats: 1}\n", ""))
    return project


def _load(project, asked):
    loaded = load_analysis("small", find_project(_ask(project, asked)))
    return loaded, run_validation(loaded)


def test_it_is_not_run_unless_asked_for(trained):
    assert trained[1].as_json()["learning_curve"] is None
    assert 'id="learning-curve"' not in Path(trained[1].report).read_text()


def test_the_curve_stands_in_json_report_and_store(small_project):
    project = _ask(small_project, "{points: 4, repeats: 10}")
    result = glabella.train("small", project=project, workers=1)
    plain = json.loads(json.dumps(result.as_json(), allow_nan=False))["learning_curve"]
    assert plain["candidate"] == "ridge"
    # The pooled design has two repetitions and no more.
    assert plain["repeats"] == 2
    assert [point["size"] for point in plain["points"]] == [13, 24, 44, 80]
    # The last point learns from whole training parts: it is the figure of the validation.
    pooled = result.figures.validated.candidates["ridge"].pooled.estimates
    assert plain["points"][-1]["log_loss"]["value"] == pooled["log_loss"].value
    assert plain["points"][-1]["auc"]["value"] == pooled["auc"].value
    for found in plain["extrapolations"].values():
        assert (found["reason"] is None) == (len(found["projections"]) == 2)
        assert all(item["size"] <= 4 * 80 for item in found["projections"])
    text = Path(result.report).read_text()
    # Intervals are marked, so that no line breaks inside them.
    read = re.sub(r'<span class="interval">([^<]*)</span>', r"\1", text)
    assert html.escape(plain["statement"]).replace("&#x27;", "&#39;") in read
    assert 'id="learning-curve"' in text and "Participants to learn from" in text
    from glabella.tracking.store import load_mlflow

    client = load_mlflow().MlflowClient(tracking_uri=f"sqlite:///{project}/mlruns/mlflow.db")
    metrics = client.get_run(result.run_id).data.metrics
    said = result.parts["learning_curve"].list_metrics()
    assert {name: metrics[name] for name in said} == said


def test_neither_workers_nor_an_interruption_change_anything(small_project, tmp_path):
    loaded, validated = _load(small_project, "{points: 4, repeats: 1}")
    checkpoint = Checkpoint(tmp_path / "unfinished", {})

    def run(workers, **kept):
        return run_learning_curve(loaded, validated, Runner(Workers(workers), **kept)).as_json()

    first = run(1, checkpoint=checkpoint)
    assert checkpoint.count() == 3 * 3
    called = []
    again = run(1, checkpoint=checkpoint, progress=lambda *stage: called.append(stage))
    assert called == []
    assert first == again == run(2, progress=lambda *stage: called.append(stage))
    assert called[-1] == ("learning curve of ridge", 9, 9)


def test_sizes_that_imputation_refuses_are_left_out_and_said(leaving_project, monkeypatch):
    path = leaving_project / "pipelines" / "leaving.yaml"
    asked = "inner_folds: 2\n  learning_curve: {points: 4, repeats: 1}"
    path.write_text(path.read_text().replace("inner_folds: 2", asked))
    loaded = load_analysis("leaving", find_project(leaving_project))
    validated = run_validation(loaded)

    def refuse_small(self, rows, part):
        if len(rows) < 30:
            raise AnalysisError(f"{part} holds too few scores")

    monkeypatch.setattr(OutcomeImputation, "check_thin", refuse_small)
    found = run_learning_curve(loaded, validated)
    reasons = [point.reason for point in found.measured.points]
    assert reasons[-1] is None
    assert reasons[0].startswith("a subset of")
    assert reasons[0].endswith("holds too few scores")
    assert reasons[0] in found.describe()


@pytest.mark.parametrize(
    "wrong", ["{points: 3}", "{points: 21}", "{repeats: 0}", "{sizes: [10, 20]}", "5"]
)
def test_what_makes_no_sense_is_refused(small_project, wrong):
    with pytest.raises(DefinitionError, match=r"learning_curve|There are: points, repeats"):
        load_analysis("small", find_project(_ask(small_project, wrong)))
