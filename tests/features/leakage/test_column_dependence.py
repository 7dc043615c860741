"""How likely chance would make one column follow from another, counted over all orders."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from glabella.features.leakage.column_dependence import (
    compute_rank_correlation,
    compute_separation,
    count_decimals,
    count_orders,
    find_decision,
    find_function,
    is_equal,
    is_in_same_order,
)


@pytest.mark.parametrize("values", [[1, 1, 2, 2], [1, 2, 3], [5, 5, 5], [1, 1, 1, 2, 3]])
def test_orders_are_counted_as_by_listing_them(values: list[int]) -> None:
    assert np.exp(count_orders(values)) == pytest.approx(len(set(permutations(values))))


def test_a_thresholds_chance_is_the_proportion_of_orders_that_have_one() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    outcome = (True, True, False, False, False)
    chance = find_decision(values, np.array(outcome), is_ordered=True)
    orders = set(permutations(outcome))
    # Both a high and a low threshold part the two outcomes.
    parted = [order for order in orders if sum(np.diff(order) != 0) == 1]
    assert np.exp(chance) == pytest.approx(len(parted) / len(orders))


def test_a_value_with_both_outcomes_decides_nothing() -> None:
    outcome = np.array([True, True, False, False])
    assert find_decision(np.array([1.0, 2.0, 2.0, 3.0]), outcome, is_ordered=True) is None
    assert find_decision(np.ones(4), outcome, is_ordered=True) is None
    assert find_decision(np.arange(4.0), np.ones(4, dtype=bool), is_ordered=True) is None


def test_names_decide_nothing_though_each_has_one_outcome() -> None:
    outcome = np.arange(40) % 2 == 0
    chance = find_decision(np.arange(40.0), outcome, is_ordered=False)
    assert chance is not None and chance > 0


def test_a_column_follows_only_with_one_value_for_each_of_the_others() -> None:
    source = np.repeat(np.arange(4.0), 6)
    assert find_function(source % 2, source, is_ordered=False) is not None
    mixed = source % 2
    mixed[0] = 1.0
    assert find_function(mixed, source, is_ordered=False) is None
    # Two participants a value could hardly help following.
    few = np.repeat(np.arange(4.0), 2)
    assert find_function(few % 2, few, is_ordered=False) is None
    assert find_function(np.empty(0), np.empty(0), is_ordered=True) is None


def test_an_exception_ends_a_common_order() -> None:
    rising = np.arange(5.0)
    assert is_in_same_order(rising, -rising)
    assert is_in_same_order(rising // 2, rising)
    assert not is_in_same_order(rising, np.array([0.0, 2.0, 1.0, 3.0, 4.0]))


def test_rounding_is_recognised_and_allowed_for() -> None:
    assert count_decimals(np.array([1.0, 20.0])) == 0
    assert count_decimals(np.array([1.25, 20.0])) == 2
    assert is_equal(np.array([33.3]), np.array([100 / 3]), decimals=None).tolist() == [False]
    assert is_equal(np.array([33.3]), np.array([33.4]), decimals=1).tolist() == [False]


def test_separation_and_correlation_are_those_of_other_programs_without_their_sign() -> None:
    draw = np.random.default_rng(3)
    one, other = draw.integers(0, 6, 50).astype(float), draw.integers(0, 6, 50).astype(float)
    outcome = draw.random(50) < 0.4
    area = roc_auc_score(outcome, one)
    assert compute_separation(one, outcome) == pytest.approx(max(area, 1 - area))
    assert compute_separation(-one, outcome) == pytest.approx(max(area, 1 - area))
    assert compute_rank_correlation(one, other) == pytest.approx(
        abs(spearmanr(one, other).statistic)
    )
    assert compute_separation(one, np.ones(50, dtype=bool)) == 0.5
    assert compute_rank_correlation(one, np.ones(50)) == 0
