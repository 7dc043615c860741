"""Later visits as features, by hand: which visit stands for the week, and the change to it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.data.adam.read import read_adam
from glabella.data.adam.source import AdamFiles, AdamSource
from glabella.data.dictionary import Dictionary
from glabella.data.mapping.mapping import AssessmentsFile, ParticipantsFile, TrialSource, read_trial
from glabella.data.reading.files import read_table
from glabella.data.tables import PatientTables, find_visit_scores
from glabella.definitions.reader import Origin, parse_definition
from glabella.domain.visits import Window
from glabella.errors import AnalysisError, DefinitionError
from glabella.features.assemble import (
    build_features,
    build_patient_features,
    describe_features,
    note_conversions,
)
from glabella.features.feature_set import FeatureSet

DICTIONARY = parse_definition(
    """
kind: dictionary
description: x
variables:
  total: {label: Total, type: score, scale: by_trial, timing: visit}
  madrs: {label: MADRS total, type: score, scale: madrs, timing: visit}
  frown: {label: Frown, type: ordinal, range: [0, 3], codes: {"2": some}, timing: visit}
  weight: {label: Weight, type: number, unit: kg, range: [0, 300], timing: visit}
  adas_cog: {label: ADAS-Cog, type: score, scale: adas_cog11, timing: visit}
""",
    Dictionary,
    name="features/dictionary.yaml",
).value
WRITTEN = Origin("pipelines/own.yaml", "", {})
# Week 2 within 1 to 3. The baseline is 40, or 30 where there is none at week 0 but one before.
VISITS = {
    "exact": ([0, 1, 2, 3], [40, 1, 25, 3], 25),
    "tie": ([0, 1.5, 2.5], [40, 20, 10], 20),
    "tie_in_days": ([0, 13 / 7, 15 / 7], [40, 20, 10], 20),
    "nearer_but_later": ([0, 1, 2.9], [40, 20, 10], 10),
    "ends_included": ([0, 3], [40, 12], 12),
    "just_outside": ([0, 0.99, 3.01], [40, 20, 10], None),
    "no_visit": ([0, 6], [40, 10], None),
    "no_baseline": ([2, 6], [20, 10], 20),
    "screened": ([-1, 2], [30, 33], 33),
    "zero": ([0, 2], [0, 6], 6),
}
BASELINES = dict.fromkeys(VISITS, 40.0) | {"no_baseline": np.nan, "screened": 30, "zero": 0}


def make_set(*rows: str) -> FeatureSet:
    text = "kind: feature_set\ndescription: x\nfeatures:\n" + "".join(f"  - {r}\n" for r in rows)
    return parse_definition(text, FeatureSet, name="f.yaml").value


def make_early(of: str, expressed: str = "") -> FeatureSet:
    tail = f", of: {of}, week: 2, window: [1, 3]{expressed}}}"
    return make_set(
        "{name: early, builder: visit_score" + tail,
        "{name: fall, builder: change_from_baseline" + tail,
    )


EARLY = make_early("madrs")


def make_tables(variable: str = "madrs", scale: str | None = None) -> PatientTables:
    people = pd.DataFrame({"studyid": "t", "usubjid": list(VISITS)})
    if scale is not None:
        people["scale"] = scale
    rows = [
        ("t", name, variable, float(week), float(value))
        for name, (weeks, values, _) in VISITS.items()
        for week, value in zip(weeks, values, strict=True)
    ]
    columns = ["studyid", "usubjid", "paramcd", "week", "aval"]
    return PatientTables(people, pd.DataFrame(rows, columns=columns), "real")


def build(feature_set: FeatureSet, tables: PatientTables) -> pd.DataFrame:
    frame = build_patient_features(tables, feature_set, DICTIONARY)
    return frame.set_axis(pd.Index(tables.participants["usubjid"].astype(str)))


def expect() -> pd.DataFrame:
    later = pd.Series({name: chosen for name, (_, _, chosen) in VISITS.items()}, dtype=float)
    frame = pd.DataFrame({"early": later, "fall": later - pd.Series(BASELINES)})
    return frame.set_axis(pd.Index(pd.Series(list(VISITS), name="usubjid").astype(str)))


def test_the_visit_nearest_to_the_week_is_taken_and_the_baseline_subtracted() -> None:
    frame = build(EARLY, make_tables())
    assert frame.loc["tie_in_days", "fall"] == -20
    assert frame.loc["screened", "fall"] == 3
    assert np.isnan(frame.loc["no_baseline", "fall"])
    pd.testing.assert_frame_equal(frame, expect())


def test_without_a_window_only_the_week_itself_stands_for_it() -> None:
    row = "{name: early, builder: visit_score, of: madrs, week: 1.5}"
    found = build(make_set(row), make_tables())["early"].dropna()
    assert found.to_dict() == {"tie": 20}


def test_percent_change_is_of_the_baseline_and_missing_where_that_is_zero() -> None:
    fall = build(
        make_set(
            "{name: fall, builder: change_from_baseline, of: madrs, week: 2, window: [1, 3], "
            "as: percent_change}"
        ),
        make_tables(),
    )["fall"]
    assert fall["exact"] == -37.5
    assert fall["screened"] == 10
    assert fall[["zero", "no_baseline", "no_visit"]].isna().all()


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


def test_a_later_score_can_be_in_bands_or_on_another_scale_and_its_source_is_noted() -> None:
    tables = make_tables("total", scale="hamd17")
    for expressed, value in (("severity_band", 3.0), ("madrs", 27.0)):
        feature_set = make_set(
            "{name: early, builder: visit_score, of: total, week: 2, window: [1, 3], "
            f"as: {expressed}}}"
        )
        assert build(feature_set, tables).loc["tie", "early"] == pytest.approx(value, abs=1)
        notes = note_conversions(tables, feature_set, DICTIONARY)
        assert len(notes) == 1
    assert " of 8 totals have no plausible entry" in notes[0].finding
    assert note_conversions(tables, make_early("total"), DICTIONARY) == ()


def test_a_change_of_grades_is_a_number_and_has_no_percent() -> None:
    early, fall = describe_features(make_early("frown"), DICTIONARY, endpoint_variable="frown")
    assert (early.kind, early.label) == ("ordinal", "Frown at week 2")
    assert (fall.kind, fall.label) == ("number", "Frown, change from baseline to week 2")
    assert (early.describe_value(2.0), fall.describe_value(2.0)) == ("some", "2")
    row = "{name: fall, builder: change_from_baseline, of: frown, week: 2, as: percent_change}"
    with pytest.raises(DefinitionError, match="of grades, of which a percent means nothing"):
        describe_features(make_set(row), DICTIONARY, endpoint_variable="frown")


@pytest.mark.parametrize(
    ("of", "expressed", "words"),
    [
        ("madrs", "points", "-3 points"),
        ("madrs", "percent_change", "-3 % of the baseline"),
        ("madrs", "percent_of_range", "-3 % of the scale's range"),
        ("weight", "points", "-3 kg"),
        ("weight", "percent_change", "-3 % of the baseline"),
    ],
)
def test_a_change_is_said_in_its_unit(of: str, expressed: str, words: str) -> None:
    row = f"{{name: fall, builder: change_from_baseline, of: {of}, week: 2, as: {expressed}}}"
    spec = describe_features(make_set(row), DICTIONARY, endpoint_variable=of)[0]
    assert (spec.describe_value(-3.0), spec.is_severity) == (words, False)


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
