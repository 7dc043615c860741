"""The table that models see: typed, described, and blind to whatever comes after week 0."""

from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.data.dictionary import Dictionary
from glabella.data.tables import PatientTables
from glabella.definitions.reader import parse_definition
from glabella.errors import AnalysisError, DefinitionError
from glabella.features.arms import Arm
from glabella.features.assemble import build_features, build_patient_features
from glabella.features.feature_set import FeatureSet
from glabella.features.spec import FeatureTable

DICTIONARY = parse_definition(
    """
kind: dictionary
description: x
variables:
  age_years: {label: Age, type: number, unit: years, range: [18, 95]}
  sex: {label: Sex, type: category, codes: {F: female, M: male, X: other}}
  total: {label: Depression total, type: score, scale: by_trial, timing: visit}
  twstrs: {label: Torticollis, type: score, scale: twstrs, timing: visit}
  screened: {label: Total at screening, type: score, scale: by_trial, timing: baseline}
  frown_max:
    label: Frown
    type: ordinal
    range: [0, 3]
    codes: {"0": "none", "3": severe}
    timing: visit
""",
    Dictionary,
    name="features/dictionary.yaml",
).value

ARMS = (Arm(name="bont", label="BoNT/A", role="active"), Arm(name="control", role="control"))


def make_set(*rows: str) -> FeatureSet:
    text = "kind: feature_set\ndescription: x\nfeatures:\n" + "".join(f"  - {r}\n" for r in rows)
    return parse_definition(text, FeatureSet, name="f.yaml").value


CLINICAL = make_set(
    "{name: severity, label: Severity, builder: baseline_score, of: total, as: percent_of_range}",
    "{name: frown_max, builder: baseline_score}",
    "{name: age_years}",
    "{name: sex}",
)


def make_tables() -> PatientTables:
    """Two trials on two scales, two participants each, three visits."""
    people = pd.DataFrame(
        {
            "studyid": ["A", "A", "B", "B"],
            "usubjid": ["1", "2", "1", "2"],
            "arm": ["bont", "control", "bont", "control"],
            "scale": ["hamd17", "hamd17", "madrs", "madrs"],
            "age_years": [40.0, np.nan, 50.0, 60.0],
            "sex": ["F", "M", None, "F"],
            "screened": [20.0, 21.0, 22.0, 23.0],
        }
    )
    starts = {"total": [26.0, 13.0, 30.0, np.nan], "frown_max": [3.0, 2.0, np.nan, 0.0]}
    rows = [
        (*people.loc[i, ["studyid", "usubjid"]], name, week, value * keep)
        for name, values in starts.items()
        for i, value in enumerate(values)
        for week, keep in ((0.0, 1.0), (2.0, 0.5), (6.0, 0.0))
        if not np.isnan(value)
    ]
    columns = ["studyid", "usubjid", "paramcd", "week", "aval"]
    return PatientTables(people, pd.DataFrame(rows, columns=columns), "real")


def assemble(
    feature_set: FeatureSet = CLINICAL,
    tables: PatientTables | None = None,
    arms: tuple[Arm, ...] = ARMS,
) -> FeatureTable:
    return build_features(
        tables or make_tables(), feature_set, DICTIONARY, arms=arms, endpoint_variable="total"
    )


def test_the_table_by_hand() -> None:
    table = assemble()
    assert table.frame.columns.tolist() == [spec.name for spec in table.specs]
    expected = pd.DataFrame(
        {
            "severity": [50.0, 25.0, 50.0, np.nan],
            "frown_max": [3.0, 2.0, np.nan, 0.0],
            "age_years": [40.0, np.nan, 50.0, 60.0],
            "sex": pd.Categorical(["F", "M", None, "F"], categories=["F", "M", "X"]),
            "arm": pd.Categorical(["bont", "control"] * 2, categories=["bont", "control"]),
            "studyid": pd.Categorical(["A", "A", "B", "B"], categories=["A", "B"]),
        }
    )
    # Names are held as objects, which a fit finds faster than Arrow's strings.
    assert table.frame.columns.dtype == object
    plain = table.frame.set_axis(expected.columns, axis=1)
    pd.testing.assert_frame_equal(plain, expected, check_categorical=False)


def test_each_column_is_described() -> None:
    by_name = {spec.name: spec for spec in assemble().specs}
    severity, frown, sex = by_name["severity"], by_name["frown_max"], by_name["sex"]
    assert (severity.label, severity.kind, severity.unit) == (
        "Severity",
        "number",
        "% of the scale's range",
    )
    assert (frown.label, frown.kind) == ("Frown at baseline", "ordinal")
    assert frown.levels == {"0": "none", "3": "severe"}
    assert (sex.label, sex.kind) == ("Sex", "category")
    assert sex.levels == {"F": "female", "M": "male", "X": "other"}
    assert by_name["age_years"].unit == "years"
    assert by_name["arm"].levels == {"bont": "BoNT/A", "control": "control"}
    assert {spec.name: spec.part for spec in by_name.values()} == {
        "severity": "patient",
        "frown_max": "patient",
        "age_years": "patient",
        "sex": "patient",
        "arm": "arm",
        "studyid": "trial",
    }


def test_only_the_endpoints_own_variable_at_baseline_is_the_severity() -> None:
    assert [spec.name for spec in assemble().specs if spec.is_severity] == ["severity"]


def test_without_arms_there_is_no_column_of_arms() -> None:
    assert [spec.part for spec in assemble(arms=()).specs] == ["patient"] * 4 + ["trial"]


def test_points_of_one_scale_are_kept_as_they_are() -> None:
    tables = make_tables()
    tables.participants["scale"] = "madrs"
    frame = assemble(make_set("{name: total, builder: baseline_score}"), tables).frame
    np.testing.assert_equal(frame["total"].to_numpy(), [26.0, 13.0, 30.0, np.nan])


@pytest.mark.parametrize(
    "row", ["{name: total, builder: baseline_score}", "{name: screened}"], ids=["visit", "value"]
)
def test_points_of_different_scales_are_never_mixed(row: str) -> None:
    with pytest.raises(AnalysisError) as caught:
        assemble(make_set(row))
    name = row.split()[1].strip(",}")
    assert str(caught.value) == (
        f"feature '{name}' would mix the points of different scales\n"
        "  Write `as: percent_of_range`, `as: severity_band` or another scale."
    )


@pytest.mark.parametrize("as_percent", [True, False])
def test_a_score_known_at_baseline_is_expressed_as_stated(as_percent: bool) -> None:
    tables = make_tables()
    tables.participants["scale"] = "madrs"
    expressed = "percent_of_range" if as_percent else "points"
    frame = assemble(make_set(f"{{name: screened, as: {expressed}}}"), tables).frame
    expected = np.array([20.0, 21.0, 22.0, 23.0]) * (100 / 60 if as_percent else 1)
    np.testing.assert_allclose(frame["screened"], expected, rtol=1e-12)


@pytest.mark.parametrize(
    "row",
    [
        "{name: age_years, as: percent_of_range}",
        "{name: sex, as: percent_of_range}",
        "{name: frown_max, builder: baseline_score, as: percent_of_range}",
    ],
)
def test_percent_of_range_of_what_is_no_score_is_refused_rather_than_ignored(row: str) -> None:
    with pytest.raises((AnalysisError, DefinitionError)):
        assemble(make_set(row))


def test_a_scale_of_the_variable_itself_needs_no_column() -> None:
    tables = make_tables()
    people = tables.participants.drop(columns="scale")
    rows = tables.assessments.assign(paramcd="twstrs")
    rows = rows[rows["week"] == 0].drop_duplicates(["studyid", "usubjid"])
    row = "{name: s, builder: baseline_score, of: twstrs, as: percent_of_range}"
    frame = assemble(make_set(row), PatientTables(people, rows, "real")).frame
    # The fourth has no total, and so their first row is the frown, 0.
    np.testing.assert_allclose(
        frame["s"], [100 * 26 / 85, 100 * 13 / 85, 100 * 30 / 85, 0.0], rtol=1e-12
    )


def test_a_score_by_trial_without_scales_is_refused() -> None:
    tables = make_tables()
    people = tables.participants.drop(columns="scale")
    with pytest.raises(DefinitionError, match="none is named"):
        assemble(CLINICAL, PatientTables(people, tables.assessments, "real"))


def test_a_feature_that_a_whole_trial_lacks_is_refused_by_name() -> None:
    tables = make_tables()
    tables.participants.loc[tables.participants["studyid"] == "B", "age_years"] = np.nan
    with pytest.raises(AnalysisError) as caught:
        assemble(CLINICAL, tables)
    assert str(caught.value) == (
        "no participant of trial 'B' has the feature 'age_years', and imputing it would only name "
        "the trial\n  Say what goes with `lacking:` under `data:` (`feature` or `trial`)."
    )


@pytest.mark.parametrize(("name", "paramcd"), [("severity", "total"), ("frown_max", "frown_max")])
def test_a_baseline_that_a_whole_trial_lacks_is_refused_by_name(name: str, paramcd: str) -> None:
    tables = make_tables()
    rows = tables.assessments
    lost = (rows["studyid"] == "A") & (rows["paramcd"] == paramcd) & (rows["week"] <= 0)
    with pytest.raises(
        AnalysisError, match=f"no participant of trial 'A' has the feature '{name}'"
    ):
        assemble(CLINICAL, PatientTables(tables.participants, rows[~lost], "real"))


def test_a_category_that_a_whole_trial_lacks_is_refused_by_name() -> None:
    tables = make_tables()
    tables.participants.loc[tables.participants["studyid"] == "A", "sex"] = None
    with pytest.raises(AnalysisError, match="no participant of trial 'A' has the feature 'sex'"):
        assemble(CLINICAL, tables)


def test_a_baseline_that_nobody_has_is_refused() -> None:
    tables = make_tables()
    rows = tables.assessments[tables.assessments["week"] > 0]
    with pytest.raises(AnalysisError) as caught:
        assemble(CLINICAL, PatientTables(tables.participants, rows, "real"))
    assert str(caught.value) == (
        "feature 'severity': no participant has a baseline of 'total'\n"
        "  Map a visit at week 0, or leave the feature out."
    )


def test_a_variable_that_no_source_maps_is_refused() -> None:
    tables = make_tables()
    people = tables.participants.drop(columns="age_years")
    with pytest.raises(AnalysisError) as caught:
        assemble(CLINICAL, PatientTables(people, tables.assessments, "real"))
    assert str(caught.value) == (
        "feature 'age_years': no column is mapped to 'age_years'\n"
        "  Map it under the participants' `variables:`, or leave the feature out."
    )


def test_arm_codes_are_checked_on_the_way() -> None:
    tables = make_tables()
    tables.participants.loc[0, "arm"] = "other"
    with pytest.raises(AnalysisError, match="that the analysis does not declare"):
        assemble(CLINICAL, tables)


def build(rows: pd.DataFrame) -> pd.DataFrame:
    return build_patient_features(
        PatientTables(make_tables().participants, rows, "real"), CLINICAL, DICTIONARY
    )


def test_deleting_every_assessment_after_week_0_changes_no_feature() -> None:
    rows = make_tables().assessments
    assert (rows["week"] > 0).any()
    pd.testing.assert_frame_equal(build(rows[rows["week"] <= 0]), build(rows))


@given(st.randoms(use_true_random=False), st.integers(0, 3))
def test_permuting_or_inventing_assessments_after_week_0_changes_no_feature(
    random: Random, kind: int
) -> None:
    rows = make_tables().assessments
    late = rows["week"] > 0
    changed = rows.copy()
    values = rows.loc[late, "aval"].tolist()
    if kind == 0:
        random.shuffle(values)
        changed.loc[late, "aval"] = values
    elif kind == 1:
        changed.loc[late, "aval"] = [random.uniform(-1e6, 1e6) for _ in values]
    elif kind == 2:
        changed.loc[late, "week"] = [random.uniform(1e-6, 500) for _ in values]
    else:
        order = list(range(len(rows)))
        random.shuffle(order)
        changed = rows.iloc[order]
    pd.testing.assert_frame_equal(build(changed), build(rows))


def test_changing_an_assessment_at_week_0_does_change_a_feature() -> None:
    rows = make_tables().assessments
    changed = rows.copy()
    changed.loc[changed["week"] == 0, "aval"] += 1
    assert not build(changed)["severity"].equals(build(rows)["severity"])


def test_a_patient_has_the_same_features_alone_as_among_others() -> None:
    tables = make_tables()
    whole = build(tables.assessments)
    for i in range(tables.n):
        alone = PatientTables(tables.participants.iloc[[i]], tables.assessments, "real")
        if pd.isna(whole.loc[i, "severity"]) or pd.isna(whole.loc[i, "frown_max"]):
            continue
        pd.testing.assert_frame_equal(
            build_patient_features(alone, CLINICAL, DICTIONARY), whole.iloc[[i]]
        )
