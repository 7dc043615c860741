"""Grouped folds and the external set as parts of an analysis."""

import html
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss

import glabella
from glabella.analysis.loaded.load import load_analysis
from glabella.definitions.locate import find_project
from glabella.errors import AnalysisError
from glabella.pipelines.training.manifest import refit


def _change(project, validation, models="[arm_only, severity, ridge]"):
    path = project / "pipelines" / "small.yaml"
    text = path.read_text()
    text = text[: text.index("models:")]
    path.write_text(f"{text}models: {models}\nvalidation:\n{validation}")
    return project


def _rename(project):
    """Make four trials of two, so that one can be set aside."""
    for name in ("participants", "assessments"):
        table = pd.read_csv(project / f"{name}.csv")
        late = table["usubjid"].str[2:].astype(int) % 60 >= 30
        table["studyid"] += np.where(late, "_2", "")
        table.to_csv(project / f"{name}.csv", index=False)
    return project


EXTERNAL = "  pooled: {folds: 3, repeats: 1}\n  inner_folds: 2\n  external: [beta_2]\n"


@pytest.fixture(scope="module")
def with_external(make_small_project, tmp_path_factory):
    project = _rename(make_small_project(tmp_path_factory.mktemp("external") / "project"))
    _change(project, EXTERNAL + "  across: leave_one_trial_out\n")
    return project, glabella.train("small", project=project, workers=1)


def test_the_external_set_takes_part_in_nothing_else(with_external):
    project, result = with_external
    loaded = load_analysis("small", find_project(project))
    assert set(loaded.sample.trial) == {"alpha", "alpha_2", "beta"}
    assert set(loaded.external.trial) == {"beta_2"}
    assert loaded.sample.n + loaded.external.n == 120
    assert {fold.group for fold in loaded.plan.folds if fold.design == "across"} == {
        "alpha", "alpha_2", "beta"
    }  # fmt: skip
    manifest = json.loads((Path(result.bundle) / "manifest.json").read_text())
    assert manifest["training"]["n"] == 90


def test_it_is_predicted_by_the_model_that_is_kept(with_external):
    project, result = with_external
    loaded = load_analysis("small", find_project(project))
    plain = json.loads(json.dumps(result.as_json(), allow_nan=False))["external"]
    probability = refit(loaded, "ridge").model.predict_proba(loaded.external.features.frame)[:, 1]
    found = plain["candidates"]["ridge"]
    assert found["n"] == 30
    assert found["brier"] == pytest.approx(
        brier_score_loss(loaded.external.labels, probability), abs=1e-12
    )
    assert set(plain["candidates"]) == {"arm_only", "severity", "ridge"}
    assert plain["gains"]["severity"]["log_loss"] == pytest.approx(
        plain["candidates"]["severity"]["log_loss"] - found["log_loss"]
    )


def test_report_finding_and_store_tell_of_it(with_external):
    project, result = with_external
    assert "In the external set it ranked " in result.finding
    page = Path(result.report).read_text()
    assert "One repetition of 3-fold cross-validation over all" in page
    assert "External set" in page and "not used in training, tuning, choice" in page
    assert html.escape(result.finding, quote=False) in page.replace("&#39;", "'")
    from glabella.tracking.store import load_mlflow

    client = load_mlflow().MlflowClient(tracking_uri=f"sqlite:///{project}/mlruns/mlflow.db")
    metrics = client.get_run(result.run_id).data.metrics
    assert (
        metrics["external.brier"]
        == result.parts["external"].candidates["ridge"].estimates["brier"].value
    )


def test_its_outcomes_change_no_other_figure(with_external, make_small_project, tmp_path):
    project = _rename(make_small_project(tmp_path / "project"))
    table = pd.read_csv(project / "assessments.csv")
    turned = (table["studyid"] == "beta_2") & (table["week"] == 6)
    table.loc[turned, "aval"] = 30 - table.loc[turned, "aval"]
    table.to_csv(project / "assessments.csv", index=False)
    _change(project, EXTERNAL + "  across: leave_one_trial_out\n")
    changed = glabella.train("small", project=project, workers=1).as_json()
    first = with_external[1].as_json()
    assert changed["candidates"] == first["candidates"]
    assert changed["procedure"] == first["procedure"]
    assert changed["external"] != first["external"]


@pytest.mark.parametrize(
    ("named", "finding", "remedy"),
    [
        ("[gamma]", "there is no trial 'gamma'", "alpha, beta"),
        ("[alpha, beta]", "holds every trial", "Leave one out"),
    ],
)
def test_an_external_set_that_can_not_be_is_refused(small_project, named, finding, remedy):
    text = f"  pooled: {{folds: 3, repeats: 1}}\n  external: {named}\n"
    with pytest.raises(AnalysisError) as caught:
        load_analysis("small", find_project(_change(small_project, text)))
    assert finding in caught.value.finding
    assert caught.value.place == "validation.external"
    assert remedy in caught.value.remedy


def test_check_counts_the_external_set_apart(with_external):
    result = glabella.check("small", project=with_external[0])
    assert result.n == 90
    rows = result.participants.set_index("trial")["n"]
    assert rows["beta_2"].sum() == 30
    assert any("predicted once" in item.finding for item in result.findings)


def test_folds_of_whole_sites_split_none_and_say_so(small_project):
    text = "  pooled: {folds: 3, repeats: 1, grouped_by: site}\n  inner_folds: 2\n"
    _change(small_project, text, models="[arm_only, ridge]")
    loaded = load_analysis("small", find_project(small_project))
    for fold in loaded.plan.folds:
        assert not set(loaded.sample.site[fold.train]) & set(loaded.sample.site[fold.test])
    result = glabella.train("small", project=small_project, workers=1)
    assert "whole sites to a fold" in Path(result.report).read_text()


def test_more_folds_than_trials_are_refused_with_their_place(small_project):
    text = "  pooled: {folds: 3, repeats: 1, grouped_by: trial}\n"
    loaded = load_analysis("small", find_project(_change(small_project, text)))
    with pytest.raises(AnalysisError, match="2 groups") as caught:
        _ = loaded.plan
    assert caught.value.place == "validation.pooled"


def test_sites_are_needed_where_they_are_kept_whole(small_project):
    path = small_project / "pipelines" / "small.yaml"
    path.write_text(
        path.read_text()
        .replace("        site: siteid\n", "")
        .replace(
            "inside: {folds: 3, repeats: 1}", "inside: {folds: 3, repeats: 1, grouped_by: site}"
        )
    )
    with pytest.raises(AnalysisError, match="needs sites") as caught:
        load_analysis("small", find_project(small_project))
    assert caught.value.place == "validation.inside"
