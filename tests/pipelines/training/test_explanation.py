"""Explanations as a stage of training: what was planted is found, and said on the page."""

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

import glabella
from glabella.analysis.loaded.load import load_analysis
from glabella.analysis.resolve import resolve_analysis
from glabella.bundle.load import load_bundle
from glabella.bundle.predict import explain_frame, score_frame
from glabella.definitions.locate import find_project
from glabella.errors import DefinitionError
from glabella.pipelines.explain_patient import explain_patient

ASKED = "explanation: {refits: 0, permutations: 0}"


def _ask(project, explanation, models="[prevalence, arm_only, severity, ridge]"):
    path = project / "pipelines" / "small.yaml"
    text = path.read_text().replace(ASKED, f"explanation: {explanation}")
    text = text.replace("[prevalence, arm_only, severity, ridge, xgboost]", models)
    path.write_text(text.replace("  inside: {folds: 3, repeats: 1}\n", ""))
    return project


@pytest.fixture(scope="module")
def explained(tmp_path_factory, make_small_project):
    project = make_small_project(tmp_path_factory.mktemp("explained"))
    groups = "{Frown: [frown_max, frown_rest]}"
    _ask(project, f"{{refits: 20, permutations: 19, evidence: predictors, groups: {groups}}}")
    return glabella.train("small", project=project, workers=2)


def test_the_planted_predictor_stands_out_and_is_said_first(explained):
    plain = json.loads(json.dumps(explained.as_json(), allow_nan=False))["explanation"]
    first = plain["predictors"][0]
    assert first["feature"] == "illness_months"
    assert first["is_beyond_noise"] is True
    assert first["holds"] == 1.0
    assert first["rank_low"] == first["rank"] == 1
    assert first["mean_absolute"]["low"] < first["mean_absolute"]["value"]
    assert set(first["by_trial"]) == {"alpha", "beta"}
    assert plain["noise"]["permutations"] == 19
    assert plain["statement"].startswith(("1 of", "2 of"))
    assert "Duration of the illness: higher goes with no response" in plain["statement"]


def test_groups_are_shown_as_one_and_candidates_side_by_side(explained):
    plain = explained.as_json()["explanation"]
    names = [row["feature"] for row in plain["predictors"]]
    assert "Frown" in names and "frown_max" not in names
    assert plain["rankings"]["severity"]["Baseline severity"] == 1
    assert plain["rankings"]["severity"]["Age"] is None
    assert plain["rankings"]["ridge"]["Duration of the illness"] == 1


def read_page(path: Path) -> str:
    """Read a page without the marks that keep an interval on one line."""
    text = html.unescape(path.read_text())
    return re.sub(r'<span class="interval">([^<]*)</span>', r"\1", text)


def test_the_bundle_tells_finding_noise_and_groups_wherever_it_explains(
    explained, new_patients, tmp_path
):
    told = {item.feature: item.is_beyond_noise for item in explained.explained.patient}
    bundle = load_bundle(Path(explained.bundle))
    assert bundle.manifest.finding == explained.finding
    assert bundle.manifest.beyond_noise == told
    assert told["illness_months"] is True and False in told.values()
    values = explain_frame(bundle, new_patients)
    assert "attribution_Frown" in values and "attribution_frown_max" not in values
    parts = [name for name in values if name.startswith("attribution_")]
    total = values["base"] + values[parts].sum(axis=1)
    np.testing.assert_allclose(expit(total), values["response_probability"], atol=1e-9)
    reasons = score_frame(bundle, new_patients, reasons=6)[[f"reason_{at}" for at in range(1, 7)]]
    said = set(reasons.to_numpy().ravel())
    assert any(text.startswith("Frown (") for text in said)
    assert not any(text.startswith("Duration") and "noise" in text for text in said)
    assert any(
        text.startswith("Age") and text.endswith("(not distinguished from noise)") for text in said
    )
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    page = explain_patient(
        tmp_path / "new.csv", row=1, out=tmp_path / "p.html", model=explained.bundle
    ).page
    text = read_page(tmp_path / "p.html")
    assert text.index(page.sentence) < text.index(explained.finding) < text.index("<main>")
    steps = {step.label: step for step in page.steps}
    assert "Frown" in steps and steps["Frown"].value.count(": ") == 2
    assert steps["Age"].words.endswith("In training it was not distinguished from noise.")
    assert "noise" not in steps["Duration of the illness"].words


def test_a_group_shows_each_feature_and_no_effect_is_read_off_attributions(
    explained,
):
    page = read_page(Path(explained.report))
    group = next(item for item in explained.explained.patient if item.feature == "Frown")
    section = page.split(f'<section id="predictor-{group.rank}"')[1].split("</section>")[0]
    assert section.count("<figure>") == 2
    assert "raises the odds of response" not in page


def test_a_candidate_that_tunes_nothing_is_said_so_wherever_settings_are_told(explained):
    page = read_page(Path(explained.report))
    assert explained.chosen == "ridge"
    assert page.count("ridge has no settings that cross-validation tunes") == 2
    assert "nothing was tuned" not in page and "settings tuned by" not in page


def test_published_findings_are_compared_with_ours(explained):
    rows = {row["variables"][0]: row for row in explained.as_json()["explanation"]["evidence"]}
    assert set(rows) == {
        "hamd09", "illness_months", "frown_max", "sex", "age_years", "depression_total",
        "antidepressant",
    }  # fmt: skip
    assert rows["illness_months"]["agreement"] == "agrees"
    assert rows["illness_months"]["findings"][0]["source"]
    assert rows["hamd09"]["agreement"] == "not measured in this analysis"
    assert rows["frown_max"]["ours"].startswith("part of the group Frown: ")
    assert rows["age_years"]["ours"] == "not distinguished from noise"
    # What was seen in a contrast is compared with the difference of our arms.
    predictors = {row["feature"]: row for row in explained.as_json()["explanation"]["predictors"]}
    assert rows["sex"]["held_against"] == predictors["sex"]["concordance"]["difference"]
    assert rows["age_years"]["held_against"] == predictors["age_years"]["concordance"]["active"]


def test_the_page_shows_all_of_it(explained):
    page = read_page(Path(explained.report))
    told = explained.as_json()["explanation"]
    assert page.count(told["statement"]) == 2
    for part in (
        "Comparison with the evidence",
        "Do the candidates agree?",
        "For whom",
        'id="predictor-1"',
    ):
        assert part in page
    assert page.index('id="trials"') < page.index('id="calibration"') < page.index('id="evidence"')
    assert len(page) < 5e6


def test_no_participant_is_in_the_record(explained, make_small_project):
    folder = Path(explained.report).parent / "record"
    for path in folder.iterdir():
        if path.suffix in (".json", ".csv"):
            assert "P-0" not in path.read_text()
    assert (folder / "importance.csv").read_text().startswith("panel,series,mark,x,y")


def test_no_participants_number_is_in_the_record_and_no_figure_marks_them_one_by_one(explained):
    folder = Path(explained.report).parent / "record"
    told = explained.explained.attributions
    mean = [
        table.groupby("row")["probability"].mean()
        for table in explained.figures.validated.predictions.values()
    ]
    once = explained.figures.validated.predictions[explained.chosen]["probability"].to_numpy()
    theirs = [*told.values.T, *told.sizes.T, *(each.to_numpy() for each in mean), once]
    assert (folder / "beeswarm.csv").exists() and (folder / "dependence_1.csv").exists()
    for path in folder.glob("*.csv"):
        written = set(re.split("[,\n]", path.read_text()))
        for values in theirs:
            alone, counts = np.unique(values, return_counts=True)
            texts = {f"{value:.6g}" for value in alone[counts == 1] if value}
            # Six digits meet by chance now and then.
            assert len(texts & written) <= 2, path.name
    for path in folder.glob("*.svg"):
        text = path.read_text()
        assert text.count("<use ") + text.count("<path ") < explained.n, path.name


def test_without_refits_and_permutations_it_says_what_was_not_tested(trained):
    plain = trained[1].as_json()["explanation"]
    assert plain["noise"] is None
    assert "was not tested" in plain["statement"]
    assert plain["predictors"][0]["mean_absolute"]["reason"]


@pytest.mark.parametrize(
    ("explanation", "finding"),
    [
        ("{refits: 5}", "20 at least"),
        ("{permutations: 18}", "19 at least"),
        ("{groups: {A: [age_years]}}", "needs two features"),
        ("{groups: {A: [age_years, sex], B: [sex, frown_max]}}", "stands in two groups"),
        ("{groups: {A: [age_years, sexes]}}", "has no feature 'sexes'"),
        ("{groups: {sex: [age_years, frown_max]}}", "name of a feature"),
        ("{evidence: predictor}", "there is no 'predictor'"),
    ],
)
def test_what_makes_no_sense_is_refused(small_project, explanation, finding):
    _ask(small_project, explanation)
    with pytest.raises(DefinitionError, match=finding):
        resolve_analysis("small", find_project(small_project))


def test_features_missing_everywhere_or_constant_in_a_trial_are_explained(small_project):
    import pandas as pd

    path = small_project / "participants.csv"
    people = pd.read_csv(path)
    people.loc[people["studyid"] == "alpha", "age"] = 40
    people.loc[:3, ["age", "sex", "illness", "ad"]] = None
    people.to_csv(path, index=False)
    _ask(small_project, "{refits: 20, permutations: 0}")
    result = glabella.train("small", project=small_project, workers=2)
    rows = {row["feature"]: row for row in result.as_json()["explanation"]["predictors"]}
    alpha = rows["age_years"]["concordance"]["trials"]["alpha"]
    assert (alpha["value"], alpha["reason"]) == (None, "constant in this trial")
    loaded = load_analysis("small", find_project(small_project))
    assert loaded.sample.n == result.n


@pytest.mark.parametrize("model", ["ridge", "xgboost"])
def test_interventional_values_are_named_in_report_and_bundle(small_project, model):
    asked = "{refits: 0, permutations: 0, values: interventional, background: 40}"
    _ask(small_project, asked, models=f"[arm_only, {model}]")
    result = glabella.train("small", project=small_project, workers=1)
    bundle = load_bundle(Path(result.bundle))
    words = "interventional SHAP values, computed exactly, against 40 training participants at most"
    assert bundle.manifest.attributions.startswith(words)
    assert words in Path(result.report).read_text()
    loaded = load_analysis("small", find_project(small_project))
    chosen, weights = loaded.sample.choose_background(np.arange(loaded.sample.n))
    assert len(chosen) == 40
    values = bundle.model.contributions(loaded.sample.features.frame.iloc[chosen]).values
    np.testing.assert_allclose(weights @ values, 0, atol=1e-6)


def test_a_candidate_without_a_background_fails_by_name(small_project):
    asked = "{refits: 0, permutations: 0, values: interventional}"
    _ask(small_project, asked, models="[arm_only, ridge, curves]")
    (small_project / "models" / "curves.yaml").write_text(
        "kind: candidate\ndescription: Curves\nestimator: explainable_boosting\n"
        "settings: {bags: 1, pairs: 0}\n"
    )
    result = glabella.train("small", project=small_project, workers=1)
    assert result.candidates["ridge"].error is None
    assert "can't be explained against a background" in result.candidates["curves"].error


SIMULATED = """\
kind: analysis
description: Where the truth is known
seed: 7
data: {{simulate: {scenario}}}
arms:
  - {{name: bont, label: BoNT/A, role: active}}
  - {{name: placebo, label: Placebo, role: control}}
endpoint:
  rule: response
  of: depression_total
  fraction: 0.5
  week: 6
  window: [4, 8]
  missing: observed_only
  intercurrent: {{withdrawal: treatment_policy}}
features: agitation
models: [arm_only, treatment_interaction]
validation:
  pooled: {{folds: 5, repeats: 2}}
  inner_folds: 2
explanation: {{refits: 0, permutations: 19, evidence: predictors}}
"""


PROGNOSTIC = {"agitation", "illness_months", "resistance"}


@pytest.mark.parametrize(
    ("scenario", "true", "is_of_the_effect"),
    [("predictive", {"agitation"}, True), ("prognostic_only", PROGNOSTIC, False)],
)
def test_in_simulated_trials_a_true_predictor_leads(
    small_project, scenario, true, is_of_the_effect
):
    path = small_project / "pipelines" / "known.yaml"
    path.write_text(SIMULATED.format(scenario=scenario))
    explained = glabella.train("known", project=small_project, workers=2).explained
    first = explained.patient[0]
    assert first.feature in true
    assert first.is_beyond_noise
    assert (first.role.role == "of the effect") == is_of_the_effect
    words = {item.predictor.feature: item.agreement for item in explained.beside if item.predictor}
    assert words[first.feature] == "agrees by construction"
    # Pairs are ranked over refits, and none were asked for.
    assert explained.pairs == ()


def test_where_there_is_no_signal_the_page_says_that_nothing_can_be_told(small_project):
    path = small_project / "pipelines" / "known.yaml"
    path.write_text(SIMULATED.format(scenario="no_signal"))
    result = glabella.train("known", project=small_project, workers=2)
    assert result.explained.describe().startswith(("No predictor", "The chosen model uses no"))
    assert result.explained.describe() in html.unescape(Path(result.report).read_text())


def test_a_dollar_or_markup_in_a_label_is_shown_as_it_stands(small_project):
    path = small_project / "features" / "clinical.yaml"
    path.write_text(
        path.read_text().replace("{name: age_years}", "{name: age_years, label: '$x_1$ <b>&'}")
    )
    _ask(small_project, "{refits: 20, permutations: 0}", models="[arm_only, ridge]")
    page = Path(glabella.train("small", project=small_project, workers=2).report).read_text()
    assert "$x_1$ &lt;b&gt;&amp;" in page
    assert "<b>" not in page
