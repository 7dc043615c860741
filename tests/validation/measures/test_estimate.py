import numpy as np
import pytest
from scipy.special import logit

from glabella.validation.measures.estimate import (
    estimate_mean,
    estimate_proportion,
    estimate_ratio,
    not_estimable,
    standard_error_of_sum,
)


def test_what_is_not_estimable_has_a_reason_and_no_number():
    estimate = not_estimable("too few")

    assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
    assert estimate.reason == "too few"


def test_a_mean_has_a_normal_interval():
    estimate = estimate_mean(2.0, 0.5)

    assert estimate.low == pytest.approx(2.0 - 1.959963984540054 * 0.5)
    assert estimate.high == pytest.approx(2.0 + 1.959963984540054 * 0.5)


@pytest.mark.parametrize("value", [0.02, 0.5, 0.71, 0.98])
@pytest.mark.parametrize("error", [0.001, 0.02, 0.08])
def test_a_proportion_has_an_interval_inside_0_and_1_symmetric_on_the_logit_scale(value, error):
    estimate = estimate_proportion(value, error)

    assert 0 < estimate.low < value < estimate.high < 1
    assert logit(value) - logit(estimate.low) == pytest.approx(logit(estimate.high) - logit(value))
    recovered = (logit(estimate.high) - logit(value)) / 1.959963984540054 * value * (1 - value)
    assert recovered == pytest.approx(error)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_proportion_of_0_or_1_keeps_its_value_and_says_why_there_is_no_interval(value):
    estimate = estimate_proportion(value, 0.0)

    assert estimate.value == value
    assert estimate.low is None
    assert estimate.high is None
    assert "no interval" in estimate.reason


def test_a_ratio_has_an_interval_above_0_symmetric_on_the_log_scale():
    estimate = estimate_ratio(0.8, 0.25)

    assert np.log(estimate.high / 0.8) == pytest.approx(1.959963984540054 * 0.25)
    assert estimate.low * estimate.high == pytest.approx(0.64)
    assert (estimate.scale, estimate.standard_error) == ("log", 0.25)


def test_a_proportion_of_0_is_not_said_to_be_agreement():
    assert "all pairs agree" not in estimate_proportion(0.0, 0.0).reason


def test_the_standard_error_is_that_of_a_mean_when_the_parts_are_those_of_a_mean():
    values = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0])
    parts = (values - values.mean()) / len(values)

    assert standard_error_of_sum(parts) == pytest.approx(values.std(ddof=1) / np.sqrt(6))


def test_one_participant_has_no_standard_error():
    assert np.isnan(standard_error_of_sum(np.array([0.0])))
