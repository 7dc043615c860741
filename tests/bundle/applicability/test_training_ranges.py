"""The range of each feature contains every participant and is no participant's value."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from glabella.bundle.applicability.training_ranges import describe_ranges
from glabella.features.spec import FeatureSpec, FeatureTable

NUMBER = FeatureSpec("x", "X", "number")


def _describe(values):
    return describe_ranges(FeatureTable(pd.DataFrame({"x": values}), (NUMBER,)))["x"]


@given(
    st.lists(
        st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda x: round(x, 3)),
        min_size=2,
        max_size=20,
    )
)
def test_every_participant_lies_within_and_the_range_is_little_wider(values):
    found = _describe(values)
    low, high = min(values), max(values)
    assert found.low <= low <= high <= found.high
    assert found.high - found.low <= 1.35 * (high - low) + 1e-9


def test_the_ends_are_round_numbers():
    found = _describe([18.37, 44.0, 63.91])
    assert (found.low, found.high) == (15.0, 65.0)


def test_a_feature_without_any_value_has_no_range():
    found = _describe([np.nan, np.nan])
    assert (found.low, found.high) == (None, None)


def test_the_grades_of_an_ordinal_are_not_rounded():
    table = FeatureTable(pd.DataFrame({"x": [1.0, 3.0]}), (FeatureSpec("x", "X", "ordinal"),))
    assert (describe_ranges(table)["x"].low, describe_ranges(table)["x"].high) == (1.0, 3.0)


def test_a_category_has_the_levels_that_occurred_and_the_arm_has_no_range():
    specs = (
        FeatureSpec("s", "S", "category", levels={"A": "a", "B": "b", "C": "c"}),
        FeatureSpec("arm", "Arm", "category", part="arm", levels={"A": "a"}),
    )
    frame = pd.DataFrame({"s": pd.Categorical(["C", None, "A"]), "arm": pd.Categorical(["A"] * 3)})
    found = describe_ranges(FeatureTable(frame, specs))
    assert list(found) == ["s"]
    assert found["s"].levels == ("A", "C")
