"""The trees against XGBoost's own interface."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xgboost

from glabella.features.spec import FeatureTable
from glabella.models.encoding import fit_encoding
from glabella.models.estimators.boosted_trees import XGBoostModel

Sample = Callable[..., tuple[FeatureTable, np.ndarray]]


def find_start(table: FeatureTable, responded: np.ndarray) -> np.ndarray:
    """Give each row the log odds of its arm, half a participant added to either class."""
    by_arm = pd.Series(responded).groupby(table.frame["arm"].astype(str))
    rate = (by_arm.transform("sum") + 0.5) / (by_arm.transform("size") + 1)
    return np.log(rate / (1 - rate)).to_numpy()


@pytest.mark.parametrize("seed", [0, 7])
def test_the_trees_equal_those_of_xgboosts_own_classifier(sample: Sample, seed: int) -> None:
    table, responded = sample(51)
    specs = [spec for spec in table.specs if spec.part != "trial"]
    matrix = fit_encoding(table.frame, specs, fill_and_scale=False, as_codes=True).transform(
        table.frame
    )
    start = find_start(table, responded)
    types = ["c" if spec.name == "drug" else "q" for spec in specs]
    reference = xgboost.XGBClassifier(
        n_estimators=20,
        max_depth=3,
        learning_rate=0.1,
        min_child_weight=2.0,
        reg_lambda=4.0,
        subsample=0.7,
        tree_method="hist",
        max_bin=64,
        feature_types=types,
        enable_categorical=True,
        random_state=seed,
        n_jobs=1,
    ).fit(matrix, responded, base_margin=start)
    model = XGBoostModel(
        table.specs,
        random_state=seed,
        n_trees=20,
        max_depth=3,
        learning_rate=0.1,
        min_child_weight=2.0,
        penalty=4.0,
        subsample=0.7,
    ).fit(table.frame, responded)
    np.testing.assert_array_equal(
        model.log_odds(table.frame),
        reference.predict(matrix, output_margin=True, base_margin=start),
    )


def test_what_is_exported_predicts_the_same_in_xgboost_alone(sample: Sample) -> None:
    table, responded = sample(52)
    model = XGBoostModel(table.specs, random_state=1, n_trees=20).fit(table.frame, responded)
    booster = xgboost.Booster()
    booster.load_model(bytearray(model.export_binary() or b""))
    start = find_start(table, responded)
    rows = xgboost.DMatrix(model.encoding_.transform(table.frame), base_margin=start, nthread=1)
    np.testing.assert_allclose(
        booster.predict(rows), model.predict_proba(table.frame)[:, 1], rtol=1e-6
    )
    np.testing.assert_array_equal(
        booster.predict(rows, output_margin=True), model.log_odds(table.frame)
    )


def test_the_same_seed_gives_the_same_trees_and_another_seed_others(sample: Sample) -> None:
    table, responded = sample(53)

    def fit(seed: int) -> np.ndarray:
        model = XGBoostModel(table.specs, random_state=seed, n_trees=10, subsample=0.5)
        return model.fit(table.frame, responded).log_odds(table.frame)

    np.testing.assert_array_equal(fit(3), fit(3))
    assert not np.array_equal(fit(3), fit(4))


def test_stumps_make_contributions_that_depend_on_their_own_feature_alone(sample: Sample) -> None:
    table, responded = sample(54)
    model = XGBoostModel(table.specs, random_state=1, n_trees=20, max_depth=1)
    model.fit(table.frame, responded)
    changed = table.frame.assign(severity=table.frame["severity"] + 15)
    one, two = model.contributions(table.frame), model.contributions(changed)
    others = [i for i, name in enumerate(one.features) if name != "severity"]
    np.testing.assert_allclose(one.values[:, others], two.values[:, others], atol=1e-6)
    assert not np.allclose(one.values, two.values)
