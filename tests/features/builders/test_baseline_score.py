"""The baseline is the last value at or before week 0."""

import numpy as np
import pytest

from glabella.features.assemble import describe_features

from .conftest import BASELINES, DICTIONARY, build, make_set, make_tables

ROW = "{name: severity, builder: baseline_score, of: madrs}"


def test_the_baseline_is_the_last_value_by_week_0_and_no_later_one() -> None:
    found = build(make_set(ROW), make_tables())["severity"]
    assert found["screened"] == 30
    assert np.isnan(found["no_baseline"])
    np.testing.assert_array_equal(found, list(BASELINES.values()))


def test_of_two_values_before_the_injection_the_later_one_is_taken() -> None:
    tables = make_tables()
    rows = tables.assessments
    exact = rows["usubjid"] == "exact"
    rows.loc[exact, "week"] = [-2.0, -1.0, 2.0, 3.0]
    assert build(make_set(ROW), tables).loc["exact", "severity"] == 1


def test_a_baseline_in_percent_is_of_the_scales_range() -> None:
    row = ROW.replace("madrs}", "madrs, as: percent_of_range}")
    found = build(make_set(row), make_tables())["severity"]
    assert found["exact"] == pytest.approx(100 * 40 / 60, rel=1e-12)


def test_the_label_says_that_it_is_the_baseline() -> None:
    (spec,) = describe_features(make_set(ROW), DICTIONARY, endpoint_variable="madrs")
    assert (spec.label, spec.kind, spec.is_severity) == ("MADRS total at baseline", "number", True)
