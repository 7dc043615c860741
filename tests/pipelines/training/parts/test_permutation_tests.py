"""The permutation tests as a stage of training."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import glabella
from glabella.analysis.loaded.load import load_analysis
from glabella.definitions.locate import find_project
from glabella.errors import DefinitionError
from glabella.features.spec import FeatureTable
from glabella.pipelines.training.parts.permutation_tests import run_permutations
from glabella.validation.fitting.runner import Runner
from glabella.validation.fitting.workers import Workers

# One setting instead of nine: the permutations are what takes the time.
_RIDGE = "kind: candidate\ndescription: Ridge\nestimator: ridge\nsettings: {c: 0.1}\n"


def _ask(project, permutations=19, models="[arm_only, severity, ridge]"):
    path = project / "pipelines" / "small.yaml"
    text = path.read_text().replace("[prevalence, arm_only, severity, ridge, xgboost]", models)
    text = text.replace("inner_folds: 2", f"inner_folds: 2\n  permutations: {permutations}")
    (project / "models" / "ridge.yaml").write_text(_RIDGE)
    path.write_text(text.replace("  inside: {folds: 3, repeats: 1}\n", ""))
    return project


@pytest.fixture
def loaded(small_project):
    return load_analysis("small", find_project(_ask(small_project)))


def test_they_are_not_run_unless_asked_for(trained):
    assert trained[1].parts["permutations"] is None
    assert trained[1].as_json()["permutations"] is None
    assert "Any signal (permutation test)" not in Path(trained[1].report).read_text()


def test_a_planted_predictor_is_told_from_nothing_and_from_severity(small_project):
    result = glabella.train("small", project=_ask(small_project))
    tests = json.loads(json.dumps(result.as_json(), allow_nan=False))["permutations"]
    for name in ("anything", "beyond_severity"):
        assert tests[name]["p_value"] == 0.05
        assert tests[name]["best"] == "ridge"
        assert tests[name]["permutations"] == tests[name]["asked"] == 19
        assert tests[name]["statement"] in Path(result.report).read_text().replace("&#39;", "'")
    assert tests["anything"]["statistic"] > 0.6
    from glabella.tracking.store import load_mlflow

    client = load_mlflow().MlflowClient(tracking_uri=f"sqlite:///{small_project}/mlruns/mlflow.db")
    metrics = client.get_run(result.run_id).data.metrics
    assert metrics["permutation.anything.p"] == 0.05


def test_the_number_of_workers_changes_nothing(loaded):
    assert run_permutations(loaded) == run_permutations(loaded, Runner(Workers(2)))


def test_features_that_tell_nothing_are_found_to(loaded):
    table = loaded.sample.features
    draw = np.random.default_rng(5)
    frame = table.frame.copy()
    for spec in table.specs:
        if spec.part == "patient" and not spec.is_severity:
            frame[spec.name] = frame[spec.name].to_numpy()[draw.permutation(len(frame))]
    noise = replace(
        loaded, sample=replace(loaded.sample, features=FeatureTable(frame, table.specs))
    )
    found = run_permutations(noise)
    assert found.anything.p_value > 0.1
    assert found.beyond_severity.p_value > 0.1
    assert found.anything.was_stopped


def test_without_the_reference_the_second_test_has_a_reason(small_project):
    project = _ask(small_project, models="[arm_only, ridge]")
    found = run_permutations(load_analysis("small", find_project(project)))
    assert found.beyond_severity.p_value is None
    assert "no reference of arm and severity" in found.describe()["beyond_severity"]
    assert set(found.list_metrics()) == {"permutation.anything.p"}


def test_imputed_outcomes_are_imputed_anew(leaving_project):
    path = leaving_project / "pipelines" / "leaving.yaml"
    (leaving_project / "models" / "ridge.yaml").write_text(_RIDGE)
    path.write_text(
        path.read_text().replace("inner_folds: 2", "inner_folds: 2\n  permutations: 19")
    )
    found = run_permutations(load_analysis("leaving", find_project(leaving_project)))
    assert 0 < found.anything.p_value <= 1
    assert 0 < found.beyond_severity.p_value <= 1


def test_too_few_to_reach_any_level_are_refused(small_project):
    with pytest.raises(DefinitionError, match="permutations"):
        load_analysis("small", find_project(_ask(small_project, permutations=18)))


def test_what_is_imputed_with_the_help_of_features_is_imputed_anew(make_leaving_project, tmp_path):
    # Else outcomes would remember the order that features had, and any would beat a permuted one.
    loaded = load_analysis("leaving", find_project(make_leaving_project(tmp_path)))
    sample, seed = loaded.sample, loaded.analysis.seed
    names = [spec.name for spec in sample.features.specs]
    as_it_was = sample.exchange(names, np.arange(sample.n), seed)
    np.testing.assert_array_equal(as_it_was.outcomes, sample.outcomes)
    moved = sample.exchange(names, np.arange(sample.n)[::-1], seed)
    observed = (sample.outcomes == sample.outcomes[0]).all(axis=0)
    is_known = ~np.isnan(sample.imputation.known)
    np.testing.assert_array_equal(moved.outcomes[:, is_known], sample.outcomes[:, is_known])
    assert (moved.outcomes != sample.outcomes).any()
    assert observed[is_known].all()
    rows = np.arange(0, sample.n, 2)
    drawn = [each.complete_training(rows, np.random.SeedSequence(1)) for each in (sample, moved)]
    assert (drawn[0] != drawn[1]).any()
