"""The how-to is followed as it stands: two invented trials in their own files, to scores."""

import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest

import glabella


@pytest.fixture(scope="module")
def page(checkout):
    return (checkout / "docs" / "pool_your_own_trials.md").read_text(encoding="utf-8")


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
    lighter = re.sub(r"(?m)^sensitivity: .*\n", "", lighter)
    lighter = re.sub(r"explanation: .*", "explanation: {refits: 0, permutations: 0}", lighter)
    (folder / "pipelines" / "mine.yaml").write_text(head + block + lighter)
    [script] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (folder / "invent.py").write_text(script)
    subprocess.run([sys.executable, "invent.py"], cwd=folder, check=True)
    return folder


def test_the_rows_shown_are_those_that_the_script_writes(study, page):
    shown = re.findall(r"```\n((?:id,|Nr;).*?)\.\.\.\n```", page, re.DOTALL)
    names = ("alpha.csv", "beta_personen.csv", "beta_visiten.csv")
    assert len(shown) == len(names)
    for name, rows in zip(names, shown, strict=True):
        assert (study / "data" / name).read_text().startswith(rows)


def test_the_check_counts_both_trials_and_writes_its_page(study):
    result = glabella.check("mine", project=study, data=study / "data", out=study / "check.html")
    assert result.n == 160
    assert result.participants["trial"].tolist() == ["alpha", "alpha", "beta", "beta"]
    assert result.missing.drop(columns="trial").to_numpy().sum() == 0
    assert "Features of the analysed participants" in (study / "check.html").read_text()


def test_years_are_months_and_codes_are_words(study):
    from glabella.analysis.loaded.load import load_analysis
    from glabella.definitions.locate import find_project

    loaded = load_analysis("mine", find_project(study), data=study / "data")
    beta = loaded.tables.participants[loaded.tables.participants["studyid"] == "beta"]
    written = pd.read_csv(study / "data" / "beta_personen.csv", sep=";", decimal=",")
    assert beta["illness_months"].tolist() == (12 * written["Krank_Jahre"]).tolist()
    assert set(beta["sex"]) == {"F", "M"}
    assert (beta["antidepressant"] == "yes").tolist() == (written["AD"] == 1).tolist()


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


def test_it_ends_in_a_model_that_the_gate_promotes(study, page):
    """The analysis of the page itself, of whose candidates the ensemble alone is left out."""
    shipped = (study / "pipelines" / "bont_pooled.yaml").read_text()
    block = re.search(r"```yaml\n(data:\n.*?)```", page, re.DOTALL).group(1)
    head, rest = shipped.split("data: ")
    text = head + block + "endpoint:" + rest.split("endpoint:")[1]
    text = text.replace(", ridge, ensemble]", ", ridge]")
    text = re.sub(r"(?m)^sensitivity: .*\n", "", text)
    (study / "pipelines" / "promoted.yaml").write_text(text)
    checked = glabella.check("promoted", project=study, data=study / "data")
    assert not [item for item in checked.findings if item.place.startswith("promotion")]
    glabella.train("promoted", project=study, data=study / "data", workers=1)
    dry = glabella.promote("promoted", project=study, dry_run=True)
    assert [item.describe() for item in dry.criteria if not item.passed] == []
    promoted = glabella.promote("promoted", project=study)
    assert promoted.verdict == "passed"
