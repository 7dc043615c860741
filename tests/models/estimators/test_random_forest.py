"""A forest's probability is the mean over trees of the proportion of responders in a leaf."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.models.estimators.random_forest import RandomForestModel

Sample = Callable[..., tuple[FeatureTable, np.ndarray]]
NUMBER = (FeatureSpec("x", "X", "number"),)


def test_trees_without_a_split_predict_about_the_rate_of_each_arm(sample: Sample) -> None:
    table, responded = sample(61)
    model = RandomForestModel(table.specs, random_state=1, min_leaf=1000)
    model.fit(table.frame, responded)
    found = model.predict_proba(table.frame)[:, 1]
    rates = pd.Series(responded).groupby(table.frame["arm"].astype(str)).transform("mean")
    # The mean over 300 samples of two thirds of the rows, and half a responder in each arm.
    np.testing.assert_allclose(found, rates, atol=0.01)


def test_a_leaf_of_one_class_is_kept_half_a_participant_from_certainty() -> None:
    frame = pd.DataFrame({"x": np.repeat([0.0, 1.0], 50)})
    responded = np.repeat([0, 1], 50)
    model = RandomForestModel(NUMBER, random_state=1, columns=1.0).fit(frame, responded)
    least = 0.5 / 101
    np.testing.assert_allclose(
        model.predict_proba(frame)[[0, -1], 1], [least, 1 - least], rtol=1e-12
    )
    parts = model.contributions(frame)
    assert parts.scale == "probability"
    np.testing.assert_allclose(
        parts.values.sum(axis=1) + parts.base, model.predict_proba(frame)[:, 1], atol=1e-9
    )


def test_the_same_seed_grows_the_same_forest_and_another_seed_another(sample: Sample) -> None:
    table, responded = sample(62)

    def fit(seed: int) -> np.ndarray:
        model = RandomForestModel(table.specs, random_state=seed, n_trees=20)
        return model.fit(table.frame, responded).log_odds(table.frame)

    np.testing.assert_array_equal(fit(3), fit(3))
    assert not np.array_equal(fit(3), fit(4))


@pytest.mark.parametrize("least", [0.0, 0.5, -0.1])
def test_a_stored_least_probability_that_is_none_is_refused(sample: Sample, least: float) -> None:
    table, responded = sample(62)
    model = RandomForestModel(table.specs, n_trees=5).fit(table.frame, responded)
    state = {**model.export_state(), "least": least}
    with pytest.raises(ValueError, match="the least probability is none"):
        RandomForestModel(table.specs).restore_state(state)
