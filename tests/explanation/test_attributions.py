"""Attributions: of held-out participants, in clinical features, additive to the prediction."""

import numpy as np
import pytest
from scipy.special import logit

from glabella.errors import AnalysisError
from glabella.explanation.attributions import collect_attributions
from glabella.models.estimators.contributions import Contributions
from glabella.validation.folds.fold_result import FoldResult


@pytest.fixture
def pooled(trained):
    return [
        item
        for item in trained[1].figures.validated.results
        if item.candidate == "xgboost" and item.fold.design == "pooled"
    ]


@pytest.fixture
def sample(trained):
    from glabella.analysis.loaded.load import load_analysis
    from glabella.definitions.locate import find_project

    return load_analysis("small", find_project(trained[0])).sample


def test_values_are_in_clinical_features_with_the_arm_apart(pooled, sample):
    found = collect_attributions(pooled, sample, method="exact")
    assert found.features[-1] == "arm"
    assert set(found.features) == {
        "severity", "frown_max", "frown_rest", "age_years", "sex", "illness_months",
        "antidepressant", "arm",
    }  # fmt: skip
    assert dict(zip(found.features, found.is_patient, strict=True))["arm"] is False


def test_values_and_base_add_to_the_mean_log_odds_of_the_held_out(pooled, sample):
    found = collect_attributions(pooled, sample, method="exact")
    total, counts = np.zeros(sample.n), np.zeros(sample.n)
    for item in pooled:
        total[item.fold.test] += logit(item.probability)
        counts[item.fold.test] += 1
    assert counts.tolist() == [2] * sample.n
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base, total / counts, atol=1e-6)


def test_the_planted_predictor_leads_with_its_direction(pooled, sample):
    table = collect_attributions(pooled, sample, method="exact").summarise()
    patient = table[table["is_patient"]].iloc[0]
    assert patient["feature"] == "illness_months"
    assert patient["direction"] < -0.5


def test_values_that_do_not_add_up_are_refused(pooled, sample):
    first = pooled[0]
    wrong = Contributions(
        first.contributions.features, first.contributions.values + 0.01, first.contributions.base
    )
    broken = FoldResult(
        first.candidate, first.fold, first.probability, wrong, first.setting, first.seconds
    )
    with pytest.raises(AnalysisError, match="do not explain it"):
        collect_attributions([broken, *pooled[1:]], sample, method="exact")


def test_xgboosts_values_agree_with_the_shap_package(trained):
    from pathlib import Path

    import shap

    from glabella.analysis.loaded.load import load_analysis
    from glabella.bundle.load import load_bundle
    from glabella.definitions.locate import find_project
    from glabella.models.build import build_model

    loaded = load_analysis("small", find_project(trained[0]))
    sample = loaded.sample
    candidate = loaded.resolved.candidates["xgboost"].value
    model = build_model(candidate, sample.features.specs, random_state=1)
    model.fit(sample.features.frame, sample.labels)
    matrix = model.encoding_.transform(sample.features.frame)
    theirs = shap.TreeExplainer(model.booster_).shap_values(matrix)
    ours = model.contributions(sample.features.frame)
    summed = model.encoding_.sum_by_feature(np.asarray(theirs, dtype=float), ours.features)
    # What the trees start from is the arm's.
    whole = model.start_.add_to(summed, sample.features.columns, model.specs, ours.features)
    np.testing.assert_allclose(ours.values, whole, atol=1e-4)
    assert load_bundle(Path(trained[1].bundle)).manifest.specs
