"""The run from end to end on a small invented analysis, and on a real trial."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glabella
from glabella.analysis.loaded.load import load_analysis
from glabella.bundle.load import load_bundle
from glabella.definitions.locate import find_project
from glabella.errors import AnalysisError, DefinitionError
from glabella.validation.fitting import nested
from glabella.validation.measures.registry import MEASURES

SAME_EACH_TIME = ("chosen", "finding", "n", "events", "candidates")


def test_the_json_holds_what_the_design_names(trained):
    _, result = trained
    plain = json.loads(json.dumps(result.as_json(), allow_nan=False))
    assert {"run_id", "chosen", "model_uri", "bundle", "report", "n", "events"} <= set(plain)
    for entry in plain["candidates"].values():
        assert {"status", "error", "pooled", "inside", "across"} <= set(entry)
        for design in (entry["pooled"], entry["across"]):
            for measure in MEASURES:
                assert {measure, f"{measure}_low", f"{measure}_high"} <= set(design)
            assert design["pairs"] > 0
        assert [group["group"] for group in entry["across"]["groups"]] == ["alpha", "beta"]
        assert [group["group"] for group in entry["inside"]] == ["alpha", "beta"]


def test_gains_over_every_reference_stand_with_each_candidate_that_is_none(trained):
    candidates = trained[1].as_json()["candidates"]
    for name, entry in candidates.items():
        if entry["role"] == "reference":
            assert entry["gains"] == {}
            continue
        for design in ("pooled", "across"):
            gains = entry["gains"][design]
            assert list(gains) == ["prevalence", "arm_only", "severity"]
            for against, gain in gains.items():
                for measure, sign in (("auc", 1), ("log_loss", -1)):
                    one, other = (candidates[each][design][measure] for each in (name, against))
                    assert gain[measure] == pytest.approx(sign * (one - other), abs=1e-3)
                    assert gain[f"{measure}_low"] < gain[f"{measure}_high"]


def test_what_is_null_has_its_reason(trained):
    for item in trained[1].as_json()["candidates"].values():
        for figures in (item["pooled"], item["across"], *item["inside"]):
            for measure in MEASURES:
                if figures[measure] is None:
                    assert figures["reasons"][measure]


def test_the_same_analysis_gives_the_same_figures_whatever_the_workers(trained, small_project):
    first = trained[1].as_json()
    second = glabella.train("small", project=small_project, workers=2).as_json()
    assert {key: first[key] for key in SAME_EACH_TIME} == {
        key: second[key] for key in SAME_EACH_TIME
    }
    assert first["run_id"] != second["run_id"]


def test_references_that_know_no_patient_have_a_headline_of_one_half(trained):
    for name in ("prevalence", "arm_only"):
        assert trained[1].candidates[name].pooled.estimates["auc"].value == 0.5


def test_the_planted_predictor_is_found(trained):
    auc = trained[1].candidates["ridge"].pooled.estimates["auc"]
    assert auc.low > 0.55


def test_the_bundle_is_the_refit_of_the_chosen_candidate(trained):
    project, result = trained
    bundle = load_bundle(Path(result.bundle))
    loaded = load_analysis("small", find_project(project))
    assert bundle.manifest.candidate == result.chosen
    assert bundle.manifest.training["n"] == result.n == loaded.sample.n
    fitted = bundle.model.predict_proba(loaded.sample.features.frame)[:, 1]
    assert np.corrcoef(fitted, loaded.sample.labels)[0, 1] > 0.3


def test_a_result_tabulates_and_plots(trained):
    table = trained[1].frame()
    # The procedure as well: there was a choice.
    assert len(table) == 2 * (len(trained[1].candidates) + 1)
    assert table["candidate"].iloc[-1] == "procedure"
    assert isinstance(table, pd.DataFrame)
    assert trained[1].plot().axes[0].get_xlabel().startswith("Concordance")


def test_a_candidate_that_fails_is_reported_and_the_others_go_on(small_project):
    analysis = small_project / "pipelines" / "small.yaml"
    features = small_project / "features" / "clinical.yaml"
    kept = [
        line for line in features.read_text().splitlines() if "baseline_score, of: dep" not in line
    ]
    features.write_text("\n".join(kept) + "\n")
    text = analysis.read_text().replace("severity, ridge, xgboost", "severity, ridge")
    analysis.write_text(text)
    result = glabella.train("small", project=small_project, workers=1)
    assert result.candidates["severity"].error.startswith("the feature set lacks")
    assert result.candidates["ridge"].error is None
    assert "The candidate severity failed" in Path(result.report).read_text()


@pytest.mark.parametrize("reference", ["cdystonia"])
def test_a_real_trial_trains_like_a_plain_logistic_regression(
    tables, checkout, tmp_path, reference
):
    project = tmp_path / "study"
    _copy_with_fewer_repeats(checkout, project)
    result = glabella.train(reference, project=project, data=tables / "cdystonia_bont", workers=2)
    assert (result.n, result.events) == (106, 50)
    ridge = result.candidates["ridge"]
    assert ridge.pooled.estimates["auc_all"].value == pytest.approx(0.69, abs=0.05)
    assert ridge.inside is None
    figures = [group.performance.estimates["auc"].value for group in ridge.groups]
    assert len(figures) == 9
    assert sum(value is None for value in figures) >= 5
    assert load_bundle(Path(result.bundle)).manifest.form.columns["twstrs"].column == "twstrs_w0"


def _copy_with_fewer_repeats(checkout: Path, project: Path) -> None:
    import shutil

    for name in ("features", "models", "pipelines"):
        shutil.copytree(checkout / name, project / name)
    path = project / "pipelines" / "cdystonia.yaml"
    text = path.read_text().replace("repeats: 20", "repeats: 3").replace("repeats: 5", "repeats: 1")
    text = text.replace("severity, ridge, score_regression, ensemble]", "severity, ridge]")
    # Explanations have tests of their own, and would take most of the time.
    path.write_text(text + "explanation: {refits: 0, permutations: 0}\n")


def test_when_all_that_could_be_chosen_fails_nothing_is_registered(small_project, monkeypatch):
    def fail(self, X, responded):
        raise ValueError("no")

    monkeypatch.setattr("glabella.models.estimators.linear.RidgeModel._fit", fail)
    analysis = small_project / "pipelines" / "small.yaml"
    text = analysis.read_text()
    analysis.write_text(
        text.replace("[prevalence, arm_only, severity, ridge, xgboost]", "[prevalence, ridge]")
    )
    with pytest.raises(AnalysisError, match=r"every candidate that could be chosen failed \(ridge"):
        glabella.train("small", project=small_project, workers=1)


def test_a_setting_of_another_type_is_refused_at_its_line(small_project):
    path = small_project / "models" / "ridge.yaml"
    path.write_text("kind: candidate\ndescription: x\nestimator: ridge\nsettings:\n  c: abc\n")
    with pytest.raises(DefinitionError) as caught:
        glabella.check("small", project=small_project)
    assert str(caught.value) == "models/ridge.yaml:5: the setting 'c' is a number"


def test_a_trial_too_small_for_folds_of_its_own_has_an_entry_with_the_reason(small_project):
    analysis = small_project / "pipelines" / "small.yaml"
    text = analysis.read_text().replace(
        "[prevalence, arm_only, severity, ridge, xgboost]", "[prevalence, ridge]"
    )
    analysis.write_text(text.replace("inside: {folds: 3", "inside: {folds: 40"))
    result = glabella.train("small", project=small_project, workers=1)
    inside = result.as_json()["candidates"]["ridge"]["inside"]
    assert [entry["group"] for entry in inside] == ["alpha", "beta"]
    for entry in inside:
        assert entry["auc"] is None
        assert "can't be spread over 40 folds" in entry["reasons"]["auc"]


def test_an_interrupted_training_goes_on_from_its_finished_fits(small_project, monkeypatch):
    whole = glabella.train("small", project=small_project, workers=1)
    fitted, said, begun = [], [], []
    fit_fold = nested._run_fold

    def stop_after_four_folds(*arguments):
        if len(begun) == 4:
            raise KeyboardInterrupt
        begun.append(arguments[0])
        fitted.extend(arguments[0])
        return fit_fold(*arguments)

    monkeypatch.setattr(nested, "_run_fold", stop_after_four_folds)
    with pytest.raises(KeyboardInterrupt):
        glabella.train(
            "small", project=small_project, workers=1, progress=lambda stage, *_: said.append(stage)
        )
    unfinished = small_project / "mlruns" / "unfinished" / "small"
    kept = 4 * len(whole.candidates)
    assert len(list(unfinished.iterdir())) == kept == len(fitted)
    assert said[-1] == f"{kept} finished fits are kept: --resume goes on from there"

    def count(*arguments):
        fitted.extend(arguments[0])
        return fit_fold(*arguments)

    monkeypatch.setattr(nested, "_run_fold", count)
    resumed = glabella.train("small", project=small_project, workers=1, resume=True)
    assert len(fitted) == len(whole.figures.validated.results)
    assert not unfinished.exists()
    pd.testing.assert_frame_equal(whole.frame(), resumed.frame())
    for name, table in whole.figures.validated.predictions.items():
        pd.testing.assert_frame_equal(table, resumed.figures.validated.predictions[name])


def test_without_resume_a_training_begins_anew(small_project, monkeypatch):
    kept = small_project / "mlruns" / "unfinished" / "small"
    kept.mkdir(parents=True)
    (kept / "old.npz").write_bytes(b"x")
    glabella.train("small", project=small_project, workers=1)
    assert not kept.exists()
