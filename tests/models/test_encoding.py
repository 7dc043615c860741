"""The encoding equals scikit-learn's own steps, and survives what trials do to features."""

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.models.encoding import Encoding, fit_encoding

Sample = Callable[..., tuple[FeatureTable, np.ndarray]]

X = FeatureSpec("x", "X", "number")
SEX = FeatureSpec("s", "Sex", "category", levels={"F": "female", "M": "male"})
DRUG = FeatureSpec("d", "Drug", "category", levels={"a": "A", "b": "B", "c": "C"})


def make_categories(spec: FeatureSpec, *values: str | None) -> pd.DataFrame:
    return pd.DataFrame({spec.name: pd.Categorical(values, categories=list(spec.levels))})


def as_objects(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Categories as scikit-learn's imputer takes them."""
    return frame.assign(
        **{name: frame[name].astype(object).where(frame[name].notna(), np.nan) for name in names}
    )


@pytest.mark.parametrize("seed", range(8))
def test_filled_and_scaled_it_equals_scikit_learn(sample: Sample, seed: int) -> None:
    (train, _), (test, _) = sample(seed), sample(100 + seed, n=60)
    numbers = [spec.name for spec in train.specs if spec.kind != "category"]
    categories = [spec.name for spec in train.specs if spec.kind == "category"]
    reference = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            (
                "categories",
                make_pipeline(
                    SimpleImputer(strategy="most_frequent"),
                    OneHotEncoder(drop="if_binary", handle_unknown="ignore", sparse_output=False),
                    StandardScaler(with_std=False),
                ),
                categories,
            ),
        ]
    ).fit(as_objects(train.frame, categories))
    encoding = fit_encoding(train.frame, train.specs, fill_and_scale=True)
    for frame in (train.frame, test.frame):
        np.testing.assert_allclose(
            encoding.transform(frame),
            reference.transform(as_objects(frame, categories)),
            rtol=0,
            atol=1e-12,
        )


@pytest.mark.parametrize("seed", range(3))
def test_for_trees_values_stay_as_they_are_and_missing_ones_missing(
    sample: Sample, seed: int
) -> None:
    table, _ = sample(seed)
    encoding = fit_encoding(table.frame, table.specs, fill_and_scale=False)
    matrix = encoding.transform(table.frame)
    by_name = {(column.feature, column.level): i for i, column in enumerate(encoding.columns)}
    for name in ("severity", "age_years", "grade"):
        np.testing.assert_array_equal(matrix[:, by_name[name, None]], table.frame[name])
    expected = (table.frame["drug"] == "b").astype(float).where(table.frame["drug"].notna())
    np.testing.assert_array_equal(matrix[:, by_name["drug", "b"]], expected)


def test_two_levels_make_one_indicator_and_three_make_three(sample: Sample) -> None:
    table, _ = sample(1)
    encoding = fit_encoding(table.frame, table.specs, fill_and_scale=True)
    levels = {
        name: [c.level for c in encoding.columns if c.feature == name]
        for name in ("sex", "drug", "arm", "grade")
    }
    assert levels == {
        "sex": ["M"],
        "drug": ["a", "b", "c"],
        "arm": ["control"],
        "grade": [None],
    }


def test_training_columns_have_mean_0_numbers_spread_1_and_indicators_span_1(
    sample: Sample,
) -> None:
    table, _ = sample(2)
    encoding = fit_encoding(table.frame, table.specs, fill_and_scale=True)
    matrix = encoding.transform(table.frame)
    np.testing.assert_allclose(matrix.mean(axis=0), 0, atol=1e-12)
    is_number = np.array([column.level is None for column in encoding.columns])
    np.testing.assert_allclose(matrix[:, is_number].std(axis=0), 1, atol=1e-12)
    np.testing.assert_allclose(np.ptp(matrix[:, ~is_number], axis=0), 1, atol=1e-12)


@pytest.mark.parametrize("fill_and_scale", [False, True])
def test_an_unseen_level_is_0_in_every_indicator(fill_and_scale: bool) -> None:
    spec = FeatureSpec("d", "Drug", "category", levels={c: c for c in "abcx"})
    frame = make_categories(spec, "a", "a", "b", "c")
    encoding = fit_encoding(frame, [spec], fill_and_scale=fill_and_scale)
    assert [column.level for column in encoding.columns] == ["a", "b", "c"]
    row = encoding.transform(make_categories(spec, "x"))[0]
    center = np.array([column.center for column in encoding.columns])
    scale = np.array([column.scale for column in encoding.columns])
    np.testing.assert_allclose(row * scale + center, 0, atol=1e-15)


def test_a_level_that_is_not_even_declared_is_0_in_every_indicator() -> None:
    encoding = fit_encoding(make_categories(DRUG, "a", "b", "c"), [DRUG], fill_and_scale=False)
    foreign = pd.DataFrame({"d": pd.Categorical(["z"], categories=["z"])})
    np.testing.assert_array_equal(encoding.transform(foreign), [[0, 0, 0]])


@pytest.mark.parametrize(
    "constant", [0.0, 0.1, 1 / 3, 720.1, 12345.6, 19999.9], ids=lambda value: f"{value:g}"
)
@pytest.mark.parametrize("n", [7, 97, 109])
def test_a_constant_feature_is_0_and_has_no_leverage(constant: float, n: int) -> None:
    frame = pd.DataFrame({"x": np.full(n, constant)})
    encoding = fit_encoding(frame, [X], fill_and_scale=True)
    np.testing.assert_allclose(encoding.transform(frame), 0, atol=1e-9)
    # scikit-learn divides a constant column by 1; so must we, or a new value is blown up.
    assert encoding.columns[0].scale == StandardScaler().fit(frame).scale_[0] == 1.0


def test_a_feature_missing_in_every_training_row_gives_0() -> None:
    frame = pd.DataFrame({"x": np.full(5, np.nan)})
    encoding = fit_encoding(frame, [X], fill_and_scale=True)
    np.testing.assert_array_equal(encoding.transform(frame), np.zeros((5, 1)))


@pytest.mark.parametrize("fill_and_scale", [False, True])
def test_a_category_missing_in_every_training_row_makes_no_column(fill_and_scale: bool) -> None:
    frame = make_categories(SEX, None, None)
    encoding = fit_encoding(frame, [SEX], fill_and_scale=fill_and_scale)
    assert encoding.columns == ()
    assert encoding.transform(frame).shape == (2, 0)


def test_a_category_with_one_level_is_0_in_training() -> None:
    frame = make_categories(SEX, "M", "M", None)
    encoding = fit_encoding(frame, [SEX], fill_and_scale=True)
    np.testing.assert_array_equal(encoding.transform(frame), np.zeros((3, len(encoding.columns))))


def test_what_is_learnt_comes_from_the_training_rows_alone(sample: Sample) -> None:
    table, _ = sample(3)
    encoding = fit_encoding(table.frame.iloc[:60], table.specs, fill_and_scale=True)
    other = table.frame.copy()
    other.loc[60:, "severity"] = 1e6
    again = fit_encoding(other.iloc[:60], table.specs, fill_and_scale=True)
    assert again == encoding
    np.testing.assert_array_equal(
        encoding.transform(other.iloc[:60]), encoding.transform(table.frame.iloc[:60])
    )


def test_a_row_is_encoded_alone_as_among_others(sample: Sample) -> None:
    table, _ = sample(4)
    encoding = fit_encoding(table.frame, table.specs, fill_and_scale=True)
    whole = encoding.transform(table.frame)
    alone = np.vstack([encoding.transform(table.frame.iloc[[i]]) for i in range(30)])
    np.testing.assert_array_equal(alone, whole[:30])


@pytest.mark.parametrize("fill_and_scale", [False, True])
def test_an_encoding_survives_json_to_the_last_digit(sample: Sample, fill_and_scale: bool) -> None:
    table, _ = sample(5)
    encoding = fit_encoding(table.frame, table.specs, fill_and_scale=fill_and_scale)
    rows = json.loads(json.dumps(encoding.export(), allow_nan=False))
    restored = Encoding.restore(rows, table.specs)
    np.testing.assert_array_equal(restored.transform(table.frame), encoding.transform(table.frame))


def test_columns_are_summed_to_their_features(sample: Sample) -> None:
    table, _ = sample(6)
    encoding = fit_encoding(table.frame, table.specs[:5], fill_and_scale=True)
    matrix = np.arange(2.0 * len(encoding.columns)).reshape(2, -1)
    names = sorted({column.feature for column in encoding.columns} | {"nothing"})
    summed = encoding.sum_by_feature(matrix, tuple(names))
    drug = [i for i, column in enumerate(encoding.columns) if column.feature == "drug"]
    np.testing.assert_array_equal(summed[:, names.index("drug")], matrix[:, drug].sum(axis=1))
    np.testing.assert_array_equal(summed[:, names.index("severity")], matrix[:, 0])
    np.testing.assert_array_equal(summed[:, names.index("nothing")], 0)
