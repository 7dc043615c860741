"""The tables that a model was trained from, in every verb that takes a table."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import glabella
from glabella.bundle.load import load_bundle
from glabella.errors import DataError

DICTIONARY = """\
kind: dictionary
description: Invented variables
variables:
  age_years: {label: Age, type: number, unit: years, range: [18, 95]}
  sex: {label: Sex, type: category, codes: {F: female, M: male}}
  illness_months: {label: Duration, type: number, unit: months, range: [0, 720]}
  bdi_total: {label: Beck Depression Inventory, type: score, scale: bdi, timing: visit}
"""
FEATURES = """\
kind: feature_set
description: Invented
predict_at: baseline
features:
  - {name: severity, builder: baseline_score, of: bdi_total, as: points}
  - {name: age_years}
  - {name: sex}
  - {name: illness_months}
"""
ANALYSIS = """\
kind: analysis
description: Three invented trials, each written in its own way
dictionary: dictionary_invented
seed: 3
data:
  trials:
    - name: alpha
      read: {alpha.csv: {encoding: cp1252, decimal: ","}}
      participants:
        file: alpha.csv
        id: nummer
        arm: gruppe
        variables:
          age_years: alter
          sex: {column: geschlecht, codes: {"1": M, "2": F}}
          illness_months: {column: krankheit_jahre, unit: years}
      assessments:
        - {file: alpha.csv, id: nummer, variable: bdi_total, weeks: {bdi_vor: 0, bdi_nach: 6}}
    - name: beta
      participants:
        file: beta.sav
        id: id
        arm: trt
        variables: {age_years: age, sex: sex, illness_months: months}
      assessments:
        - {file: beta.sav, id: id, variable: bdi_total, weeks: {b0: 0, b6: 6}}
    - name: gamma
      participants:
        file: gamma.xlsx
        id: usubjid
        arm: arm
        variables:
          age_years: age_years
          sex: sex
          illness_months: {column: illness_months, codes: {"999": ""}}
      assessments:
        - {file: gamma.xlsx, id: usubjid, variable: bdi_total, weeks: {bdi_total: 0, later: 6}}
arms:
  - {name: bont, label: BoNT/A, role: active, codes: ["1", bont]}
  - {name: placebo, label: Placebo, role: control, codes: ["0", placebo]}
endpoint:
  rule: response
  of: bdi_total
  week: 6
  window: [5, 7]
  missing: observed_only
features: invented
models: [severity, ridge]
validation:
  pooled: {folds: 2, repeats: 1}
  inner_folds: 2
explanation: {refits: 0, permutations: 0}
"""


def make_people(seed: int, n: int = 60) -> pd.DataFrame:
    """Invent participants in the dictionary's names, codes and units."""
    draw = np.random.default_rng(seed)
    people = pd.DataFrame(
        {
            "usubjid": 1000 * seed + np.arange(n),
            "arm": np.tile(["bont", "placebo"], n // 2),
            "age_years": draw.integers(20, 80, n) + 0.5,
            "sex": draw.choice(["F", "M"], n),
            "illness_months": 12.0 * draw.integers(1, 30, n),
            "bdi_total": draw.integers(20, 50, n),
        }
    )
    pull = np.where(people["sex"] == "F", 1.2, -1.2) + 0.8 * (people["arm"] == "bont") - 0.2
    people["responded"] = (draw.random(n) < 1 / (1 + np.exp(-pull))).astype(int)
    people["later"] = np.where(people["responded"] == 1, people["bdi_total"] // 2, 19)
    # Half of an odd baseline is no whole score: the outcome follows the endpoint's own rule.
    people["responded"] = (people["later"] <= people["bdi_total"] / 2).astype(int)
    return people


def write_alpha(people: pd.DataFrame, path: Path, encoding: str = "cp1252") -> Path:
    table = pd.DataFrame(
        {
            "nummer": people["usubjid"],
            "gruppe": people["arm"].map({"bont": 1, "placebo": 0}),
            "alter": people["age_years"].map(lambda age: f"{age:.1f}".replace(".", ",")),
            "geschlecht": people["sex"].map({"M": 1, "F": 2}),
            "krankheit_jahre": (people["illness_months"] / 12).astype(int),
            "bdi_vor": people["bdi_total"],
            "bdi_nach": people["later"],
            "ärztin": "Müller",
            "responded": people["responded"],
        }
    )
    table.to_csv(path, sep=";", index=False, encoding=encoding)
    return path


def write_beta(people: pd.DataFrame, path: Path) -> Path:
    table = pd.DataFrame(
        {
            "id": people["usubjid"].astype(float),
            "trt": people["arm"].map({"bont": 5.0, "placebo": 6.0}),
            "age": people["age_years"],
            "sex": people["sex"].map({"M": 1.0, "F": 2.0}),
            "months": people["illness_months"],
            "b0": people["bdi_total"].astype(float),
            "b6": people["later"].astype(float),
            "outcome": people["responded"].map({1: 7.0, 0: 8.0}),
        }
    )
    labels = {
        "sex": {1.0: "Male", 2.0: "Female"},
        "trt": {5.0: "BoNT/A", 6.0: "Placebo"},
        "outcome": {7.0: "Responder", 8.0: "Non-responder"},
    }
    pyreadstat.write_sav(table, str(path), variable_value_labels=labels)
    return path


def write_gamma(people: pd.DataFrame, path: Path) -> Path:
    table = people.assign(usubjid=people["usubjid"].astype(float))
    table.loc[table.index[3], "illness_months"] = 999
    table.to_excel(path, index=False)
    return path


WRITERS = {"alpha": write_alpha, "beta": write_beta, "gamma": write_gamma}
FILES = {"alpha": "alpha.csv", "beta": "beta.sav", "gamma": "gamma.xlsx"}


@pytest.fixture(scope="module")
def made(tmp_path_factory, checkout, empty_store) -> SimpleNamespace:
    """A model of the three trials: read it, leave it as it is."""
    import shutil

    project = tmp_path_factory.mktemp("forms") / "project"
    for name in ("features", "models", "pipelines"):
        shutil.copytree(checkout / name, project / name)
    (project / "features" / "dictionary_invented.yaml").write_text(DICTIONARY)
    (project / "features" / "invented.yaml").write_text(FEATURES)
    (project / "pipelines" / "three.yaml").write_text(ANALYSIS)
    (project / "mlruns").mkdir()
    shutil.copy(empty_store, project / "mlruns" / "mlflow.db")
    people = {}
    for seed, (name, write) in enumerate(WRITERS.items(), start=1):
        people[name] = make_people(seed)
        write(people[name], project / FILES[name])
    result = glabella.train("three", project=project, workers=1)
    return SimpleNamespace(project=project, people=people, bundle=result.bundle)


def score(made: SimpleNamespace, table: Path, out: Path, **more: object) -> pd.DataFrame:
    result = glabella.score(table, out=out, model=made.bundle, reasons=0, **more)
    assert result.refused == 0, result.refused_by_reason
    return result.frame()


@pytest.mark.parametrize("trial", FILES)
def test_the_very_table_of_training_is_scored_as_in_the_dictionarys_form(made, tmp_path, trial):
    plain = made.people[trial].drop(columns=["responded", "later"])
    if trial == "gamma":
        plain.loc[3, "illness_months"] = np.nan
    plain.to_csv(tmp_path / "plain.csv", index=False)
    own = score(made, made.project / FILES[trial], tmp_path / "own.csv")
    asked = score(made, made.project / FILES[trial], tmp_path / "asked.csv", form=trial)
    wanted = score(made, tmp_path / "plain.csv", tmp_path / "wanted.csv")
    assert wanted["response_probability"].nunique() > 10
    for found in (own, asked):
        assert found["response_probability"].tolist() == wanted["response_probability"].tolist()


@pytest.mark.parametrize("trial", FILES)
def test_it_is_explained_as_a_whole_and_row_by_row(made, tmp_path, trial):
    from glabella.pipelines.explain_patient import explain_patient

    table = made.project / FILES[trial]
    scored = score(made, table, tmp_path / "scores.csv")["response_probability"]
    result = glabella.explain(table, out=tmp_path / "why.csv", model=made.bundle)
    assert np.allclose(result.frame()["response_probability"], scored, atol=1e-12)
    page = explain_patient(table, row=5, out=tmp_path / "p.html", model=made.bundle).page
    assert page.probability == pytest.approx(scored[4], abs=1e-12)
    points = made.people[trial]["bdi_total"][4]
    assert any(f"{points} of 63 points" in step.value for step in page.steps)


OUTCOMES = {"alpha": "responded", "beta": "outcome", "gamma": "responded"}


@pytest.mark.parametrize("trial", FILES)
def test_participants_of_training_are_known_in_every_format(made, trial):
    asked = {"outcome": OUTCOMES[trial], "model": made.bundle, "project": made.project}
    with pytest.raises(DataError, match="60 of its participants were trained on"):
        glabella.validate(made.project / FILES[trial], **asked)


@pytest.mark.parametrize("verb", ["validate", "update"])
@pytest.mark.parametrize("trial", FILES)
def test_a_new_trial_in_the_form_of_any_source_is_read_with_arm_and_outcome(
    made, tmp_path, trial, verb
):
    people = make_people(9)
    table = WRITERS[trial](people, tmp_path / f"new{Path(FILES[trial]).suffix}")
    result = getattr(glabella, verb)(
        table, outcome=OUTCOMES[trial], model=made.bundle, project=made.project
    )
    item = result.trials[0] if verb == "validate" else result.before
    assert item.trial.overlap == 0
    assert item.performance.events == people["responded"].sum()
    assert item.trial.sample.active.tolist() == (people["arm"] == "bont").tolist()


def test_a_text_file_is_read_as_training_read_it_or_as_it_is_now(made, tmp_path):
    people = make_people(9)
    old = score(made, write_alpha(people, tmp_path / "a.csv"), tmp_path / "old.csv")
    new = score(made, write_alpha(people, tmp_path / "b.csv", "utf-8"), tmp_path / "new.csv")
    assert old["response_probability"].tolist() == new["response_probability"].tolist()


def test_options_say_what_a_file_does_not_say_of_itself(made, tmp_path):
    people = make_people(9)
    table = tmp_path / "plain.csv"
    plain = people.assign(ärztin="Müller")
    plain.to_csv(table, index=False, encoding="cp1250")
    with pytest.raises(DataError, match=r"plain.csv: the file is not UTF-8 text.*\n.*--encoding"):
        glabella.score(table, out=tmp_path / "no.csv", model=made.bundle)
    stated = score(made, table, tmp_path / "yes.csv", read={"encoding": "cp1250"})
    plain.to_csv(tmp_path / "utf8.csv", index=False)
    other = score(made, tmp_path / "utf8.csv", tmp_path / "other.csv")
    assert stated["response_probability"].tolist() == other["response_probability"].tolist()
    sheets = tmp_path / "two.xlsx"
    with pd.ExcelWriter(sheets) as book:
        people.to_excel(book, sheet_name="patients", index=False)
        people.head(1).to_excel(book, sheet_name="notes", index=False)
    with pytest.raises(DataError, match="--sheet"):
        glabella.score(sheets, out=tmp_path / "sheet.csv", model=made.bundle)
    assert len(score(made, sheets, tmp_path / "s.csv", read={"sheet": "patients"})) == len(people)
    with pytest.raises(DataError, match="can't be read with these options"):
        glabella.score(sheets, out=tmp_path / "x.csv", model=made.bundle, read={"decimal": ";"})


def test_labels_that_contradict_the_values_refuse_the_whole_table(made, tmp_path):
    people = make_people(9).drop(columns=["arm", "responded", "later"])
    table = tmp_path / "wrong.sav"
    labels = {"sex": {"F": "male"}}
    pyreadstat.write_sav(people, str(table), variable_value_labels=labels)
    with pytest.raises(DataError, match="'sex': by the file's label the value stands for") as told:
        glabella.score(table, out=tmp_path / "out.csv", model=made.bundle)
    assert not (tmp_path / "out.csv").exists()
    assert str(people["usubjid"][0]) not in str(told.value)


def test_an_unknown_form_and_a_missing_column_are_named(made, tmp_path):
    table = write_gamma(make_people(9), tmp_path / "g.xlsx")
    with pytest.raises(DataError, match=r"no form 'delta' for tables.*\n.*alpha, beta"):
        glabella.score(table, out=tmp_path / "o.csv", model=made.bundle, form="delta")
    lacking = tmp_path / "lacking.csv"
    make_people(9).drop(columns="sex").to_csv(lacking, index=False)
    with pytest.raises(DataError, match=r"lacks the column 'sex'.*\n.*'alpha', 'beta', 'gamma'"):
        glabella.score(lacking, out=tmp_path / "o.csv", model=made.bundle)


def test_a_table_with_other_meanings_in_two_forms_is_not_guessed(made, tmp_path):
    """Columns of two forms side by side, with different values for the same people."""
    people = make_people(9)
    table = people.drop(columns=["responded", "later"]).assign(
        nummer=people["usubjid"],
        alter=people["age_years"],
        geschlecht=people["sex"].map({"M": 2, "F": 1}),
        krankheit_jahre=people["illness_months"] / 12,
        bdi_vor=people["bdi_total"],
    )
    table.to_csv(tmp_path / "both.csv", index=False)
    with pytest.raises(DataError, match=r"can be read in the form of .* different meanings"):
        glabella.score(tmp_path / "both.csv", out=tmp_path / "o.csv", model=made.bundle)
    stated = score(made, tmp_path / "both.csv", tmp_path / "d.csv", form="dictionary")
    other = score(made, tmp_path / "both.csv", tmp_path / "a.csv", form="alpha")
    assert stated["response_probability"].tolist() != other["response_probability"].tolist()
    # Where both say the same, neither has to be named.
    agreeing = table.assign(geschlecht=people["sex"].map({"M": 1, "F": 2}))
    agreeing.to_csv(tmp_path / "agree.csv", index=False)
    assert (
        score(made, tmp_path / "agree.csv", tmp_path / "b.csv")["response_probability"].tolist()
        == stated["response_probability"].tolist()
    )


def test_the_bundle_names_its_forms(made):
    forms = load_bundle(Path(made.bundle)).manifest.forms
    assert [form.name for form in forms] == ["dictionary", "alpha", "beta", "gamma"]
