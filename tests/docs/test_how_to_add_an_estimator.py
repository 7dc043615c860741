"""The steps of the page, done: the estimator that it shows is trained, chosen, saved and scores."""

import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import glabella
from glabella.models.estimators import ESTIMATORS


@pytest.fixture
def estimator(checkout, monkeypatch):
    text = (checkout / "docs" / "how_to_add_an_estimator.md").read_text("utf-8")
    [block] = re.findall(r"   ```python\n(.*?)   ```", text, flags=re.DOTALL)
    module = types.ModuleType("glabella.models.estimators.arm_and_age")
    exec(re.sub(r"^   ", "", block, flags=re.MULTILINE), module.__dict__)
    module.ArmAndAgeModel.__module__ = module.__name__
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(ESTIMATORS, "arm_and_age", (module.__name__, "ArmAndAgeModel"))


def test_the_estimator_of_the_page_is_trained_and_scores(
    estimator, make_small_project, new_patients, tmp_path
):
    project = make_small_project(tmp_path / "project")
    (project / "models" / "arm_and_age.yaml").write_text(
        "kind: candidate\ndescription: Arm and age\nestimator: arm_and_age\nsettings: {c: 1.0}\n"
    )
    path = project / "pipelines" / "small.yaml"
    path.write_text(path.read_text().replace("ridge, xgboost]", "arm_and_age]"), encoding="utf-8")
    result = glabella.train("small", project=project, workers=1)
    assert result.chosen == "arm_and_age"
    weights = {
        row["feature"]: row["mean_absolute"]["value"]
        for row in result.as_json()["explanation"]["predictors"]
        if row["is_patient"]
    }
    assert {name for name, value in weights.items() if value} == {"age_years"}
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    scored = glabella.score(
        tmp_path / "new.csv", out=tmp_path / "scores.csv", model=Path(result.bundle)
    ).frame()
    assert scored["response_probability"].between(0, 1).all()
    assert np.ptp(scored["response_probability"]) > 0.0
