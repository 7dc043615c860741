from dataclasses import replace

import numpy as np
import pytest

from glabella.validation.measures.estimation.estimate import Estimate, estimate_mean
from glabella.validation.measures.estimation.rubin import pool_estimates
from glabella.validation.measures.evaluation import make_evaluation
from glabella.validation.measures.measure import Measure, Tier

RATE = Measure(
    "rate",
    "Rate",
    "The rate of response.",
    "Nobody, 2026",
    lambda it: estimate_mean(float(it.outcome.mean()), 0.1),
    family="overall",
)


@pytest.fixture
def evaluation():
    return make_evaluation([1] * 6 + [0] * 14, [0.3] * 20, participant=range(20))


@pytest.fixture
def imputed(evaluation):
    return replace(
        evaluation, outcomes=np.stack([np.arange(20) < 6, np.arange(20) < 10]), _known={}
    )


def test_it_is_what_it_computes(evaluation):
    assert RATE.measure(evaluation) == estimate_mean(0.3, 0.1)


def test_completed_sets_are_pooled_by_rubins_rules(imputed):
    expected = pool_estimates([estimate_mean(0.3, 0.1), estimate_mean(0.5, 0.1)], units=20)

    assert RATE.measure(imputed) == expected


def test_a_measure_that_takes_all_sets_is_given_them_together(imputed):
    together = replace(
        RATE, takes_all_sets=True, compute=lambda it: Estimate(float(it.outcomes.mean()))
    )

    assert together.measure(imputed).value == 0.4


def test_a_failure_is_the_reason_of_a_missing_value(evaluation):
    def fail(evaluation):
        raise ZeroDivisionError("division")

    found = replace(RATE, compute=fail).measure(evaluation)

    assert found.value is None
    assert found.reason == "it could not be computed (ZeroDivisionError: division)"


def test_too_few_of_a_class_are_not_measured():
    few = make_evaluation([1] * 4 + [0] * 14, [0.3] * 18, participant=range(18))

    assert RATE.measure(few).reason == "under 5 of a class"


def test_a_measure_of_the_control_arm_says_that_there_is_none(evaluation):
    assert replace(RATE, needs_control=True).measure(evaluation).reason == (
        "the analysis has no control arm"
    )


def test_a_table_shows_its_tier_and_those_before_it():
    assert Tier.BRIEF < Tier.TABLE < Tier.PAGE < Tier.FURTHER


def test_gains_of_completed_sets_are_pooled_and_what_is_not_compared_has_none(imputed):
    compared = replace(
        RATE,
        compare=lambda it, reference: estimate_mean(float(it.outcome.mean() - reference[0]), 0.1),
    )
    expected = pool_estimates([estimate_mean(0.1, 0.1), estimate_mean(0.3, 0.1)], units=20)

    found = compared.measure_gain(imputed, np.full(20, 0.2))
    assert (found.value, found.low, found.high) == (
        pytest.approx(expected.value),
        pytest.approx(expected.low),
        pytest.approx(expected.high),
    )
    assert RATE.measure_gain(imputed, np.full(20, 0.2)).reason == (
        "candidates are not compared by it"
    )
