"""Features read out of a table: the same values, however rows are taken or exchanged."""

import numpy as np
import pandas as pd
import pytest

from glabella.features.feature_columns import FeatureColumns
from glabella.features.spec import FeatureSpec, FeatureTable

SPECS = (
    FeatureSpec("age", "Age", "number"),
    FeatureSpec("grade", "Grade", "ordinal"),
    FeatureSpec("sex", "Sex", "category", levels={"F": "female", "M": "male"}),
    FeatureSpec("severity", "Severity", "number", is_severity=True),
    FeatureSpec("arm", "Arm", "category", part="arm", levels={"a": "A", "c": "C"}),
)


@pytest.fixture
def table():
    frame = pd.DataFrame(
        {
            "age": [40.0, np.nan, 60.0, 20.0],
            "grade": [1.0, 2.0, 0.0, 2.0],
            "sex": pd.Categorical(["F", None, "M", "F"], categories=["F", "M", "X"]),
            "severity": [20.0, 22.0, 24.0, 26.0],
            "arm": pd.Categorical(["a", "c", "a", "c"], categories=["a", "c"]),
        },
        index=[7, 7, 3, 1],
    )
    return FeatureTable(frame, SPECS)


def test_values_are_those_of_the_table(table):
    columns = table.columns
    assert len(columns) == 4
    np.testing.assert_array_equal(columns.get_numbers("age"), table.frame["age"])
    assert columns.get_labels("sex").tolist() == ["F", "nan", "M", "F"]
    assert columns.get_labels("grade").tolist() == ["1.0", "2.0", "0.0", "2.0"]
    sex = columns.get_category("sex")
    assert sex.count_levels() == {"F": 2, "M": 1}
    np.testing.assert_array_equal(sex.has_level("M"), [0.0, np.nan, 1.0, 0.0])
    np.testing.assert_array_equal(sex.has_level("unheard of"), [0.0, np.nan, 0.0, 0.0])
    np.testing.assert_array_equal(sex.look_up({"M": 5.0}), [np.nan, np.nan, 5.0, np.nan])


def test_text_that_is_no_category_yet_is_read_as_one():
    frame = pd.DataFrame({"sex": ["M", "F", None]})
    columns = FeatureColumns.read(frame, SPECS[2:3])
    np.testing.assert_array_equal(columns.get_category("sex").has_level("M"), [1.0, 0.0, np.nan])


def test_rows_are_taken_in_the_order_asked_for_and_as_often(table):
    taken = table.take(np.array([3, 0, 0]))
    assert taken.get_numbers("age").tolist() == [20.0, 40.0, 40.0]
    assert taken.get_labels("arm").tolist() == ["c", "a", "a"]


@pytest.mark.parametrize("names", [["age", "sex"], ["severity"], [spec.name for spec in SPECS]])
def test_exchanged_columns_are_those_of_the_exchanged_table(table, names):
    order = np.array([2, 0, 3, 1])
    moved = table.exchange(names, order)
    read_again = FeatureColumns.read(moved.frame, SPECS)
    for spec in SPECS:
        wanted = table.columns.get_labels(spec.name)
        wanted = wanted[order] if spec.name in names else wanted
        assert moved.columns.get_labels(spec.name).tolist() == wanted.tolist()
        assert read_again.get_labels(spec.name).tolist() == wanted.tolist()
    assert table.columns.get_numbers("age")[0] == 40.0


def test_the_first_infinite_feature_is_named(table):
    assert table.columns.find_infinite() is None
    frame = table.frame.assign(grade=[1.0, -np.inf, 0.0, 1.0], severity=np.inf)
    assert FeatureColumns.read(frame, SPECS).find_infinite() == "grade"


def test_what_was_not_read_is_not_guessed(table):
    without = FeatureColumns.read(table.frame.drop(columns="arm"), SPECS)
    with pytest.raises(KeyError, match="arm"):
        without.get_category("arm")
    with pytest.raises(KeyError, match="age"):
        FeatureColumns.read(table.frame.drop(columns="age"), SPECS)


def test_what_outcomes_are_imputed_from_is_of_the_patient_and_without_severity(table):
    np.testing.assert_array_equal(
        table.covariates,
        [[40.0, 1.0, 0.0], [np.nan, 2.0, np.nan], [60.0, 0.0, 1.0], [20.0, 2.0, 0.0]],
    )
