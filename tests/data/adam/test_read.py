"""Periods of a crossover, and a real trial as its files hold it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glabella.data.adam.read import read_adam
from glabella.data.adam.source import AdamFiles, AdamSource
from glabella.data.dictionary import Dictionary
from glabella.data.tables import PatientTables
from glabella.definitions.reader import Origin, parse_definition

CROSSOVER = "USUBJID APERIOD AVISIT ADY AVAL ABLFL"
ROWS = [
    ("QQ1", None, "Baseline", -1, 40.0, "Y"), ("QQ1", 1, "Week 4", 29, 30.0, ""),
    ("QQ1", 2, "Period 2 Baseline", 57, 38.0, "Y"), ("QQ1", 2, "Week 4", 85, 37.0, ""),
    ("QQ2", 1, "Baseline", 1, 50.0, "Y"), ("QQ2", 1, "Week 4", 29, 45.0, ""),
    ("QQ2", None, "Follow-up", 120, 44.0, ""),
]  # fmt: skip
DICTIONARY = parse_definition(
    """
kind: dictionary
description: x
variables:
  age_years: {label: Age, type: number, unit: years, range: [18, 100]}
  sex: {label: Sex, type: category, codes: {F: female, M: male}}
  bmi_kg_m2: {label: BMI, type: number, unit: kg/m2, range: [10, 80]}
  mmsetot: {label: Mini-Mental State total, type: number, range: [0, 30]}
  durdis_months: {label: Duration, type: number, unit: months, range: [0, 720]}
  adas_cog: {label: ADAS-Cog, type: score, scale: adas_cog11, timing: visit}
  cibic: {label: CIBIC+, type: ordinal, range: [1, 7], timing: visit}
""",
    Dictionary,
    name="features/dictionary.yaml",
).value
PILOT = AdamSource(
    name="pilot",
    adam=AdamFiles(adsl="adsl.xpt", bds=("adadas.xpt", "adcibc.xpt")),
    parameters={"adas_cog": "ACTOT", "cibic": "CIBICVAL"},
    variables={"durdis_months": "DURDIS"},
)


def make_adsl(adam) -> pd.DataFrame:
    return adam.adsl(TRT02P=["Placebo", "Drug", ""])


def test_the_first_period_alone_is_read_unless_all_are_asked_for(adam) -> None:
    tables = adam.load(adsl=make_adsl(adam), bds=adam.bds(ROWS, CROSSOVER))
    assert adam.scores(tables) == {
        ("QQ1", 0.0): 40.0, ("QQ1", 4.0): 30.0, ("QQ2", 0.0): 50.0, ("QQ2", 4.0): 45.0,
    }  # fmt: skip
    assert "person" not in tables.participants
    assert adam.findings(tables) == ["3 of 7 records are of no period that counts and are excluded"]


def test_each_period_is_a_row_of_its_own_person_arm_and_baseline(adam) -> None:
    tables = adam.load("periods: all", adsl=make_adsl(adam), bds=adam.bds(ROWS, CROSSOVER))
    people = tables.participants
    assert people["usubjid"].tolist() == ["QQ1/1", "QQ2/1", "QQ3/1", "QQ1/2", "QQ2/2"]
    assert people["person"].tolist() == ["QQ1", "QQ2", "QQ3", "QQ1", "QQ2"]
    assert people["period"].tolist() == [1, 1, 1, 2, 2]
    assert people["arm"].tolist() == ["Drug", "Placebo", "Drug", "Placebo", "Drug"]
    assert adam.scores(tables) == {
        ("QQ1/1", 0.0): 40.0, ("QQ1/1", 4.0): 30.0, ("QQ1/2", 0.0): 38.0, ("QQ1/2", 4.0): 37.0,
        ("QQ2/1", 0.0): 50.0, ("QQ2/1", 4.0): 45.0,
    }  # fmt: skip
    assert tables.assessments["period"].tolist() == [1, 1, 2, 2, 1, 1]
    assert (
        "1 subjects of the population have no planned treatment in period 2 and are excluded"
        in adam.findings(tables)
    )


@pytest.mark.parametrize("by", ["ADY", "AVISIT", "AWTARGET"])
def test_weeks_of_a_later_period_count_from_its_own_baseline(adam, by: str) -> None:
    bds = adam.bds(ROWS[2:4], CROSSOVER)
    if by == "ADY":
        bds["AVISIT"] = "Visit"
    elif by == "AVISIT":
        bds["AVISIT"] = ["Week 8", "Week 12"]
    else:
        bds = bds.assign(AWTARGET=[56, 84], AWU="DAYS")
    tables = adam.load("periods: all", adsl=make_adsl(adam), bds=bds)
    assert adam.scores(tables) == {("QQ1/2", 0.0): 38.0, ("QQ1/2", 4.0): 37.0}


def test_periods_that_nothing_tells_apart_are_refused_or_warned_of(adam) -> None:
    error = adam.refuse("periods: all")
    assert "names the arm of one period only" in str(error)
    error = adam.refuse("periods: all", adsl=make_adsl(adam))
    assert "the table bds.csv has no APERIOD for 'TOT'" in str(error)
    tables = adam.load(adsl=make_adsl(adam))
    assert "there is no APERIOD, and 2 subjects took another" in adam.findings(tables, "warn")[0]


def test_a_source_of_subjects_alone_has_no_assessments(adam) -> None:
    tables = adam.load(bds=None)
    assert tables.n == 3
    assert tables.assessments.columns.tolist() == ["studyid", "usubjid", "paramcd", "week", "aval"]
    assert tables.assessments.empty


def test_files_are_read_with_only_the_columns_that_are_asked_for(adam, tmp_path: Path) -> None:
    adam.adsl().to_csv(tmp_path / "adsl.csv", index=False)
    # Were NOTE read, its quoted comma would be too; what is not named is not kept.
    bds = adam.plain.rename(columns=str.lower).assign(paramcd="ACTOT", note="a, b")
    bds.to_csv(tmp_path / "bds.csv", index=False)
    source = AdamSource(
        name="own",
        adam=AdamFiles(adsl="adsl.csv", bds=("bds.csv",)),
        parameters={"adas_cog": "ACTOT"},
    )
    tables = read(source, tmp_path)
    assert adam.scores(tables)["QQ1", 8.0] == 30.0


def read(source: AdamSource, folder: Path) -> PatientTables:
    written = Origin("pipelines/own.yaml", "", {})
    return read_adam(source, folder, DICTIONARY, origin="real", written=written, keys=())


def test_the_pilot_trial_is_read_as_its_files_hold_it(tables: Path) -> None:
    found = read(PILOT, tables / "cdisc_pilot")
    assert found.n == 254
    assert found.participants["arm"].value_counts().to_dict() == {
        "Placebo": 86, "Xanomeline High Dose": 84, "Xanomeline Low Dose": 84,
    }  # fmt: skip
    adas = found.assessments[found.assessments["paramcd"] == "adas_cog"]
    assert adas["week"].value_counts().to_dict() == {0.0: 254, 8.0: 235, 24.0: 155, 16.0: 150}
    assert found.participants["durdis_months"].notna().all()
    texts = [item.finding for item in found.findings]
    assert "222 LOCF of 1016 records are derived (DTYPE) and left out" in texts
    assert "168 LOCF of 705 records are derived (DTYPE) and left out" in texts
    assert {item.severity for item in found.findings} == {"note"}


def test_the_pilot_trials_responses_are_those_that_were_published_with_it(tables: Path) -> None:
    folder = tables / "cdisc_pilot"
    found = read(PILOT.model_copy(update={"imputed": "keep"}), folder)
    rows = found.assessments[found.assessments["paramcd"] == "adas_cog"]
    wide = rows.astype({"usubjid": object}).pivot(index="usubjid", columns="week", values="aval")
    theirs = pd.read_csv(folder / "data.csv").set_index("USUBJID").loc[wide.index]
    for week, column in ((0, "BASE"), (8, "W8"), (16, "W16"), (24, "W24")):
        np.testing.assert_array_equal(wide[week], theirs[f"ACTOT_{column}"])
    np.testing.assert_array_equal(wide[0] - wide[24] >= 4, theirs["RESP4_W24"] == 1)
    arms = found.participants.set_index("usubjid")["arm"]
    rates = (wide[0] - wide[24] >= 4).groupby(arms).mean().round(3).to_dict()
    assert rates == {
        "Placebo": 0.128, "Xanomeline High Dose": 0.095, "Xanomeline Low Dose": 0.155,
    }  # fmt: skip
    observed = read(PILOT, folder).assessments
    at_24 = observed[(observed["week"] == 24) & (observed["paramcd"] == "adas_cog")]
    assert len(at_24) == int(theirs["W24_DTYPE"].isna().sum()) == 155
