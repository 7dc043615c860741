"""Check shows what a statistician looks at first, and fits nothing."""

import json
import subprocess
import sys

import pandas as pd
import pytest

import glabella
from glabella.errors import AnalysisError, DataError, DefinitionError
from glabella.pipelines.check.design_warnings import note_missing


def test_participants_and_folds_are_counted(small_project):
    result = glabella.check("small", project=small_project)
    assert result.n == 120
    assert result.participants["n"].tolist() == [30] * 4
    assert result.folds == {"pooled": 6, "inside": 6, "across": 2}
    assert result.parameters == 8
    assert result.as_json()["participants"][0]["trial"] == "alpha"


def test_missing_outcomes_and_visits_are_shown(small_project):
    visits = glabella.check("small", project=small_project).visits
    assert visits.loc[visits["week"] == 6, "participants"].sum() == 118
    assert visits.loc[visits["week"].isna(), "participants"].sum() == 2


def test_few_events_for_many_parameters_are_noted(small_project):
    notes = glabella.check("small", project=small_project).notes
    assert any("expect optimism" in note for note in notes)


def test_more_folds_than_events_are_refused_before_anything_is_fitted(small_project):
    path = small_project / "pipelines" / "small.yaml"
    path.write_text(path.read_text().replace("pooled: {folds: 3", "pooled: {folds: 50"))
    with pytest.raises(AnalysisError, match="can't be spread over 50 folds"):
        glabella.check("small", project=small_project)


@pytest.mark.parametrize("analysis", ["small"])
def test_check_imports_neither_mlflow_nor_shap(small_project, analysis):
    code = (
        f"import sys, glabella; glabella.check({analysis!r}, project={str(small_project)!r});"
        "print({'mlflow', 'shap', 'xgboost'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "{'xgboost'}" or done.stdout.strip() == "set()"


def test_which_rows_are_at_fault_stands_in_a_local_file_whose_path_is_given(small_project):
    people = small_project / "participants.csv"
    table = pd.read_csv(people)
    table.loc[[3, 7], "sex"] = "W7"
    table.to_csv(people, index=False)
    with pytest.raises(DataError) as caught:
        glabella.check("small", project=small_project)
    path = small_project / "mlruns" / "checks" / "small.csv"
    assert str(caught.value) == (
        "participants.csv, column 'sex': 2 of 120 values: each is not one of the codes F, M\n"
        f"  Mend them, or the entry of 'sex' in the dictionary. Which rows they are: {path}"
    )
    rows = pd.read_csv(path)
    assert rows["row"].tolist() == [4, 8]
    assert rows["column"].tolist() == ["sex", "sex"]


def test_the_check_is_written_as_a_page_with_all_its_parts(small_project):
    result = glabella.check("small", project=small_project, out=small_project / "check.html")
    page = (small_project / "check.html").read_text(encoding="utf-8")
    for heading in ("Findings", "Participants", "Missing values", "Visits", "Drop-out"):
        assert f"<h2>{heading}</h2>" in page
    assert f"{result.n} participants are analysed, {result.events} of them responders" in " ".join(
        page.split()
    )
    assert "src=" not in page
    assert "http:" not in page
    assert "https:" not in page


def test_a_page_that_can_not_be_written_leaves_nothing(small_project):
    with pytest.raises(DataError, match="the page can't be written"):
        glabella.check("small", project=small_project, out=small_project / "no" / "check.html")


def test_the_result_is_plain_json(small_project):
    plain = glabella.check("small", project=small_project).as_json()
    text = json.dumps(plain, allow_nan=False)
    assert json.loads(text)["membership"]["auc"] > 0.4
    assert {"schedule", "followed", "table_one", "findings"} <= set(plain)


def test_drop_out_and_schedule_are_counted(small_project):
    result = glabella.check("small", project=small_project)
    assert result.schedule["seen"].tolist() == [60, 59, 60, 59]
    last = result.followed[result.followed["week"] == 6]
    assert last["followed"].sum() == 118


def test_responders_are_counted_under_each_strategy(leaving_project):
    result = glabella.check("leaving", project=leaving_project)
    counts = result.strategies.groupby("definition", sort=False)[["n", "responders"]].sum()
    assert list(counts.index) == [
        "as analysed", "observed_only", "last_observation", "delta +6 points", "fall of 8 points",
        "non_responder",
    ]  # fmt: skip
    assert counts.loc["observed_only", "n"] < counts.loc["as analysed", "n"] == 120
    assert counts.loc["non_responder", "responders"] == counts.loc["observed_only", "responders"]
    assert counts.loc["as analysed", "responders"] > counts.loc["non_responder", "responders"]
    assert (result.strategies["rate"] <= 1).all()


def test_a_strategy_that_the_data_can_not_support_is_noted(small_project):
    result = glabella.check("small", project=small_project)
    assert set(result.strategies["definition"]) == {"as analysed", "observed_only"}
    notes = [item.finding for item in result.findings if item.place.startswith("missing `")]
    assert len(notes) == 2
    assert all(note.startswith("not possible: trial 'alpha' has no visit") for note in notes)


def test_the_basis_of_each_outcome_is_counted(leaving_project):
    visits = glabella.check("leaving", project=leaving_project).visits
    assert visits["participants"].sum() == 120
    assert set(visits["basis"]) == {"observed", "to impute"}


def test_classes_in_the_folds_and_events_for_each_parameter_are_shown(small_project):
    result = glabella.check("small", project=small_project)
    pooled = result.classes[result.classes["design"] == "pooled"].iloc[0]
    assert pooled["folds"] == 6
    # 120 participants in three folds: forty are held out, eighty learnt from. The fewest of either
    # class need not be in the same fold.
    assert 70 <= pooled["training_responders"] + pooled["training_others"] <= 80
    assert list(result.classes.loc[result.classes["design"] == "across", "group"]) == [
        "alpha",
        "beta",
    ]
    rarer = min(result.events, result.n - result.events)
    table = result.candidates.set_index("candidate")
    assert table.loc["arm_only", "parameters"] == 1
    assert table.loc["ridge", "parameters"] == result.parameters
    assert table.loc["ridge", "events_per_parameter"] == rarer / result.parameters
    assert table.loc["xgboost"].isna().all()


def test_a_site_of_one_class_is_named_before_anything_is_fitted(small_project):
    path = small_project / "participants.csv"
    people = pd.read_csv(path)
    people.loc[people["usubjid"].isin(["P-000", "P-001"]), "siteid"] = 9
    people.to_csv(path, index=False)
    analysis = small_project / "pipelines" / "small.yaml"
    analysis.write_text(analysis.read_text().replace("leave_one_trial_out", "leave_one_site_out"))
    result = glabella.check("small", project=small_project)
    [note] = [item for item in result.findings if item.place == "left out: alpha, site 9"]
    assert "so it has no figure" in note.finding


def test_the_check_states_the_estimand(leaving_project, tmp_path):
    page = tmp_path / "check.html"
    result = glabella.check("leaving", project=leaving_project, out=page)
    assert result.estimand["Variable"] == [
        "A fall of at least 50 % from baseline at week 6 (window 4 to 8)"
    ]
    text = page.read_text()
    for heading in ("Estimand", "Responders under each definition", "Classes in the folds"):
        assert heading in text


def test_a_stop_replaces_the_page_of_an_earlier_check(small_project, tmp_path):
    page = tmp_path / "check.html"
    glabella.check("small", project=small_project, out=page)
    assert "The analysis can be run" in page.read_text()
    path = small_project / "participants.csv"
    path.write_text(path.read_text().replace(",F,", ",Q,"))
    with pytest.raises(DataError):
        glabella.check("small", project=small_project, out=page)
    text = page.read_text()
    assert "Stopped: " in text and "Nothing stops the analysis" not in text


def test_sites_numbered_alike_in_two_trials_are_left_out_apart(small_project):
    analysis = small_project / "pipelines" / "small.yaml"
    analysis.write_text(analysis.read_text().replace("leave_one_trial_out", "leave_one_site_out"))
    classes = glabella.check("small", project=small_project).classes
    groups = classes.loc[classes["design"] == "across", "group"]
    assert sorted(groups) == [
        f"{trial}, site {site}" for trial in ("alpha", "beta") for site in (1, 2, 3)
    ]


def test_drop_out_of_visits_held_on_any_day_is_not_given(small_project):
    path = small_project / "assessments.csv"
    rows = pd.read_csv(path)
    later = rows["week"] > 0
    rows["week"] = rows["week"].astype(float)
    rows.loc[later, "week"] += [(k % 27 - 13) / 7 for k in range(later.sum())]
    rows.to_csv(path, index=False)
    result = glabella.check("small", project=small_project, out=small_project / "check.html")
    assert result.followed.empty
    assert result.schedule.empty
    assert (result.visits["week"].dropna() % 1 == 0).all()
    found = [item for item in result.findings if "visits can't be told apart" in item.finding]
    assert [(item.place, item.severity) for item in found] == [
        ("trial alpha", "warn"),
        ("trial beta", "warn"),
    ]
    page = (small_project / "check.html").read_text(encoding="utf-8")
    assert "or its visits cannot be distinguished." in page


def test_many_features_of_which_much_is_missing_are_counted():
    missing = pd.DataFrame({"trial": [f"t{k}" for k in range(8)]}).assign(
        **{f"f{k}": 0.4 + k / 100 for k in range(20)}, whole=0.0
    )
    found = list(note_missing(missing))
    assert [item.place for item in found] == [
        *(f"feature 'f{k}'" for k in range(15, 20)),
        "15 more features",
    ]
    assert found[0].finding == (
        "much is missing: t0 55 %, t1 55 %, t2 55 %, t3 55 %, t4 55 % and in 3 more trials"
    )


def test_an_arm_that_is_not_declared_is_placed_at_the_arms(small_project):
    path = small_project / "pipelines" / "small.yaml"
    path.write_text(path.read_text().replace("{name: placebo,", "{name: sham,"))
    with pytest.raises(AnalysisError, match="a code that the analysis does not declare") as caught:
        glabella.check("small", project=small_project)
    line = path.read_text().splitlines().index("arms:") + 1
    assert caught.value.place == f"pipelines/small.yaml:{line}"


@pytest.mark.parametrize("goes", ["refuse", "feature"])
def test_a_feature_that_a_trial_lacks_is_placed_in_its_set(small_project, goes):
    people = small_project / "participants.csv"
    table = pd.read_csv(people)
    table.loc[table["studyid"] == "beta", "age"] = None
    table.to_csv(people, index=False)
    path = small_project / "pipelines" / "small.yaml"
    path.write_text(path.read_text().replace("data:\n", f"data:\n  lacking: {goes}\n", 1))
    written = (small_project / "features" / "clinical.yaml").read_text().splitlines()
    [line] = [number for number, text in enumerate(written, 1) if "age_years" in text]
    if goes == "refuse":
        with pytest.raises(AnalysisError, match="no participant of trial 'beta'") as caught:
            glabella.check("small", project=small_project)
        assert caught.value.place == f"features/clinical.yaml:{line}"
        return
    result = glabella.check("small", project=small_project)
    [note] = [item for item in result.findings if "so the feature goes" in item.finding]
    assert note.place == f"features/clinical.yaml:{line}"


def test_every_participant_is_held_out_once_in_the_table_of_folds(small_project):
    result = glabella.check("small", project=small_project)
    cells = result.by_fold.drop(columns="trial").map(
        lambda cell: [int(x) for x in cell.split(" of ")]
    )
    counts = cells.to_numpy().tolist()
    assert sum(n for row in counts for _, n in row) == result.n
    assert sum(k for row in counts for k, _ in row) == result.events
    assert result.by_fold["trial"].tolist() == ["alpha", "beta"]


def test_riley_s_criteria_are_set_against_each_candidate(small_project, tmp_path):
    page = tmp_path / "check.html"
    result = glabella.check("small", project=small_project, out=page)
    sizes = result.sizes.set_index(["candidate", "anticipated"])
    assert {name for name, _ in sizes.index} == {"prevalence", "arm_only", "severity", "ridge"}
    assert (sizes["analysed"] == result.n).all()
    ridge = sizes.loc["ridge"]
    assert ridge.loc[0.65, "needed"] > ridge.loc[0.75, "needed"] > result.n
    assert ridge.loc[0.65, "expected_shrinkage"] < ridge.loc[0.75, "expected_shrinkage"] < 0.9
    [note] = [item for item in result.findings if item.place == "candidate ridge"]
    assert f"with {result.n} expect {ridge.loc[0.75, 'expected_shrinkage']:.2f}" in note.finding
    assert "Participants needed" in page.read_text()


def test_one_check_shows_the_findings_of_all_definitions(small_project):
    path = small_project / "pipelines" / "small.yaml"
    text = path.read_text().replace("features: clinical", "features: clinicl")
    path.write_text(text.replace("[prevalence, arm_only,", "[prevalense, arm_onli,"))
    dictionary = small_project / "features" / "dictionary.yaml"
    dictionary.write_text(dictionary.read_text() + "labels: x\n")
    with pytest.raises(DefinitionError) as caught:
        glabella.check("small", project=small_project)
    lines = str(caught.value).splitlines()
    assert lines[0] == "4 findings"
    for finding in (
        "unknown key 'labels'",
        "there is no feature set 'clinicl' in features/",
        "there is no candidate 'prevalense' in models/",
        "there is no candidate 'arm_onli' in models/",
    ):
        assert sum(finding in line for line in lines) == 1


def test_one_check_shows_the_findings_of_all_trials(small_project):
    path = small_project / "pipelines" / "small.yaml"
    text = path.read_text()
    start, end = text.index("    - name: pooled"), text.index("arms:")
    other = text[start:end].replace("participants.csv", "p2.csv").replace("name: pooled", "name: b")
    path.write_text(text[:end] + other + text[end:])
    people = pd.read_csv(small_project / "participants.csv")
    people.loc[[3], "sex"] = "W7"
    people.to_csv(small_project / "participants.csv", index=False)
    people.assign(age=people["age"].astype(object).where(people.index != 5, "x")).to_csv(
        small_project / "p2.csv", index=False
    )
    with pytest.raises(DataError) as caught:
        glabella.check("small", project=small_project)
    assert "participants.csv, column 'sex': 1 of 120 values" in str(caught.value)
    assert "p2.csv, column 'sex': 1 of 120 values" in str(caught.value)
    assert "p2.csv, column 'age' (age_years): 1 of 120 values" in str(caught.value)
    rows = pd.read_csv(small_project / "mlruns" / "checks" / "small.csv")
    assert rows[["file", "row"]].to_numpy().tolist() == [
        ["participants.csv", 4],
        ["p2.csv", 6],
        ["p2.csv", 4],
    ]
