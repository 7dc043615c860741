"""What belongs to a pair is put off the diagonal without changing any sum."""

import numpy as np

from glabella.models.estimators.contributions import Contributions, split_off_diagonal


def test_a_pairs_value_moves_from_its_features_own() -> None:
    values = np.diag([3.0, 1.0, 0.5])[None]
    pairs = np.zeros((1, 3, 3))
    pairs[0, 0, 1] = pairs[0, 1, 0] = 0.25
    found = split_off_diagonal(values, pairs)
    np.testing.assert_array_equal(found[0], [[2.75, 0.25, 0.0], [0.25, 0.75, 0.0], [0.0, 0.0, 0.5]])


def test_the_sums_along_rows_are_each_features_contribution() -> None:
    draw = np.random.default_rng(1)
    own = draw.normal(size=(5, 4))
    values = np.zeros((5, 4, 4))
    values[:, range(4), range(4)] = own
    pairs = draw.normal(size=(5, 4, 4))
    pairs += pairs.transpose(0, 2, 1)
    pairs[:, range(4), range(4)] = 0
    before = values.copy()
    found = split_off_diagonal(values, pairs)
    np.testing.assert_allclose(found.sum(axis=2), own, rtol=1e-12)
    np.testing.assert_array_equal(found, found.transpose(0, 2, 1))
    np.testing.assert_array_equal(values, before)


def test_contributions_are_of_the_log_odds_by_default() -> None:
    assert Contributions(("age",), np.zeros((1, 1)), np.zeros(1)).scale == "log odds"
