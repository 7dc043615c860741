"""What every layer's tests share: where the checkout and the real tables are, and fixed seeds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import hypothesis
import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from glabella.analysis.loaded.load import LoadedAnalysis
    from glabella.bundle.load import Bundle
    from glabella.pipelines.training.train import TrainingResult

# Derandomised: the same examples on every machine, and no database of earlier failures.
hypothesis.settings.register_profile(
    "glabella", derandomize=True, database=None, deadline=None, max_examples=60
)
hypothesis.settings.load_profile("glabella")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def tables() -> Path:
    """The folder of the real tables, each in a folder of its own."""
    stated = os.environ.get("GLABELLA_TABLES")
    if not stated:
        pytest.skip("GLABELLA_TABLES is unset: it names the folder of the real tables")
    folder = Path(stated)
    assert folder.is_dir(), f"GLABELLA_TABLES names {folder}, which is no folder"
    return folder


SMALL_ANALYSIS = """\
kind: analysis
description: Two small invented trials
seed: 7
data:
  trials:
    - name: pooled
      participants:
        file: participants.csv
        id: usubjid
        trial: studyid
        site: siteid
        arm: arm
        scale: scale
        variables: {age_years: age, sex: sex, illness_months: illness, antidepressant: ad}
      assessments:
        - file: assessments.csv
          id: usubjid
          trial: studyid
          parameter: paramcd
          week: week
          value: aval
arms:
  - {name: bont, label: BoNT/A, role: active}
  - {name: placebo, label: Placebo, role: control}
endpoint:
  rule: response
  of: depression_total
  fraction: 0.5
  week: 6
  window: [4, 8]
  missing: non_responder
features: clinical
models: [prevalence, arm_only, severity, ridge, xgboost]
validation:
  pooled: {folds: 3, repeats: 2}
  inside: {folds: 3, repeats: 1}
  across: leave_one_trial_out
  inner_folds: 2
# Refits and permutations have tests of their own; a training without them takes seconds less.
explanation: {refits: 0, permutations: 0}
"""


# Tuned as the shipped one, over less: most of a training's time would be its.
SMALL_TREES = """\
kind: candidate
description: Shallow boosted trees
estimator: xgboost
settings: {learning_rate: 0.07, subsample: 0.7}
search:
  n_trees: {each: [5, 20, 40]}
  max_depth: {integer: [1, 3]}
draws: 2
"""


def make_small_tables(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Invent two trials in which a short illness goes with response."""
    draw = np.random.default_rng(seed)
    n = 120
    trial = np.repeat(["alpha", "beta"], n // 2)
    people = pd.DataFrame(
        {
            "studyid": trial,
            "usubjid": [f"P-{index:03d}" for index in range(n)],
            "siteid": draw.integers(1, 4, n).astype(str),
            "arm": np.tile(["bont", "placebo"], n // 2),
            "scale": np.where(trial == "alpha", "hamd17", "madrs"),
            "age": draw.integers(20, 66, n),
            "sex": draw.choice(["F", "M"], n, p=[0.8, 0.2]),
            "illness": draw.integers(2, 120, n),
            "ad": draw.choice(["yes", "no"], n),
        }
    )
    baseline = draw.integers(20, 35, n)
    pull = 0.03 * (60 - people["illness"]) + 1.2 * (people["arm"] == "bont") - 0.8
    responded = draw.random(n) < 1 / (1 + np.exp(-pull))
    later = np.where(responded, baseline // 2 - 1, baseline - 4)
    frown = draw.integers(0, 4, n)
    rows = []
    for name, week, values in (
        ("depression_total", 0, baseline),
        ("depression_total", 6, later),
        ("frown_max", 0, frown),
        ("frown_rest", 0, np.minimum(frown, draw.integers(0, 4, n))),
    ):
        part = people[["studyid", "usubjid"]].assign(paramcd=name, week=week, aval=values)
        rows.append(part)
    assessments = pd.concat(rows, ignore_index=True)
    gone = (assessments["week"] == 6) & assessments["usubjid"].isin(["P-005", "P-077"])
    return people, assessments[~gone]


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated MLflow database to copy: making one takes seconds."""
    from glabella.tracking.store import load_mlflow

    database = tmp_path_factory.mktemp("store") / "mlflow.db"
    mlflow = load_mlflow()
    mlflow.MlflowClient(tracking_uri=f"sqlite:///{database}").search_experiments()
    return database


@pytest.fixture(scope="session")
def make_small_project(checkout: Path, empty_store: Path) -> Callable[[Path], Path]:
    """Make a project with two small invented trials, and a store of its own."""

    def make(folder: Path) -> Path:
        for name in ("features", "models", "pipelines"):
            shutil.copytree(checkout / name, folder / name)
        (folder / "models" / "xgboost.yaml").write_text(SMALL_TREES, encoding="utf-8")
        (folder / "pipelines" / "small.yaml").write_text(SMALL_ANALYSIS, encoding="utf-8")
        people, assessments = make_small_tables(seed=11)
        people.to_csv(folder / "participants.csv", index=False)
        assessments.to_csv(folder / "assessments.csv", index=False)
        (folder / "mlruns").mkdir()
        shutil.copy(empty_store, folder / "mlruns" / "mlflow.db")
        return folder

    return make


@pytest.fixture
def small_project(make_small_project: Callable[[Path], Path], tmp_path: Path) -> Path:
    """A fresh copy of the small project."""
    return make_small_project(tmp_path / "project")


@pytest.fixture(scope="session")
def trained(
    make_small_project: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, TrainingResult]:
    """The small project after one training: read it, leave it as it is."""
    import glabella

    project = make_small_project(tmp_path_factory.mktemp("trained") / "project")
    return project, glabella.train("small", project=project, workers=1)


PLAIN_ANALYSIS = SMALL_ANALYSIS.replace(
    "[prevalence, arm_only, severity, ridge, xgboost]", "[severity, ridge]"
).replace("  inside: {folds: 3, repeats: 1}\n", "")


@pytest.fixture(scope="session")
def trained_twice(
    make_small_project: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, TrainingResult, TrainingResult]:
    """A plain analysis trained, and again without the features that tell most: leave it as is."""
    import glabella

    project = make_small_project(tmp_path_factory.mktemp("twice") / "project")
    (project / "pipelines" / "small.yaml").write_text(PLAIN_ANALYSIS, encoding="utf-8")
    first = glabella.train("small", project=project, workers=1)
    features = project / "features" / "clinical.yaml"
    kept = [line for line in features.read_text().splitlines() if "illness_months" not in line]
    features.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return project, first, glabella.train("small", project=project, workers=1)


@pytest.fixture
def registry(
    trained_twice: tuple[Path, TrainingResult, TrainingResult], tmp_path: Path
) -> tuple[Path, TrainingResult, TrainingResult]:
    """A copy of that project to write to, whose database names the files of the original."""
    project, first, second = trained_twice
    moved = tmp_path / "registry"
    shutil.copytree(project, moved)
    return moved, first, second


EARLY_FEATURES = """\
kind: feature_set
description: What is known two weeks after the injection
predict_at: week 3
features:
  - {name: severity, builder: baseline_score, of: depression_total, as: percent_of_range}
  - name: early
    builder: visit_score
    of: depression_total
    week: 2
    window: [1, 3]
    as: percent_of_range
  - name: fall
    builder: change_from_baseline
    of: depression_total
    week: 2
    window: [1, 3]
    as: percent_change
  - {name: age_years}
"""


def make_early_visits(seed: int) -> pd.DataFrame:
    """Give the small tables a visit near week 2, late for some and lost by others."""
    _, assessments = make_small_tables(seed)
    draw = np.random.default_rng(seed + 100)
    total = assessments[assessments["paramcd"] == "depression_total"]
    wide = total.pivot(index=["studyid", "usubjid"], columns="week", values="aval")
    middle = ((wide[0] + wide[6].fillna(wide[0])) // 2 + draw.integers(-2, 3, len(wide))).astype(
        int
    )
    rows = middle.rename("aval").reset_index().assign(paramcd="depression_total")
    rows["week"] = draw.choice([1.5, 2, 3, 3.5], len(rows), p=[0.1, 0.7, 0.1, 0.1])
    return pd.concat([assessments, rows[assessments.columns]], ignore_index=True)


@pytest.fixture(scope="session")
def make_early_project(make_small_project: Callable[[Path], Path]) -> Callable[[Path], Path]:
    """Make the small project with a visit near week 2 and an analysis that predicts from it."""

    def make(folder: Path) -> Path:
        make_small_project(folder)
        (folder / "features" / "early.yaml").write_text(EARLY_FEATURES, encoding="utf-8")
        text = SMALL_ANALYSIS.replace("features: clinical", "features: early")
        text = text.replace("[prevalence, arm_only, severity, ridge, xgboost]", "[severity, ridge]")
        (folder / "pipelines" / "early.yaml").write_text(text, encoding="utf-8")
        make_early_visits(seed=11).to_csv(folder / "assessments.csv", index=False)
        return folder

    return make


@pytest.fixture
def early_project(make_early_project: Callable[[Path], Path], tmp_path: Path) -> Path:
    """A fresh copy of the project that predicts from an early response."""
    return make_early_project(tmp_path / "early")


@pytest.fixture(scope="session")
def trained_early(
    make_early_project: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, TrainingResult]:
    """That project after one training: read it, leave it as it is."""
    import glabella

    project = make_early_project(tmp_path_factory.mktemp("trained_early") / "project")
    return project, glabella.train("early", project=project, workers=1)


@pytest.fixture(scope="session")
def fit_bundle() -> Callable[[LoadedAnalysis], Bundle]:
    """Fit one candidate without validating it, for tests of what a bundle reads."""
    from glabella.bundle.applicability.applicability_domain import learn_applicability_domain
    from glabella.bundle.load import Bundle
    from glabella.pipelines.training.manifest import describe_bundle, refit

    def fit(loaded: LoadedAnalysis) -> Bundle:
        tuned = refit(loaded, "ridge")
        validated = SimpleNamespace(
            choice=SimpleNamespace(name="ridge"),
            procedure=SimpleNamespace(as_json=dict),
        )
        manifest, _ = describe_bundle(loaded, validated, tuned, {"run": "0" * 8})
        likeness = learn_applicability_domain(loaded.sample.features, loaded.sample.trial)
        return Bundle(manifest, tuned.model, likeness)

    return fit


@pytest.fixture
def new_patients() -> pd.DataFrame:
    """A table to be scored with the small project's model."""
    people, assessments = make_small_tables(seed=12)
    early = assessments[assessments["week"] == 0]
    wide = early.pivot(index="usubjid", columns="paramcd", values="aval").reset_index()
    kept = people.drop(columns=["studyid", "siteid", "arm"])
    return kept.merge(wide, on="usubjid").head(30)
