"""Outcomes of real trials: the derived columns of their datasheets, and every strategy."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glabella
from glabella.analysis.loaded.load import load_analysis
from glabella.definitions.locate import find_project
from glabella.errors import AnalysisError

MONTH_8 = {
    "participants.csv": "data.csv",
    "id: rownames": "id: subject",
    "episode_length: length": "episode_length: {column: length, codes: {<6m: <6m, '>6m': '>6m'}}",
    "bdi.pre: 0, bdi.2m: 8.7, bdi.4m: 17.4, bdi.6m: 26.1, bdi.8m: 34.8": (
        "bdi_pre: 0, bdi_2m: 8.7, bdi_4m: 17.4, bdi_6m: 26.1, bdi_8m: 34.8"
    ),
}


@pytest.fixture
def project(checkout, tmp_path):
    folder = tmp_path / "project"
    for name in ("features", "models", "pipelines"):
        shutil.copytree(checkout / name, folder / name)
    return folder


def rewrite(project: Path, analysis: str, changes: dict[str, str]) -> None:
    path = project / "pipelines" / f"{analysis}.yaml"
    text = path.read_text()
    for old, new in changes.items():
        text = text.replace(old, new)
    path.write_text(text)


@pytest.fixture
def month_8(project):
    rewrite(project, "beat_the_blues_month_8", MONTH_8)
    return project


def test_the_last_observation_of_beating_the_blues_is_that_of_its_own_column(tables, month_8):
    folder = tables / "beat_the_blues"
    loaded = load_analysis("beat_the_blues_month_8", find_project(month_8), data=folder)
    given = pd.read_csv(folder / "data.csv")
    frame = loaded.alternatives["last_observation"].frame
    np.testing.assert_array_equal(frame["responded"], given["response_last"])
    np.testing.assert_array_equal(frame["score"], given["bdi_last"])
    assert (frame["basis"] == "observed").sum() == given["bdi_8m"].notna().sum() == 52


def test_all_strategies_stand_side_by_side_for_beating_the_blues(tables, month_8):
    result = glabella.check(
        "beat_the_blues_month_8", project=month_8, data=tables / "beat_the_blues"
    )
    counts = result.strategies.groupby("definition", sort=False)[["n", "responders"]].sum()
    # From the table itself: 52 seen at month 8, 31 of them at half their baseline or below; 97 seen
    # at all, 41 at their last visit.
    assert counts.loc["observed_only"].tolist() == [52, 31]
    assert counts.loc["non_responder"].tolist() == [100, 31]
    assert counts.loc["last_observation"].tolist() == [97, 41]
    imputed = counts.loc["as analysed", "responders"]
    tipping = [counts.loc[f"delta +{shift} points", "responders"] for shift in (3, 6, 9)]
    assert 31 < tipping[2] < tipping[1] < tipping[0] < imputed < 100 * 31 / 52
    dropped = result.followed[result.followed["week"] == 34.8]
    assert 1 - dropped["followed"].sum() / dropped["of"].sum() == pytest.approx(0.48)


@pytest.mark.parametrize(
    ("name", "week", "n", "responders"), [("week 2", 2, 103, 44), ("week 8", 8, 104, 31)]
)
def test_cervical_dystonia_responds_at_other_weeks_as_its_table_says(
    tables, checkout, name, week, n, responders
):
    folder = tables / "cdystonia_bont"
    loaded = load_analysis("cdystonia", find_project(checkout), data=folder)
    given = pd.read_csv(folder / "data.csv")
    later = given[f"twstrs_w{week}"]
    # A fifth of a whole number in fifths, so that no rounding decides.
    wanted = (5 * later <= 4 * given["twstrs_w0"]).astype(float).where(later.notna())
    np.testing.assert_array_equal(loaded.alternatives[name].frame["responded"], wanted)
    assert (wanted.notna().sum(), wanted.sum()) == (n, responders)


def test_a_sustained_response_in_cervical_dystonia_is_one_at_both_weeks(tables, checkout):
    folder = tables / "cdystonia_bont"
    loaded = load_analysis("cdystonia", find_project(checkout), data=folder)
    given = pd.read_csv(folder / "data.csv")
    met = [
        (5 * given[f"twstrs_w{week}"] <= 4 * given["twstrs_w0"])
        .astype(float)
        .where(given[f"twstrs_w{week}"].notna())
        for week in (4, 8)
    ]
    wanted = (met[0] * met[1]).where(~((met[0] == 0) | (met[1] == 0)), 0.0)
    found = loaded.alternatives["sustained through week 8"].frame["responded"]
    np.testing.assert_array_equal(found, wanted)
    assert wanted.sum() < met[0].sum()


# Totals with a missing item are prorated, so that any fall may be one of a fraction of a point.
@pytest.mark.parametrize(("column", "points"), [("RESP4_W24", 4), ("IMPROVED_W24", 0.01)])
def test_responses_of_the_pilot_study_are_those_of_its_derived_table(
    tables, project, column, points
):
    rewrite(
        project,
        "cdisc_pilot",
        {
            "      site: SITEGR1": "      site: SITEGR1\n      imputed: keep",
            "points: 1\n": f"points: {points}\n",
            "  - last_observation\n  - multiple_imputation\n": "",
            "  - {missing: {strategy: delta, points: 2}}\n": "",
            "  - {name: fall of 4 points, points: 4}\n": "",
        },
    )
    folder = tables / "cdisc_pilot"
    loaded = load_analysis("cdisc_pilot", find_project(project), data=folder)
    given = pd.read_csv(folder / "data.csv").set_index("USUBJID")[column]
    found = loaded.outcomes.frame["responded"].set_axis(loaded.tables.participants["usubjid"])
    np.testing.assert_array_equal(found, given.reindex(found.index))
    [warning] = [
        item for item in loaded.tables.findings if "imputed by the sponsor" in item.finding
    ]
    assert warning.finding.startswith("99 of the scores at the endpoint were imputed")


@pytest.mark.parametrize("strategy", ["last_observation", "multiple_imputation"])
def test_what_the_sponsor_carried_forward_is_not_imputed_again(tables, project, strategy):
    rewrite(
        project,
        "cdisc_pilot",
        {
            "      site: SITEGR1": "      site: SITEGR1\n      imputed: keep",
            "missing: observed_only": f"missing: {strategy}",
            f"  - {strategy}\n": "",
        },
    )
    with pytest.raises(AnalysisError) as caught:
        load_analysis("cdisc_pilot", find_project(project), data=tables / "cdisc_pilot")
    assert "would impute a second time" in str(caught.value)
    assert "Leave `imputed: keep` out" in str(caught.value)


def test_the_pilot_study_has_its_carried_forward_values_counted_and_left_out(tables, checkout):
    folder = tables / "cdisc_pilot"
    loaded = load_analysis("cdisc_pilot", find_project(checkout), data=folder)
    given = pd.read_csv(folder / "data.csv")
    carried = given["W24_DTYPE"] == "LOCF"
    assert carried.sum() == 99
    assert loaded.outcomes.left_out == {"no score in the endpoint's window": 99}
    frame = loaded.alternatives["last_observation"].frame
    assert (frame["basis"] == "carried_forward").sum() + (frame["basis"] == "no_score").sum() == 99
