"""Table 1, by hand."""

import numpy as np
import pandas as pd

from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.reporting.table_one import OVERALL, make_table_one

SPECS = (
    FeatureSpec("age", "Age", "number", unit="years"),
    FeatureSpec("sex", "Sex", "category", levels={"F": "female", "M": "male"}),
    FeatureSpec("grade", "Grade", "ordinal", levels={"0": "none", "1": "mild"}),
    FeatureSpec("arm", "Arm", "category", part="arm", levels={"a": "A"}),
)
FRAME = pd.DataFrame(
    {
        "age": [20.0, 40.0, 30.0, np.nan],
        "sex": pd.Categorical(["F", "M", "F", "F"], ["F", "M"]),
        "grade": [0.0, 1.0, 1.0, 1.0],
        "arm": ["a"] * 4,
    },
    index=[5, 6, 7, 8],
)


def test_each_kind_of_feature_is_described_by_group_and_overall() -> None:
    table = make_table_one(FeatureTable(FRAME, SPECS), pd.Series(["x", "x", "y", "y"]))
    rows = {(row["feature"], row["statistic"]): row for row in table.to_dict("records")}
    assert set(table["feature"]) == {"Participants", "Age (years)", "Sex", "Grade"}
    assert rows["Participants", "n"]["x"] == "2"
    assert rows["Participants", "n"][OVERALL] == "4"
    assert rows["Age (years)", "mean (SD)"]["x"] == "30.0 (14.1)"
    assert rows["Age (years)", "mean (SD)"]["y"] == "–"
    assert rows["Age (years)", "mean (SD)"][OVERALL] == "30.0 (10.0)"
    assert rows["Age (years)", "missing, n"]["y"] == "1"
    assert rows["Sex", "female, n (%)"][OVERALL] == "3 (75)"
    assert rows["Grade", "mild, n (%)"]["x"] == "1 (50)"
    assert ("Sex", "missing, n") not in rows
