"""The how-to is followed as it stands: two invented trials in their own files, to scores."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest

import glabella


@pytest.fixture(scope="module")
def page(checkout):
    return (checkout / "docs" / "pool_your_own_trials.md").read_text(encoding="utf-8")


def invent(seed: int, n: int, top: int) -> pd.DataFrame:
    """Invent participants whose response goes with a short illness."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": [f"{seed}-{number:03d}" for number in range(n)],
            "active": np.tile([1, 0], n // 2),
            "age": draw.integers(20, 66, n),
            "female": draw.random(n) < 0.8,
            "ad": draw.integers(0, 2, n),
            "ill_months": draw.integers(2, 120, n),
            "lines": draw.integers(1, 4, n),
            "before": draw.integers(top // 2, top, n),
        }
    )
    pull = 0.03 * (60 - frame["ill_months"]) + 1.2 * frame["active"] - 0.8
    responded = draw.random(n) < 1 / (1 + np.exp(-pull))
    frame["after"] = np.where(responded, frame["before"] // 2 - 1, frame["before"] - 3)
    return frame


def write_alpha(frame, folder):
    pd.DataFrame(
        {
            "id": frame["id"],
            "centre": "01",
            "group": frame["active"].map({1: "bont", 0: "placebo"}),
            "age": frame["age"],
            "sex": frame["female"].map({True: "F", False: "M"}),
            "ad": frame["ad"].map({1: "yes", 0: "no"}),
            "ill_months": frame["ill_months"],
            "lines": frame["lines"],
            "lines_rest": frame["lines"] - 1,
            "hamd0": frame["before"],
            "hamd6": frame["after"],
        }
    ).to_csv(folder / "alpha.csv", index=False)


def write_beta(frame, folder):
    pd.DataFrame(
        {
            "Nr": frame["id"],
            "Gruppe": frame["active"],
            "Alter": frame["age"],
            "Geschlecht": frame["female"].map({True: "w", False: "m"}),
            "AD": frame["ad"],
            "Krank_Jahre": frame["ill_months"] / 12,
        }
    ).to_csv(folder / "beta_personen.csv", index=False, sep=";", decimal=",")
    visits = [
        frame[["id"]].assign(Woche=week, Mass=name, Wert=frame[column] - shift)
        for week, name, column, shift in (
            (0, "MADRS", "before", 0),
            (6, "MADRS", "after", 0),
            (0, "FALTEN", "lines", 0),
            (0, "RUHE", "lines", 1),
        )
    ]
    table = pd.concat(visits).rename(columns={"id": "Nr"})
    table.to_csv(folder / "beta_visiten.csv", index=False, sep=";")


@pytest.fixture(scope="module")
def study(page, checkout, empty_store, tmp_path_factory):
    """The project of steps 1 to 3, with the page's own YAML."""
    folder = tmp_path_factory.mktemp("study")
    for name in ("features", "models", "pipelines"):
        shutil.copytree(checkout / name, folder / name)
    (folder / "mlruns").mkdir()
    shutil.copy(empty_store, folder / "mlruns" / "mlflow.db")
    shipped = (folder / "pipelines" / "bont_pooled.yaml").read_text()
    block = re.search(r"```yaml\n(data:\n.*?)```", page, re.DOTALL).group(1)
    head, rest = shipped.split("data: ")
    endpoint = "endpoint:" + rest.split("endpoint:")[1]
    lighter = re.sub(r"folds: 5, repeats: \d+", "folds: 3, repeats: 1", endpoint)
    lighter = lighter.replace(
        "[prevalence, arm_only, severity, ridge, xgboost]", "[severity, ridge]"
    )
    (folder / "pipelines" / "mine.yaml").write_text(head + block + lighter)
    data = folder / "data"
    data.mkdir()
    write_alpha(invent(1, 80, 40), data)
    write_beta(invent(2, 80, 50), data)
    return folder


def test_the_check_counts_both_trials_and_writes_its_page(study):
    result = glabella.check("mine", project=study, data=study / "data", out=study / "check.html")
    assert result.n == 160
    assert result.participants["trial"].tolist() == ["alpha", "alpha", "beta", "beta"]
    assert result.missing.drop(columns="trial").to_numpy().sum() == 0
    assert "Features of the analysed participants" in (study / "check.html").read_text()


def test_years_are_months_and_codes_are_words(study):
    from glabella.definitions.locate import find_project
    from glabella.pipelines.load import load_analysis

    loaded = load_analysis("mine", find_project(study), data=study / "data")
    beta = loaded.tables.participants[loaded.tables.participants["studyid"] == "beta"]
    expected = invent(2, 80, 50)
    np.testing.assert_allclose(beta["illness_months"], expected["ill_months"], rtol=1e-12)
    assert set(beta["sex"]) == {"F", "M"}
    assert (beta["antidepressant"] == "yes").tolist() == (expected["ad"] == 1).tolist()


def test_it_trains_and_scores_under_the_dictionarys_names(study, tmp_path):
    result = glabella.train("mine", project=study, data=study / "data")
    assert result.candidates["ridge"].pooled.estimates["auc"].value > 0.6
    new = pd.DataFrame(
        {
            "usubjid": ["n-1", "n-2"],
            "scale": ["madrs", "hamd17"],
            "depression_total": [31, 22],
            "frown_max": [3, 2],
            "frown_rest": [1, 1],
            "age_years": [44, 51],
            "sex": ["F", "M"],
            "illness_months": [6, 90],
            "antidepressant": ["yes", "no"],
        }
    )
    new.to_csv(tmp_path / "new.csv", index=False)
    batch = glabella.score(tmp_path / "new.csv", out=tmp_path / "out.csv", model=result.bundle)
    assert (batch.scored, batch.refused) == (2, 0)
    probability = batch.frame()["response_probability"].astype(float)
    assert probability[0] > probability[1]
