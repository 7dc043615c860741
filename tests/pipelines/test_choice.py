"""The figures of the whole procedure stand beside those of the candidate it chose."""

import json
from pathlib import Path

import pytest


def test_the_json_holds_corrected_naive_and_apparent_figures(trained):
    plain = json.loads(json.dumps(trained[1].as_json(), allow_nan=False))
    found = plain["procedure"]
    assert found["auc_low"] < found["auc"] < found["auc_high"]
    assert found["resamples"] == sum(found["chosen"].values()) == 200
    assert set(found["chosen"]) == {"ridge", "xgboost"}
    pooled = {name: entry["pooled"] for name, entry in plain["candidates"].items()}
    assert found["naive_auc"] == pytest.approx(max(pooled[name]["auc"] for name in found["chosen"]))
    assert found["naive_log_loss"] == pytest.approx(
        min(pooled[name]["log_loss"] for name in found["chosen"])
    )


def test_optimism_is_apparent_less_validated(trained):
    found = trained[1].as_json()["procedure"]
    validated = trained[1].as_json()["candidates"][trained[1].chosen]["pooled"]
    for measure in ("auc", "log_loss", "brier"):
        assert found["optimism"][measure] == found["apparent"][measure] - validated[measure]
    assert found["optimism"]["auc"] > 0 > found["optimism"]["log_loss"]


def test_the_report_shows_them(trained):
    text = Path(trained[1].report).read_text()
    assert "Corrected for having chosen" in text
    assert "Optimism: fitted less validated" in text
