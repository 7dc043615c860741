"""What the shipped, simulated analysis leaves behind: marked as simulated wherever it goes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import glabella
from glabella.errors import BundleError
from glabella.tracking.store import import_mlflow

PLAN = "validation:\n  pooled: {folds: 3, repeats: 1}\n  across: leave_one_trial_out\n"


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory, checkout, empty_store):
    """The shipped analysis with a light plan of validation, and 200 new patients."""
    folder = tmp_path_factory.mktemp("study")
    for name in ("features", "models", "pipelines"):
        shutil.copytree(checkout / name, folder / name)
    (folder / "mlruns").mkdir()
    shutil.copy(empty_store, folder / "mlruns" / "mlflow.db")
    analysis = folder / "pipelines" / "bont_pooled.yaml"
    head, _ = analysis.read_text().split("validation:\n")
    lighter = head.replace("[prevalence, arm_only, severity, ridge, xgboost]", "[severity, ridge]")
    assert lighter != head
    analysis.write_text(lighter + PLAN)
    done = subprocess.run(
        [sys.executable, "-m", "glabella", "simulate", "bont_pooled", "--out", "simulated"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, glabella.train("bont_pooled", project=folder)


def test_the_model_is_registered_for_rehearsal_only(rehearsed):
    _, result = rehearsed
    client = import_mlflow().MlflowClient()
    name, version = result.model_uri.removeprefix("models:/").split("/")
    assert client.get_registered_model(name).aliases == {"rehearsal": int(version)}
    assert client.get_model_version_by_alias(name, "rehearsal").run_id == result.run_id
    assert client.get_run(result.run_id).data.tags["origin"] == "simulated"


def test_the_finding_and_the_report_say_simulated_first(rehearsed):
    _, result = rehearsed
    assert result.finding.startswith("Simulated data:")
    assert result.finding.split(":")[0] in Path(result.report).read_text(encoding="utf-8")


def test_scoring_needs_the_word_rehearsal(rehearsed, tmp_path):
    folder, result = rehearsed
    table = folder / "simulated" / "new_patients.csv"
    with pytest.raises(BundleError, match="simulated"):
        glabella.score(table, out=tmp_path / "scores.csv", model=result.bundle)
    assert list(tmp_path.iterdir()) == []


def test_of_200_new_patients_20_are_refused_each_with_its_reason(rehearsed, tmp_path):
    folder, result = rehearsed
    table = folder / "simulated" / "new_patients.csv"
    out = tmp_path / "scores.csv"
    batch = glabella.score(table, out=out, model=result.bundle, rehearsal=True)
    assert (batch.rows, batch.scored, batch.refused) == (200, 180, 20)
    assert len(batch.refused_by_reason) >= 12
    given, scores = pd.read_csv(table, dtype=str), pd.read_csv(out, dtype=str)
    assert scores["usubjid"].fillna("").tolist() == given["usubjid"].fillna("").tolist()
    refused = scores["status"] == "refused"
    assert refused.sum() == 20
    assert scores.loc[refused, "error"].notna().all()
    assert scores.loc[refused, "response_probability"].isna().all()
    assert scores.loc[~refused, "response_probability"].astype(float).between(0, 1).all()
