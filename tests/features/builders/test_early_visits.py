"""Later visits as features, by hand: which visit stands for the week, and the change to it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.data.adam.read import read_adam
from glabella.data.adam.source import AdamFiles, AdamSource
from glabella.data.mapping.mapping import AssessmentsFile, ParticipantsFile, TrialSource, read_trial
from glabella.data.reading.files import read_table
from glabella.data.tables import PatientTables, find_visit_scores
from glabella.definitions.reader import Origin
from glabella.domain.visits import Window
from glabella.errors import AnalysisError
from glabella.features.assemble import (
    build_features,
)

from .conftest import (
    DICTIONARY,
    EARLY,
    VISITS,
    build,
    expect,
    make_early,
    make_set,
    make_tables,
)

WRITTEN = Origin("pipelines/own.yaml", "", {})


def test_the_visit_nearest_to_the_week_is_taken_and_the_baseline_subtracted() -> None:
    frame = build(EARLY, make_tables())
    assert frame.loc["tie_in_days", "fall"] == -20
    assert frame.loc["screened", "fall"] == 3
    assert np.isnan(frame.loc["no_baseline", "fall"])
    pd.testing.assert_frame_equal(frame, expect())


def test_percent_of_range_puts_scales_together_and_points_do_not() -> None:
    tables = make_tables("total")
    tables.participants["scale"] = ["hamd21", "madrs"] * 5
    frame = build(make_early("total", ", as: percent_of_range"), tables)
    # 25 of 64 and 20 of 60, from 40 of 64 and 40 of 60.
    np.testing.assert_allclose(frame.loc["exact"], [100 * 25 / 64, -100 * 15 / 64], rtol=1e-12)
    np.testing.assert_allclose(frame.loc["tie"], [100 * 20 / 60, -100 * 20 / 60], rtol=1e-12)
    for row, remedy in zip(
        make_early("total").features,
        (
            "Write `as: percent_of_range`, `as: severity_band` or another scale.",
            "Write `as: percent_change` or `as: percent_of_range`.",
        ),
        strict=True,
    ):
        only = make_early("total").model_copy(update={"features": (row,)})
        with pytest.raises(AnalysisError) as caught:
            build(only, tables)
        assert str(caught.value) == (
            f"feature '{row.name}' would mix the points of different scales\n  {remedy}"
        )
    relative = make_early("total", ", as: percent_change").features[1]
    only = make_early("total").model_copy(update={"features": (relative,)})
    assert build(only, tables).loc[["exact", "tie"], "fall"].tolist() == [-37.5, -50]


def test_points_of_one_scale_that_the_trial_names_are_kept() -> None:
    frame = build(make_early("total"), make_tables("total", scale="madrs"))
    pd.testing.assert_frame_equal(frame, expect())


def test_a_visit_that_nobody_has_is_refused_by_its_weeks() -> None:
    tables = make_tables()
    for builder, both in (("visit_score", ""), ("change_from_baseline", "both a baseline and ")):
        row = f"{{name: early, builder: {builder}, of: madrs, week: 4, window: [3.5, 5]}}"
        with pytest.raises(AnalysisError) as caught:
            build_features(tables, make_set(row), DICTIONARY, arms=(), endpoint_variable="madrs")
        assert str(caught.value) == (
            f"feature 'early': no participant has {both}a visit of 'madrs' in weeks 3.5 to 5\n"
            "  Map the visit, change `week` and `window`, or leave the feature out."
        )


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(-7, 40), st.integers(0, 60)),
        max_size=20,
        unique_by=lambda row: row[:2],
    ),
    st.sampled_from([Window(2, 1, 3), Window(2, 2, 2), Window(3, 0.5, 3), Window(20 / 7, 2, 4)]),
)
def test_the_visit_is_the_one_that_the_window_chooses(
    rows: list[tuple[int, int, int]], window: Window
) -> None:
    people = pd.DataFrame({"studyid": "t", "usubjid": [str(number) for number in range(4)]})
    columns = ["usubjid", "week", "aval"]
    visits = pd.DataFrame([(str(a), b / 7, float(c)) for a, b, c in rows], columns=columns)
    visits = visits.assign(studyid="t", paramcd="x")
    found = find_visit_scores(PatientTables(people, visits, "real"), "x", window)
    for person, value in zip(people["usubjid"], found, strict=True):
        own = visits[visits["usubjid"] == person].reset_index(drop=True)
        chosen = window.choose(own["week"].tolist())
        assert np.isnan(value) if chosen is None else value == own.loc[chosen, "aval"]


def write_people(folder: Path) -> None:
    pd.DataFrame({"id": list(VISITS)}).to_csv(folder / "people.csv", index=False)


def read_wide_or_long(folder: Path, assessments: AssessmentsFile) -> PatientTables:
    source = TrialSource(
        name="t",
        participants=ParticipantsFile(file="people.csv", id="id"),
        assessments=(assessments,),
    )
    return read_trial(source, folder, DICTIONARY, origin="real", written=WRITTEN, keys=())


def test_a_long_file_gives_the_features_by_hand(tmp_path: Path) -> None:
    write_people(tmp_path)
    rows = make_tables().assessments
    rows.rename(columns={"usubjid": "id"}).to_csv(tmp_path / "visits.csv", index=False)
    file = AssessmentsFile(file="visits.csv", id="id", variable="madrs", week="week", value="aval")
    pd.testing.assert_frame_equal(build(EARLY, read_wide_or_long(tmp_path, file)), expect())


def test_a_wide_file_gives_the_features_by_hand(tmp_path: Path) -> None:
    write_people(tmp_path)
    rows = make_tables().assessments
    wide = rows.pivot(index="usubjid", columns="week", values="aval")
    columns = {f"v{number}": week for number, week in enumerate(wide.columns)}
    wide.set_axis(list(columns), axis=1).rename_axis("id").to_csv(tmp_path / "wide.csv")
    file = AssessmentsFile(file="wide.csv", id="id", variable="madrs", weeks=columns)
    pd.testing.assert_frame_equal(build(EARLY, read_wide_or_long(tmp_path, file)), expect())


def test_an_adam_dataset_gives_the_features_by_hand(tmp_path: Path) -> None:
    adsl = pd.DataFrame({"STUDYID": "t", "USUBJID": list(VISITS), "TRT01P": "x", "ITTFL": "Y"})
    adsl.to_csv(tmp_path / "adsl.csv", index=False)
    rows = make_tables().assessments
    last = rows[rows["week"] <= 0].groupby("usubjid")["week"].transform("max")
    bds = pd.DataFrame(
        {
            "STUDYID": "t",
            "USUBJID": rows["usubjid"],
            "PARAMCD": "MADRS",
            "AVISIT": np.where(rows["week"] <= 0, "Baseline", [f"Week {w}" for w in rows["week"]]),
            "AWTARGET": rows["week"] * 7,
            "AWU": "DAYS",
            "AVAL": rows["aval"],
            "ABLFL": np.where(rows["week"] == last.reindex(rows.index), "Y", ""),
        }
    )
    bds.to_csv(tmp_path / "bds.csv", index=False)
    source = AdamSource(
        name="own",
        adam=AdamFiles(adsl="adsl.csv", bds=("bds.csv",)),
        parameters={"madrs": "MADRS"},
    )
    tables = read_adam(source, tmp_path, DICTIONARY, origin="real", written=WRITTEN, keys=())
    frame = build(EARLY, tables)
    pd.testing.assert_frame_equal(frame, expect().loc[frame.index])


def test_the_change_is_the_chg_and_pchg_that_a_sponsor_derived(tables: Path) -> None:
    folder = tables / "cdisc_pilot"
    source = AdamSource(
        name="pilot",
        adam=AdamFiles(adsl="adsl.xpt", bds=("adadas.xpt",)),
        parameters={"adas_cog": "ACTOT"},
    )
    found = read_adam(source, folder, DICTIONARY, origin="real", written=WRITTEN, keys=())
    theirs = read_table(folder / "adadas.xpt").frame
    theirs = theirs[
        (theirs["PARAMCD"] == "ACTOT")
        & (theirs["AVISIT"].str.strip() == "Week 8")
        & (theirs["DTYPE"].fillna("") == "")
        & (theirs["ANL01FL"] == "Y")
    ].set_index("USUBJID")
    tail = "builder: change_from_baseline, of: adas_cog, week: 8"
    rows = (f"{{name: chg, {tail}}}", f"{{name: pchg, {tail}, as: percent_change}}")
    ours = build(make_set(*rows), found)
    assert ours["chg"].notna().sum() == len(theirs) == 235
    np.testing.assert_array_equal(ours.loc[theirs.index, "chg"], theirs["CHG"])
    np.testing.assert_allclose(ours.loc[theirs.index, "pchg"], theirs["PCHG"], atol=1e-9)
