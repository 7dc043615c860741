"""The how-to is followed as it stands, on an invented trial and on the one that it names."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glabella
from glabella.bundle.load import load_bundle

WEEKS = (0, 2, 4, 8, 12, 16)


@pytest.fixture
def study(checkout, empty_store, tmp_path) -> Path:
    """The project of steps 1 and 2, with the page's own YAML."""
    page = (checkout / "docs" / "predict_from_early_response.md").read_text(encoding="utf-8")
    features, endpoint = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    folder = tmp_path / "study"
    for name in ("features", "models", "pipelines"):
        shutil.copytree(checkout / name, folder / name)
    (folder / "mlruns").mkdir()
    shutil.copy(empty_store, folder / "mlruns" / "mlflow.db")
    (folder / "features" / "dystonia_early.yaml").write_text(features)
    shipped = (folder / "pipelines" / "cdystonia.yaml").read_text()
    head, rest = shipped.split("endpoint:")
    tail = "models: [severity, ridge]\nvalidation:" + rest.split("validation:")[1]
    text = head + endpoint + tail.replace("folds: 5, repeats: 20", "folds: 3, repeats: 1")
    text += "explanation: {refits: 0, permutations: 0}\n"
    (folder / "pipelines" / "dystonia_week8.yaml").write_text(text)
    return folder


def invent(folder: Path) -> pd.DataFrame:
    """Invent a trial whose early fall goes with the later one."""
    draw = np.random.default_rng(5)
    n = 90
    base = draw.integers(30, 65, n)
    pull = draw.normal(size=n)
    early = base * (0.85 - 0.15 * pull + 0.05 * draw.normal(size=n))
    late = base * (0.82 - 0.15 * pull + 0.05 * draw.normal(size=n))
    table = pd.DataFrame(
        {
            "subject": [f"S-{number:02d}" for number in range(n)],
            "site": np.tile([1, 2, 3], n // 3),
            "treat": draw.choice(["5000U", "10000U", "Placebo"], n),
            "age": draw.integers(25, 80, n),
            "sex": draw.choice(["F", "M"], n),
            **{
                f"twstrs_w{week}": np.clip({0: base, 2: early}.get(week, late), 0, 85).round()
                for week in WEEKS
            },
        }
    )
    table.loc[[3, 40], "twstrs_w2"] = np.nan
    folder.mkdir()
    table.to_csv(folder / "data.csv", index=False)
    return table


def test_it_trains_and_scores_from_the_columns_of_the_source(study, tmp_path):
    table = invent(tmp_path / "data")
    result = glabella.train("dystonia_week8", project=study, data=tmp_path / "data")
    ridge, severity = (
        result.candidates[name].pooled.estimates["auc"].value for name in ("ridge", "severity")
    )
    assert ridge > 0.8 > severity
    assert load_bundle(Path(result.bundle)).manifest.form.visits[0].column == "twstrs_w2"
    batch = glabella.score(
        tmp_path / "data" / "data.csv",
        out=tmp_path / "scores.csv",
        model="dystonia_week8@challenger",
        arm="Placebo",
        project=study,
    )
    assert (batch.scored, batch.arm) == (len(table), "Placebo")
    told = batch.frame()["reason_1"].str.startswith("Torticollis severity, change from baseline")
    assert told.mean() > 0.5


def test_the_trial_that_it_names_has_the_changes_that_its_table_holds(tables, study):
    result = glabella.check("dystonia_week8", project=study, data=tables / "cdystonia_bont")
    wide = pd.read_csv(tables / "cdystonia_bont" / "data.csv")
    wide = wide[wide["twstrs_w8"].notna()]
    fall = 100 * (wide["twstrs_w2"] / wide["twstrs_w0"] - 1)
    assert result.n == len(wide) == 104
    shown = result.table_one.set_index(["feature", "statistic"])["Overall"]
    label = "Torticollis severity, change from baseline to week 2 (% of the baseline)"
    assert shown[label, "mean (SD)"] == f"{fall.mean():.1f} ({fall.std():.1f})"
    assert shown[label, "missing, n"] == str(fall.isna().sum())
