import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm, t

from glabella.validation.measures.estimation.estimate import (
    Estimate,
    compute_error_of_sum,
    describe_estimates,
    estimate_mean,
    estimate_proportion,
    estimate_ratio,
    make_missing_estimate,
)


def test_what_is_not_estimable_has_a_reason_and_no_number():
    estimate = make_missing_estimate("too few")

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

    assert compute_error_of_sum(parts) == pytest.approx(values.std(ddof=1) / np.sqrt(6))


def test_one_participant_has_no_standard_error():
    assert np.isnan(compute_error_of_sum(np.array([0.0])))


def test_a_negated_estimate_swaps_its_ends_and_has_no_nought_with_a_sign():
    turned = -estimate_mean(0.02, 0.03, lowest=-0.01)

    assert (turned.value, turned.low, turned.high) == (
        -0.02,
        -0.02 - 1.959963984540054 * 0.03,
        0.01,
    )
    assert (turned.lowest, turned.highest, turned.standard_error) == (None, 0.01, 0.03)
    assert str((-Estimate(0.0, -1.0, 0.0)).value) == "0.0"
    assert str((-Estimate(0.0, -1.0, 0.0)).low) == "0.0"
    assert -make_missing_estimate("too few") == make_missing_estimate("too few")


def test_an_estimate_on_another_scale_has_no_negative():
    with pytest.raises(ValueError, match="logit"):
        -estimate_proportion(0.6, 0.1)


def test_the_difference_of_two_concordances_has_the_errors_of_both():
    difference = estimate_proportion(0.7, 0.03) - estimate_proportion(0.6, 0.04)

    assert difference.value == pytest.approx(0.1)
    assert difference.standard_error == pytest.approx(0.05)
    assert difference.high == pytest.approx(0.1 + 1.959963984540054 * 0.05)
    assert (difference.lowest, difference.highest) == (-1.0, 1.0)


def test_the_difference_of_two_ratios_is_on_their_own_scale_and_has_no_end():
    difference = estimate_ratio(2.0, 0.1) - estimate_ratio(1.0, 0.2)

    assert difference.standard_error == pytest.approx(np.hypot(0.2, 0.2))
    assert (difference.lowest, difference.highest) == (None, None)


def test_a_difference_says_what_it_lacks():
    known = estimate_proportion(0.7, 0.03)

    assert (known - make_missing_estimate("too few")).reason == "too few"
    assert (make_missing_estimate("too few") - known).reason == "too few"
    assert (known - estimate_proportion(1.0, 0.0)) == Estimate(
        pytest.approx(-0.3), reason="one of the two has no interval"
    )


def test_p_is_by_the_scale_and_the_distribution_of_the_interval():
    proportion = estimate_proportion(0.6, 0.05)
    edge = float(expit(logit(0.6) - norm.ppf(0.975) * proportion.standard_error))

    assert proportion.p_value(edge) == pytest.approx(0.05)
    assert Estimate(3.0, standard_error=1.5, freedom=4.0).p_value(1.0) == pytest.approx(
        2 * t.sf(2 / 1.5, 4)
    )
    assert Estimate(0.3).p_value() is None
    assert make_missing_estimate("too few").p_value() is None


def test_without_any_error_p_is_certain():
    assert Estimate(0.0, 0.0, 0.0, standard_error=0.0).p_value() == 1.0
    assert Estimate(0.1, 0.1, 0.1, standard_error=0.0).p_value() == 0.0


def test_only_a_whole_interval_is_above_or_below():
    around = Estimate(0.6, 0.5, 0.7)

    assert around.is_above(0.49)
    assert not around.is_above(0.5)
    assert around.is_below(0.71)
    assert not around.is_below(0.7)
    assert not Estimate(0.6).is_above(0.0)
    assert not Estimate(0.6).is_below(1.0)


def test_plain_values_are_read_as_the_estimate_that_they_are_of():
    known, missing = Estimate(0.6, 0.5, 0.7), make_missing_estimate("too few")
    plain = describe_estimates({"auc": known, "brier": missing})

    assert Estimate.read_columns(plain, "auc") == known
    assert Estimate.read_columns(plain, "brier") == missing
    assert known.as_json() == {"value": 0.6, "low": 0.5, "high": 0.7, "reason": None}
    assert known.as_columns("auc") == {"auc": 0.6, "auc_low": 0.5, "auc_high": 0.7}
