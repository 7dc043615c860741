"""The promises that hold for any data."""

from pathlib import Path

import numpy as np
import pandas as pd

from glabella.analysis.loaded.load import load_analysis
from glabella.bundle.load import load_bundle
from glabella.bundle.predict import score_frame
from glabella.definitions.locate import find_project
from glabella.models.build import export_model, restore_model
from glabella.pipelines.training.manifest import refit


def test_what_happens_after_baseline_changes_no_feature_and_no_score(trained, new_patients):
    _, result = trained
    bundle = load_bundle(Path(result.bundle))
    plain = score_frame(bundle, new_patients)
    later = new_patients.assign(depression_total_w6=1, responded=1)
    pd.testing.assert_frame_equal(score_frame(bundle, later), plain)


def test_permuting_outcomes_changes_no_feature(small_project):
    before = load_analysis("small", find_project(small_project)).sample
    path = small_project / "assessments.csv"
    table = pd.read_csv(path)
    late = table["week"] > 0
    table.loc[late, "aval"] = np.random.default_rng(3).permutation(table.loc[late, "aval"])
    table.to_csv(path, index=False)
    after = load_analysis("small", find_project(small_project)).sample
    assert (before.labels != after.labels).any()
    pd.testing.assert_frame_equal(before.features.frame, after.features.frame)


def test_the_saved_bundle_reproduces_the_runs_own_predictions(trained):
    project, result = trained
    loaded = load_analysis("small", find_project(project))
    tuned = refit(loaded, result.chosen)
    bundle = load_bundle(Path(result.bundle))
    frame = loaded.sample.features.frame
    assert (
        bundle.model.predict_proba(frame)[:, 1].tolist()
        == tuned.model.predict_proba(frame)[:, 1].tolist()
    )


def test_scoring_the_training_participants_gives_the_models_own_predictions(trained):
    project, result = trained
    loaded = load_analysis("small", find_project(project))
    bundle = load_bundle(Path(result.bundle))
    people = pd.read_csv(project / "participants.csv")
    early = pd.read_csv(project / "assessments.csv").query("week == 0")
    wide = early.pivot(index="usubjid", columns="paramcd", values="aval").reset_index()
    table = people.merge(wide, on="usubjid")
    frame = loaded.sample.features.frame.assign(
        arm=pd.Categorical(["bont"] * len(people), categories=["bont", "placebo"]),
        studyid=pd.Categorical([None] * len(people), categories=["alpha", "beta"]),
    )
    expected = bundle.model.predict_proba(frame)[:, 1]
    scored = score_frame(bundle, table)["response_probability"]
    assert scored.tolist() == expected.tolist()


def test_every_candidate_survives_export_bit_for_bit(trained):
    loaded = load_analysis("small", find_project(trained[0]))
    frame = loaded.sample.features.frame
    for name in loaded.resolved.candidates:
        model = refit(loaded, name).model
        again = restore_model(export_model(model), loaded.sample.features.specs)
        assert again.log_odds(frame).tolist() == model.log_odds(frame).tolist(), name
