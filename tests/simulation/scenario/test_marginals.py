"""A variable before entry: a spread of numbers, or shares of codes."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import norm, truncnorm

from glabella.simulation.scenario.marginals import Shares, Spread

AGE = Spread(mean=49.0, sd=10.0, low=30.0, high=60.0)
GRADES = Shares(shares={"0": 0.5, "1": 0.3, "3": 0.2})
DEVIATES = np.linspace(-3, 3, 61)


def test_a_spread_is_a_truncated_normal_in_whole_numbers() -> None:
    bounds = (30 - 49) / 10, (60 - 49) / 10
    wanted = truncnorm.ppf(norm.cdf(DEVIATES), *bounds, loc=49, scale=10)
    np.testing.assert_array_equal(AGE.find_values(DEVIATES), np.round(wanted))


def test_a_spread_of_logarithms_is_weighed_by_its_logarithm() -> None:
    months = Spread(mean=1.0, sd=0.5, low=0.0, high=2.0, log10=True)
    assert months.find_values(np.zeros(1))[0] == 10
    assert months.as_numbers(np.array([0.0, 1.0, 100.0])).tolist() == [0, 0, 2]
    assert AGE.as_numbers(np.array([40.0])).tolist() == [40]


def test_codes_have_the_shares_declared() -> None:
    uniform = (np.arange(1000) + 0.5) / 1000
    found = GRADES.find_values(norm.ppf(uniform))
    assert np.bincount(found.astype(int)).tolist() == [500, 300, 200]


def test_codes_that_are_numbers_are_weighed_as_these_and_others_by_their_position() -> None:
    positions = np.array([0.0, 1.0, 2.0])
    assert GRADES.as_numbers(positions).tolist() == [0, 1, 3]
    assert Shares(shares={"M": 0.2, "F": 0.8}).as_numbers(positions[:2]).tolist() == [0, 1]


def test_chances_are_those_of_the_deviate_that_is_left() -> None:
    mean = np.array([-1.0, 0.0, 0.7])
    found = GRADES.find_chances(mean, 0.6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(found[:, 0], norm.cdf(norm.ppf(0.5), mean, 0.6), rtol=1e-12)
    # With nothing left to vary, a code is certain.
    assert GRADES.find_chances(mean, 0.0).tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize(
    ("given", "finding"),
    [
        ({"low": 60.0, "high": 30.0}, "`low` must be below `high`"),
        ({"low": 50.0}, "the mean must lie between `low` and `high`"),
    ],
)
def test_a_spread_that_is_none_is_refused(given: dict[str, float], finding: str) -> None:
    with pytest.raises(ValidationError, match=finding):
        Spread(**{"mean": 49.0, "sd": 10.0, "low": 30.0, "high": 60.0, **given})
