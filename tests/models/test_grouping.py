"""What is shown as one: sums of its features, with the same total."""

import numpy as np

from glabella.features.spec import FeatureSpec
from glabella.models.estimators.contributions import Contributions, Interactions
from glabella.models.grouping import Grouping

FEATURES = ("total", "age", "item", "arm")
GROUPING = Grouping({"Depression": ("total", "item")})


def test_a_group_stands_in_the_place_of_its_first_feature_and_sums():
    values = np.arange(8.0).reshape(2, 4)
    found = GROUPING.sum_values(Contributions(FEATURES, values, np.ones(2)))
    assert found.features == ("Depression", "age", "arm")
    np.testing.assert_array_equal(found.values, [[2, 1, 3], [10, 5, 7]])
    np.testing.assert_array_equal(found.values.sum(axis=1), values.sum(axis=1))


def test_pairs_within_a_group_are_its_own():
    cubes = np.zeros((1, 4, 4))
    cubes[0, 0, 2] = cubes[0, 2, 0] = 1.0
    cubes[0, 1, 2] = cubes[0, 2, 1] = 0.5
    found = GROUPING.sum_pairs(Interactions(FEATURES, cubes)).values[0]
    np.testing.assert_array_equal(found, [[2, 0.5, 0], [0.5, 0, 0], [0, 0, 0]])


def test_without_groups_everything_stays():
    found = Contributions(FEATURES, np.ones((3, 4)), np.zeros(3))
    assert Grouping().sum_values(found) is found


def test_a_group_has_no_order_and_its_own_words():
    specs = tuple(FeatureSpec(name, name.title(), "number") for name in FEATURES)
    described = GROUPING.describe(specs)["Depression"]
    assert (described.label, described.kind, described.part) == (
        "Depression",
        "category",
        "patient",
    )
