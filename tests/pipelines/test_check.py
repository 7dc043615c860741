"""Check shows what a statistician looks at first, and fits nothing."""

import subprocess
import sys

import pytest

import glabella
from glabella.errors import AnalysisError


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
