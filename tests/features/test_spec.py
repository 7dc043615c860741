import math

import numpy as np
import pandas as pd
import pytest

from glabella.features.spec import FeatureSpec, FeatureTable

GRADE = FeatureSpec("g", "Grade", "ordinal", levels={"0": "none", "2": "moderate"})


@pytest.mark.parametrize(
    ("spec", "value", "words"),
    [
        (FeatureSpec("age", "Age", "number", unit="years"), 48.25, "48.25 years"),
        (FeatureSpec("x", "X", "number"), 0.123456, "0.1235"),
        (FeatureSpec("x", "X", "number"), np.float64(3), "3"),
        (GRADE, 2.0, "moderate"),
        (GRADE, 0.0, "none"),
        (GRADE, 1.0, "1"),
        (FeatureSpec("s", "Sex", "category", levels={"F": "female"}), "F", "female"),
        (FeatureSpec("s", "Sex", "category", levels={"F": "female"}), "X", "X"),
        (GRADE, math.nan, "not recorded"),
        (GRADE, None, "not recorded"),
        (FeatureSpec("s", "Sex", "category"), pd.NA, "not recorded"),
    ],
)
def test_a_value_is_said_in_the_dictionarys_words(
    spec: FeatureSpec, value: object, words: str
) -> None:
    assert spec.describe_value(value) == words


def test_a_dose_of_ten_thousand_units_is_not_said_in_powers_of_ten() -> None:
    words = FeatureSpec("dose", "Dose", "number", unit="units").describe_value(10000.0)
    assert words in ("10000 units", "10,000 units")


def test_rows_are_taken_by_position_in_the_order_asked_for() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=[9, 8, 7])
    table = FeatureTable(frame, (FeatureSpec("x", "X", "number"),))
    assert table.take(np.array([2, 0])).get_numbers("x").tolist() == [3.0, 1.0]
