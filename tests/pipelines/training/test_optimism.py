"""The figures of the whole procedure stand beside those of the candidate it chose."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from glabella.analysis.loaded.load import load_analysis
from glabella.definitions.locate import find_project


def test_the_json_holds_corrected_naive_and_apparent_figures(trained):
    plain = json.loads(json.dumps(trained[1].as_json(), allow_nan=False))
    found = plain["procedure"]["corrected"]
    assert found["auc_low"] < found["auc"] < found["auc_high"]
    assert found["resamples"] == sum(found["chosen"].values()) == 200
    assert set(found["chosen"]) == {"ridge", "xgboost"}
    pooled = {name: entry["pooled"] for name, entry in plain["candidates"].items()}
    assert found["naive_auc"] == pytest.approx(max(pooled[name]["auc"] for name in found["chosen"]))
    assert found["naive_log_loss"] == pytest.approx(
        min(pooled[name]["log_loss"] for name in found["chosen"])
    )


def test_optimism_is_apparent_less_validated(trained):
    found = trained[1].as_json()["procedure"]["fitted"]
    validated = trained[1].as_json()["candidates"][trained[1].chosen]["pooled"]
    for measure in ("auc", "log_loss", "brier"):
        assert found["optimism"][measure] == found["apparent"][measure] - validated[measure]
    assert found["optimism"]["auc"] > 0 > found["optimism"]["log_loss"]


def test_the_report_shows_them(trained):
    text = Path(trained[1].report).read_text()
    assert "Corrected for the choice" in text
    assert "Optimism: fitted minus validated" in text


def test_the_headline_is_of_the_choice_inside_each_training_part(trained):
    result = trained[1]
    found = result.as_json()["procedure"]
    loaded = load_analysis("small", find_project(trained[0]))
    assert sum(found["chosen_in_folds"]["pooled"].values()) == sum(
        fold.design == "pooled" for fold in loaded.plan.folds
    )
    assert set(found["chosen_in_folds"]["pooled"]) <= {"ridge", "xgboost"}
    followed = [
        item for item in result.figures.validated.followed.results if item.fold.design == "pooled"
    ]
    labels = loaded.sample.labels
    held_out = np.concatenate([item.fold.test for item in followed])
    probability = np.concatenate([item.probability for item in followed])
    assert found["pooled"]["log_loss"] == pytest.approx(log_loss(labels[held_out], probability))
    assert f"ranked {100 * found['pooled']['auc']:.0f} of 100 pairs" in result.finding
    assert "the procedure that chose" in result.finding.lower()


def test_each_prediction_of_the_procedure_is_of_the_candidate_chosen_in_its_fold(trained):
    validated = trained[1].figures.validated
    for item in validated.followed.results:
        [own] = [
            other
            for other in validated.results
            if other.candidate == item.candidate and other.fold.key == item.fold.key
        ]
        assert own is item
        assert own.inner is not None and len(own.inner.losses) == 2


def test_holm_is_of_all_candidates_against_a_reference(trained):
    plain = trained[1].as_json()["candidates"]
    for against in ("prevalence", "arm_only", "severity"):
        family = [plain[name]["gains"]["pooled"][against] for name in ("ridge", "xgboost")]
        smaller, larger = sorted(family, key=lambda gain: gain["p"])
        assert smaller["p_holm"] == pytest.approx(min(1.0, 2 * smaller["p"]))
        assert larger["p_holm"] == pytest.approx(max(smaller["p_holm"], larger["p"]))


def test_arms_are_measured_each_by_itself(trained):
    arms = trained[1].as_json()["procedure"]["arms"]
    whole = trained[1].as_json()["procedure"]["pooled"]
    assert sum(arm["n"] for arm in arms) == whole["n"]
    assert arms[0]["auc"] == pytest.approx(whole["auc"])
    assert arms[1]["auc"] == pytest.approx(whole["auc_control"])


def test_the_run_keeps_net_benefit_by_threshold(trained):
    project, result = trained
    path = project / "mlruns" / "trained" / result.run_id / "validation" / "net_benefit.csv"
    table = pd.read_csv(path)
    assert table["threshold"].tolist() == pytest.approx([at / 100 for at in range(1, 100)])
    better = table["treat_all"].clip(lower=0.0)
    np.testing.assert_allclose(table["gain"], table["model"] - better, atol=1e-12)
