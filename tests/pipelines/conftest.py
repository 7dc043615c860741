"""A small project in which participants leave, and an analysis of several definitions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from glabella.pipelines.training.train import TrainingResult

SENSITIVITY = """\
sensitivity:
  - observed_only
  - last_observation
  - {missing: {strategy: delta, points: 6, imputations: 3}}
  - {name: fall of 8 points, points: 8}
"""


@pytest.fixture(scope="session")
def make_leaving_project(make_small_project: Callable[[Path], Path]) -> Callable[[Path], Path]:
    """Make the small project with a visit at week 2, one scale, and a quarter gone by week 6."""

    def make(folder: Path) -> Path:
        make_small_project(folder)
        people = pd.read_csv(folder / "participants.csv").assign(scale="madrs")
        people.to_csv(folder / "participants.csv", index=False)
        visits = pd.read_csv(folder / "assessments.csv")
        total = visits[visits["paramcd"] == "depression_total"]
        wide = total.pivot(index=["studyid", "usubjid"], columns="week", values="aval")
        draw = np.random.default_rng(21)
        later = wide[6].fillna(20)
        second = ((wide[0] + later) // 2 + draw.integers(-2, 3, len(wide))).rename("aval")
        gone = wide.index[draw.random(len(wide)) < 0.1 + 0.3 * (later > 15)]
        lost = pd.MultiIndex.from_frame(visits[["studyid", "usubjid"]]).isin(gone)
        visits = visits[~(lost & (visits["week"] == 6))]
        more = second.reset_index().assign(paramcd="depression_total", week=2)
        pd.concat([visits, more[visits.columns]]).to_csv(folder / "assessments.csv", index=False)
        text = (folder / "pipelines" / "small.yaml").read_text()
        text = text.replace(
            "missing: non_responder\n",
            "missing: {strategy: multiple_imputation, imputations: 4}\n"
            "  intercurrent: {withdrawal: treatment_policy, rescue: not_recorded}\n" + SENSITIVITY,
        )
        text = text.replace(
            "[prevalence, arm_only, severity, ridge, xgboost]", "[arm_only, severity, ridge]"
        )
        text = text.replace(
            "  inner_folds: 2", "  sensitivity: {folds: 3, repeats: 1}\n  inner_folds: 2"
        )
        (folder / "pipelines" / "leaving.yaml").write_text(text, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def leaving_project(make_leaving_project: Callable[[Path], Path], tmp_path: Path) -> Path:
    """A fresh copy of the project in which participants leave."""
    return make_leaving_project(tmp_path / "project")


@pytest.fixture(scope="session")
def trained_leaving(
    make_leaving_project: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, TrainingResult]:
    """That project after one training: read it, leave it as it is."""
    import glabella

    project = make_leaving_project(tmp_path_factory.mktemp("leaving") / "project")
    return project, glabella.train("leaving", project=project, workers=1)
