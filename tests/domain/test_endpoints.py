from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glabella.domain.endpoints import ResponseRule, ThresholdRule

FRACTIONS = ["0.1", "0.2", "0.25", "0.3", "0.35", "0.5", "0.6", "0.7", "0.75", "0.9", "1"]


@pytest.mark.parametrize("fraction", FRACTIONS)
@given(baseline=st.integers(1, 200), score=st.integers(0, 250))
@example(baseline=10, score=7)
@example(baseline=30, score=21)
@example(baseline=40, score=26)
@example(baseline=20, score=13)
@example(baseline=200, score=140)
def test_the_rule_equals_the_exact_rational_comparison(
    fraction: str, baseline: int, score: int
) -> None:
    exact = Fraction(baseline - score, baseline) >= Fraction(fraction)
    assert ResponseRule(float(fraction)).is_response(baseline, score) is exact


@pytest.mark.parametrize("fraction", FRACTIONS)
def test_a_fall_of_exactly_the_fraction_is_a_response_and_one_point_less_is_none(
    fraction: str,
) -> None:
    rule = ResponseRule(float(fraction))
    for baseline in range(20, 501, 20):
        score = baseline - Fraction(fraction) * baseline
        assert score.denominator == 1
        assert rule.is_response(baseline, int(score))
        assert not rule.is_response(baseline, int(score) + 1)


@given(baseline=st.integers(1, 850), score=st.integers(0, 850), fraction=st.sampled_from(FRACTIONS))
def test_scores_with_one_decimal_are_judged_exactly_too(
    baseline: int, score: int, fraction: str
) -> None:
    exact = Fraction(baseline - score, baseline) >= Fraction(fraction)
    assert ResponseRule(float(fraction)).is_response(baseline / 10, score / 10) is exact


@pytest.mark.parametrize("fraction", [0, -0.1, 1.0001, 50, float("nan")])
def test_a_fraction_that_is_none_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        ResponseRule(fraction)


@pytest.mark.parametrize("baseline", [0, -3])
def test_a_baseline_without_a_fraction_is_refused(baseline: float) -> None:
    with pytest.raises(ValueError, match="means nothing"):
        ResponseRule(0.5).is_response(baseline, 0)


def test_the_rule_is_said_in_words() -> None:
    assert ResponseRule(0.3).describe() == "a fall of at least 30 % from baseline"


@pytest.mark.parametrize(
    ("baseline", "score", "responded"),
    [(20, 16, True), (20, 16.5, False), (0, -4, True), (3, 0, False), (0.3, -3.7, True)],
)
def test_a_fall_of_points_is_the_same_from_any_baseline(baseline, score, responded) -> None:
    assert ResponseRule(points=4).is_response(baseline, score) is responded


@pytest.mark.parametrize(
    "rule", [{}, {"fraction": 0.5, "points": 4}, {"points": 0}, {"points": -1}]
)
def test_a_fall_is_of_a_fraction_or_of_points(rule) -> None:
    with pytest.raises(ValueError, match="fall"):
        ResponseRule(**rule)


def test_points_are_said_in_words() -> None:
    assert ResponseRule(points=1).describe() == "a fall of at least 1 point from baseline"
    assert ResponseRule(points=4).describe() == "a fall of at least 4 points from baseline"


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e11])
def test_a_rule_is_exact_for_scores_of_any_size(size: float) -> None:
    rule = ResponseRule(0.3)
    assert rule.is_response(2.3 * size, 1.61 * size)
    assert not rule.is_response(2.3 * size, 1.611 * size)
    assert ThresholdRule(at_most=1.61 * size).is_response(2.3 * size, 2.3 * size * 0.7)
    assert not ThresholdRule(at_most=1.61 * size).is_response(2.3 * size, 1.611 * size)


def test_a_difference_of_decimals_that_comes_to_nothing_is_at_a_threshold_of_zero() -> None:
    assert ThresholdRule(at_most=0).is_response(1, 0.1 + 0.2 - 0.3)
