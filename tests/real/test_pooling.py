"""Real tables pooled: the counts of their datasheets, and again from files coded each its way."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glabella
from glabella.analysis.loaded.load import load_analysis
from glabella.definitions.locate import find_project
from glabella.errors import AnalysisError

STUDY = Path(__file__).parent / "study"


@pytest.fixture
def study(tmp_path):
    return Path(shutil.copytree(STUDY, tmp_path / "study"))


@pytest.mark.parametrize(
    ("analysis", "table", "n", "events", "trials"),
    [
        ("heart", "heart_disease_4sites", 920, 509, 4),
        ("dvt", "dvt_ipd", 500, 82, 4),
        ("actg", "actg175", 2139, 918, 1),
        ("pep", "indomethacin_pep", 602, 79, 4),
        ("jobs", "jobs2_depression", 847, 290, 1),
    ],
)
def test_participants_and_events_are_those_of_the_datasheet(
    tables, study, analysis, table, n, events, trials
):
    result = glabella.check(analysis, project=study, data=tables / table)
    assert (result.n, result.events) == (n, events)
    assert result.participants["trial"].nunique() == trials
    assert sum(result.left_out.values()) == result.participants["left_out"].sum()
    assert sum(result.left_out.values()) == (52 if analysis == "jobs" else 0)


def test_features_that_do_not_name_the_trial_are_told_from_those_that_do(tables, study):
    alike = glabella.check("dvt", project=study, data=tables / "dvt_ipd").membership
    apart = glabella.check("heart", project=study, data=tables / "heart_disease_4sites").membership
    assert alike.auc < 0.6 < 0.75 < apart.auc
    assert alike.auc_missing == 0.5 < apart.auc_missing


def test_a_feature_that_switzerland_lacks_goes_or_switzerland_does_or_the_user_is_asked(
    tables, study
):
    data = tables / "heart_disease_4sites"
    path = study / "pipelines" / "heart.yaml"
    text = path.read_text()
    result = glabella.check("heart", project=study, data=data)
    assert "cholesterol" not in result.missing
    assert any(
        note.endswith("nobody in switzerland has the feature 'cholesterol', so the feature goes")
        for note in result.notes
    )
    path.write_text(text.replace("lacking: feature", "lacking: trial"))
    result = glabella.check("heart", project=study, data=data)
    assert result.n == 797
    assert "switzerland" not in set(result.participants["trial"])
    assert "cholesterol" in result.missing
    path.write_text(text.replace("  lacking: feature\n", ""))
    with pytest.raises(AnalysisError, match="no participant of trial 'switzerland' has the feat"):
        glabella.check("heart", project=study, data=data)


# Each hospital writes its own way: names, codes, units and format.
OWN = """\
    - name: cleveland
      participants:
        file: cleveland.parquet
        id: subject
        variables: {COMMON}
    - name: hungarian
      participants:
        file: hungarian.csv
        id: Kennung
        variables:
          age_years: {column: Alter, unit: months}
          sex: {column: Geschlecht, codes: {weiblich: F, "männlich": M}}
          REST
          pressure: {column: trestbps, unit: kPa}
    - name: switzerland
      participants:
        file: switzerland.xlsx
        id: subject
        variables: {COMMON}
    - name: va
      participants:
        file: va.csv
        id: subject
        variables: {COMMON}
"""
REST = {
    "chest_pain": '{column: cp, codes: {"1": "1", "2": "2", "3": "3", "4": "4"}}',
    "cholesterol": "chol",
    "fasting_sugar": "fbs",
    "heart_rate": "thalach",
    "exercise_angina": "exang",
    "st_depression": "oldpeak",
    "vessels": "ca",
    "disease": "disease",
}
COMMON = {
    "age_years": "age",
    "sex": '{column: sex, codes: {"1": M, "0": F}}',
    "pressure": "trestbps",
    **REST,
}


def write_hospitals(table: pd.DataFrame, folder: Path) -> None:
    whole = table.copy()
    for name in ("sex", "cp", "fbs", "exang", "disease"):
        whole[name] = whole[name].astype("Int64")
    parts = {name: part.reset_index(drop=True) for name, part in whole.groupby("site")}
    parts["cleveland"].to_parquet(folder / "cleveland.parquet")
    parts["switzerland"].to_excel(folder / "switzerland.xlsx", index=False)
    parts["va"].to_csv(folder / "va.csv", index=False)
    hungarian = parts["hungarian"].rename(columns={"subject": "Kennung"})
    hungarian["Alter"] = hungarian.pop("age") * 12
    hungarian["Geschlecht"] = hungarian.pop("sex").map({1: "männlich", 0: "weiblich"})
    hungarian["trestbps"] = hungarian["trestbps"] * 0.133322387415
    hungarian.to_csv(folder / "hungarian.csv", index=False, sep=";", decimal=",")


def test_four_hospitals_that_write_their_own_way_are_the_pooled_table(tables, study, tmp_path):
    data = tables / "heart_disease_4sites"
    pooled = load_analysis("heart", find_project(study), data=data)
    folder = tmp_path / "own"
    folder.mkdir()
    write_hospitals(pd.read_csv(data / "data.csv"), folder)
    path = study / "pipelines" / "heart.yaml"
    head, rest = path.read_text().split("    - name: pooled\n")
    flow = ", ".join(f"{name}: {column}" for name, column in COMMON.items())
    block = "\n          ".join(f"{name}: {column}" for name, column in REST.items())
    own = OWN.replace("{COMMON}", "{" + flow + "}").replace("REST", block)
    path.write_text(head + own + "endpoint:" + rest.split("endpoint:")[1])
    again = load_analysis("heart", find_project(study), data=folder)
    assert again.sample.trial.tolist() == pooled.sample.trial.tolist()
    assert again.sample.labels.tolist() == pooled.sample.labels.tolist()
    assert list(again.sample.features.frame) == list(pooled.sample.features.frame)
    for name in pooled.sample.features.frame:
        first, second = pooled.sample.features.frame[name], again.sample.features.frame[name]
        if first.dtype == float:
            np.testing.assert_allclose(second, first, rtol=1e-9)
        else:
            assert second.astype(object).tolist() == first.astype(object).tolist() or (
                second.isna().equals(first.isna()) and (second.dropna() == first.dropna()).all()
            )


def test_cdystonia_is_the_same_from_its_wide_and_its_long_file(tables, study, checkout):
    home = find_project(checkout)
    data = tables / "cdystonia_bont"
    wide = load_analysis("cdystonia", home, data=data)
    text = (checkout / "pipelines" / "cdystonia.yaml").read_text()
    start = text.index("          variable: twstrs\n")
    stop = text.index("arms:")
    long = (
        text[:start].replace(
            "      assessments:\n        - file: data.csv\n",
            "      assessments:\n        - file: visits.csv\n",
        )
        + "          variable: twstrs\n          week: week\n          value: twstrs\n"
        + text[stop:]
    )
    path = study / "cdystonia_long.yaml"
    path.write_text(long)
    again = load_analysis(str(path), home, data=data)
    assert again.sample.n == 106
    pd.testing.assert_frame_equal(again.sample.features.frame, wide.sample.features.frame)
    assert again.sample.labels.tolist() == wide.sample.labels.tolist()
    assert again.outcomes.frame.equals(wide.outcomes.frame)
