"""Reasons in words: groups as one, missing values, and features not distinguished from noise."""

import numpy as np
import pandas as pd

from glabella.bundle.reasons import describe_reasons
from glabella.features.spec import FeatureSpec
from glabella.models.estimators.contributions import Contributions
from glabella.models.grouping import Grouping

SPECS = (
    FeatureSpec("total", "Total", "number", unit="points"),
    FeatureSpec("sex", "Sex", "category", levels={"F": "female", "M": "male"}),
    FeatureSpec("item", "Item", "ordinal", levels={"0": "none", "1": "mild"}),
    FeatureSpec("arm", "Arm", "category", part="arm", levels={"a": "A"}),
)
ROWS = pd.DataFrame(
    {
        "total": [30.0, 30.0, 12.0],
        "sex": pd.Categorical(["F", None, "M"], ["F", "M"]),
        "item": [1.0, np.nan, 0.0],
        "arm": pd.Categorical(["a"] * 3, ["a"]),
    }
)
VALUES = np.array([[0.4, -0.5, 0.3, 2.0], [0.1, 0.9, 0.1, 2.0], [0.2, 0.0, -0.2, 2.0]])
FOUND = Contributions(("total", "sex", "item", "arm"), VALUES, np.zeros(3))
GROUPING = Grouping({"Depression": ("total", "item")})


def _tell(count=2, **more):
    return [each.to_pylist() for each in describe_reasons(FOUND, ROWS, SPECS, count, **more)]


def test_a_group_is_summed_and_named_with_the_values_of_its_features():
    first, second = _tell(grouping=GROUPING)
    assert first[0] == "Depression (Total: 30 points; Item: mild) raises the odds (x 2.01)"
    assert second[1] == "Depression (Total: 30 points; Item: not recorded) raises the odds (x 1.22)"
    # Its features cancel each other, so that it adds nothing.
    assert first[2] == second[2] == ""


def test_what_is_not_told_from_noise_is_said_so_and_nothing_else_is():
    first, second = _tell(beyond_noise={"sex": False, "total": True, "item": None})
    assert first[0] == "Sex: female lowers the odds (x 0.61) (not distinguished from noise)"
    assert second[0] == "Total: 30 points raises the odds (x 1.49)"


def test_a_missing_value_is_said_to_be_filled_in_only_where_the_model_does_so():
    assert _tell()[0][1] == "Sex: not recorded raises the odds (x 2.46)"
    filled = _tell(fills_missing=True)[0][1]
    assert filled == "Sex: not recorded, filled in as in training raises the odds (x 2.46)"


def test_a_rows_reasons_do_not_depend_on_the_rows_beside_it():
    whole = _tell(3, grouping=GROUPING, beyond_noise={"sex": False})
    for row in range(3):
        alone = describe_reasons(
            Contributions(FOUND.features, VALUES[[row]], np.zeros(1)),
            ROWS.iloc[[row]].reset_index(drop=True), SPECS, 3,
            grouping=GROUPING, beyond_noise={"sex": False},
        )  # fmt: skip
        assert [each.to_pylist() for each in alone] == [[each[row]] for each in whole]
