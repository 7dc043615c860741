"""The same analysis under other definitions of its outcome, and with imputed outcomes."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glabella
from glabella.analysis.loaded.load import load_analysis
from glabella.bundle.load import load_bundle
from glabella.bundle.predict import score_frame
from glabella.definitions.locate import find_project
from glabella.pipelines.training.parts.sensitivity import list_variants, make_drop_out

NAMES = [
    "as analysed", "observed_only", "last_observation", "delta +6 points", "fall of 8 points",
]  # fmt: skip


def test_every_definition_has_its_line(trained_leaving):
    _, result = trained_leaving
    rows = result.as_json()["sensitivity"]["definitions"]
    assert [row["name"] for row in rows] == NAMES
    for row in rows:
        assert row["chosen"] in ("ridge", "severity")
        assert row["auc_low"] < row["auc"] < row["auc_high"]
        assert row["n"] + row["left_out"] == 120
        assert isinstance(row["same_choice"], bool)


def test_the_first_line_is_the_analysis_itself(trained_leaving):
    _, result = trained_leaving
    first = result.parts["sensitivity"].definitions[0]
    assert first.estimates["auc"] == result.candidates[result.chosen].pooled.estimates["auc"]
    assert (first.n, first.events) == (result.n, result.events)


def test_each_definition_counts_its_own_responders(trained_leaving):
    project, result = trained_leaving
    rows = {row.name: row for row in result.parts["sensitivity"].definitions}
    loaded = load_analysis("leaving", find_project(project))
    for name, outcomes in loaded.alternatives.items():
        known = outcomes.frame["responded"].notna()
        if outcomes.imputation is None:
            assert rows[name].n == known.sum()
            assert rows[name].events == outcomes.frame["responded"].sum()
    # Leavers were for the most part no responders, and a delta makes them fewer still.
    assert rows["delta +6 points"].events < rows["as analysed"].events
    rate = {name: row.events / row.n for name, row in rows.items()}
    assert rate["as analysed"] < rate["observed_only"]


def test_the_severity_is_that_of_the_definitions_own_variable(leaving_project):
    path = leaving_project / "pipelines" / "leaving.yaml"
    other = (
        "  - {name: frown, of: frown_max, rule: threshold, at_most: 1, missing: observed_only}\n"
    )
    text = path.read_text().replace("sensitivity:\n", f"sensitivity:\n{other}", 1)
    path.write_text(text)
    visits = pd.read_csv(leaving_project / "assessments.csv")
    later = visits[visits["paramcd"] == "frown_max"].assign(week=6)
    later["aval"] = (later["aval"] + np.arange(len(later)) % 2).clip(0, 3)
    pd.concat([visits, later]).to_csv(leaving_project / "assessments.csv", index=False)
    loaded = load_analysis("leaving", find_project(leaving_project))
    severe = {
        name: [spec.name for spec in variant.features.specs if spec.is_severity]
        for name, variant in list_variants(loaded)
    }
    assert severe["frown"] == ["frown_max"]
    assert severe["observed_only"] == ["severity"]


def test_drop_out_is_predicted_by_the_same_features(trained_leaving):
    project, result = trained_leaving
    loaded = load_analysis("leaving", find_project(project))
    gone = make_drop_out(loaded)
    missing = loaded.observed.frame["score"].isna()
    assert gone.sample.n == 120
    assert gone.sample.labels.tolist() == missing.astype(int).tolist()
    assert result.parts["sensitivity"].drop_out.events == missing.sum()


def test_a_sentence_says_whether_the_finding_survives(trained_leaving):
    _, result = trained_leaving
    words = result.parts["sensitivity"].describe()
    assert words.startswith("Of 4 other definitions, ")
    report = Path(result.report).read_text()
    assert words in report
    for name in NAMES:
        assert name in report
    assert "participants have no score at the endpoint" in " ".join(report.split())


def test_only_what_stands_out_from_noise_is_looked_for_under_other_definitions(trained_leaving):
    _, result = trained_leaving
    found = result.parts["sensitivity"]
    used = found.definitions[0].predictors
    # Permutations were not asked for, so nothing is known to stand out.
    assert found.compared == ()
    assert "none is compared" in found.describe()
    one = dataclasses.replace(found, standing=used[:1])
    assert one.compared == used[:1]
    same = sum(item.predictors[:1] == used[:1] for item in found.definitions[1:])
    assert f"and {same} have what stands out from noise ({used[0]}) before all" in one.describe()
    assert one.as_json()["definitions"][0]["found_again"] == list(used[:1])
    # Of all features, all are always the first.
    every = dataclasses.replace(found, standing=used)
    assert every.compared == () and "none can lead" in every.describe()


def test_the_report_states_the_estimand(trained_leaving):
    _, result = trained_leaving
    report = Path(result.report).read_text()
    for words in (
        "Participants of alpha, beta.",
        "BoNT/A (active) against Placebo (control).",
        "Withdrawal from treatment: treatment policy (scores count as they were observed",
        "Rescue treatment: not recorded",
        "Not declared: changed antidepressant, re-injection.",
        "under each arm, predicted from baseline.",
    ):
        assert words in report


def test_events_are_the_mean_over_the_imputations(trained_leaving):
    project, result = trained_leaving
    loaded = load_analysis("leaving", find_project(project))
    assert loaded.sample.outcomes.shape == (4, 120)
    assert result.events == loaded.sample.outcomes.sum() / 4
    plain = json.loads(json.dumps(result.as_json(), allow_nan=False))
    assert plain["candidates"]["ridge"]["pooled"]["events"] == pytest.approx(result.events)


def test_the_bundle_averages_the_fits_and_scores(trained_leaving, new_patients):
    _, result = trained_leaving
    bundle = load_bundle(Path(result.bundle))
    assert len(bundle.model.members) == 4
    patients = new_patients.assign(scale="madrs")
    scored = score_frame(bundle, patients)
    assert (scored["status"] == "scored").all()
    alone = score_frame(bundle, patients.head(1))
    assert alone["response_probability"][0] == scored["response_probability"][0]


def test_the_scores_behind_the_responses_stay_beside_the_key(trained_leaving):
    project, result = trained_leaving
    keys = pd.read_csv(project / "mlruns" / "keys" / f"{result.run_id}.csv")
    assert {"usubjid", "key", "baseline", "week", "score", "responded", "basis"} <= set(keys)
    observed = keys["basis"] == "observed"
    assert keys.loc[observed, "score"].notna().all()
    assert keys.loc[~observed, "score"].isna().all()
    predictions = pd.read_parquet(Path(result.bundle).parent / "validation" / "predictions.parquet")
    assert "score" not in predictions
    by_key = predictions.drop_duplicates("key").set_index("key")["responded"]
    np.testing.assert_array_equal(
        by_key.reindex(keys.loc[observed, "key"]), keys.loc[observed, "responded"]
    )
    assert set(by_key) - {0.0, 1.0}


def test_workers_change_no_figure_of_imputed_outcomes(trained_leaving, leaving_project):
    _, first = trained_leaving
    second = glabella.train("leaving", project=leaving_project, workers=2)
    assert first.as_json()["candidates"] == second.as_json()["candidates"]
    assert first.as_json()["sensitivity"] == second.as_json()["sensitivity"]


def test_no_model_learns_from_the_outcomes_of_those_held_out(leaving_project):
    from glabella.models.build import export_model
    from glabella.validation.fitting.trainer import Trainer
    from glabella.validation.folds.seeds import derive_seed

    before = load_analysis("leaving", find_project(leaving_project))
    path = leaving_project / "assessments.csv"
    visits = pd.read_csv(path)
    held_out = visits["usubjid"].str[-1].isin(["1", "2", "3"])
    later = held_out & (visits["week"] > 0) & (visits["paramcd"] == "depression_total")
    visits.loc[later, "aval"] = 40 - visits.loc[later, "aval"]
    visits.to_csv(path, index=False)
    after = load_analysis("leaving", find_project(leaving_project))
    ids = before.tables.participants["usubjid"].iloc[before.kept].str[-1]
    train = np.flatnonzero(~ids.isin(["1", "2", "3"]).to_numpy())
    candidate = before.resolved.candidates["ridge"].value
    fits = [
        export_model(
            Trainer(loaded.sample, 2, 1).fit(candidate, train, seed=derive_seed(1, "fit")).model
        )
        for loaded in (before, after)
    ]
    assert (before.sample.expected != after.sample.expected).any()
    assert fits[0] == fits[1]
