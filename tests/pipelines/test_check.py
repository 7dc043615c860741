"""Check shows what a statistician looks at first, and fits nothing."""

import json
import subprocess
import sys

import pandas as pd
import pytest

import glabella
from glabella.errors import AnalysisError, DataError


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
    assert f"{result.n} participants are analysed, {result.events} of them responders" in page
    assert "src=" not in page
    assert "http" not in page


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
