"""Rubin's rules against mice, and what they promise on known truth."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import t

from glabella.validation.measures.estimation.estimate import (
    Estimate,
    estimate_mean,
    estimate_proportion,
    estimate_ratio,
    make_missing_estimate,
)
from glabella.validation.measures.estimation.rubin import pool_estimates, pool_values

REFERENCE = json.loads(
    (Path(__file__).parents[3] / "reference" / "imputation_reference.json").read_text()
)


@pytest.mark.parametrize("case", REFERENCE["pooled"], ids=lambda case: f"{len(case['q'])} sets")
def test_pooled_figures_are_those_of_mice(case) -> None:
    estimates = [estimate_mean(q, u**0.5) for q, u in zip(case["q"], case["u"], strict=True)]
    pooled = pool_estimates(estimates, units=case["n"])
    found = [pooled.value, pooled.standard_error**2, pooled.low, pooled.high]
    wanted = [case["value"], case["total"], case["low"], case["high"]]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


@pytest.mark.parametrize("case", REFERENCE["pooled"][:2], ids=["five", "three"])
def test_a_proportion_is_pooled_on_the_logit_scale(case) -> None:
    values = expit(case["q"])
    estimates = [
        estimate_proportion(float(p), u**0.5 * float(p * (1 - p)))
        for p, u in zip(values, case["u"], strict=True)
    ]
    pooled = pool_estimates(estimates, units=case["n"])
    assert pooled.scale == "logit"
    np.testing.assert_allclose(
        logit([pooled.value, pooled.low, pooled.high]),
        [case["value"], case["low"], case["high"]],
        rtol=1e-9,
    )


@pytest.mark.parametrize("case", REFERENCE["pooled"][:2], ids=["five", "three"])
def test_a_ratio_is_pooled_on_the_log_scale(case) -> None:
    estimates = [
        estimate_ratio(float(np.exp(q)), u**0.5) for q, u in zip(case["q"], case["u"], strict=True)
    ]
    pooled = pool_estimates(estimates, units=case["n"])
    assert pooled.scale == "log"
    np.testing.assert_allclose(
        np.log([pooled.value, pooled.low, pooled.high]),
        [case["value"], case["low"], case["high"]],
        rtol=1e-9,
    )


def test_values_beside_each_other_are_pooled_as_each_alone() -> None:
    random = np.random.default_rng(3)
    values, errors = random.normal(size=(4, 3)), random.uniform(0.1, 0.4, (4, 3))
    center, half, error, freedom = pool_values(values, errors, units=60)
    for at in range(3):
        sets = [estimate_mean(v, e) for v, e in zip(values[:, at], errors[:, at], strict=True)]
        pooled = pool_estimates(sets, units=60)
        assert (center[at], error[at]) == pytest.approx((pooled.value, pooled.standard_error))
        assert half[at] == pytest.approx(pooled.high - pooled.value)
        assert freedom[at] == pytest.approx(pooled.freedom)


def test_one_set_is_left_as_it_is() -> None:
    only = estimate_mean(0.3, 0.1)
    assert pool_estimates([only], units=10) is only


def test_sets_that_agree_give_the_interval_of_a_small_sample() -> None:
    # Barnard and Rubin's degrees of freedom with nothing missing: v (v + 1) / (v + 3), v = 20.
    pooled = pool_estimates([estimate_mean(1.0, 0.5)] * 4, units=21)
    assert pooled.standard_error == 0.5
    assert pooled.high - pooled.value == pytest.approx(0.5 * t.ppf(0.975, 20 * 21 / 23))


def test_a_measure_without_any_spread_has_no_interval() -> None:
    pooled = pool_estimates([estimate_mean(1.0, 0.0)] * 3, units=21)
    assert (pooled.low, pooled.value, pooled.high) == (None, 1.0, None)
    assert "every participant adds the same" in pooled.reason


def test_sets_that_differ_and_have_no_error_of_their_own_have_no_interval() -> None:
    sets = [Estimate(value, standard_error=0.0) for value in (1.0, 2.0)]
    pooled = pool_estimates(sets, units=21)
    assert (pooled.low, pooled.value, pooled.high) == (None, 1.5, None)
    assert pooled.reason == "nothing but the imputations differs"


def test_a_pooled_interval_stays_in_the_range_of_its_measure() -> None:
    sets = [estimate_mean(value, 0.03, lowest=0.0, highest=1.0) for value in (0.01, 0.02)]
    assert pool_estimates(sets, units=21).low == 0.0


def test_a_figure_that_some_set_lacks_is_not_estimable() -> None:
    pooled = pool_estimates([estimate_mean(1.0, 0.5), make_missing_estimate("too few")], units=21)
    assert pooled.value is None
    assert pooled.reason == "in 1 of 2 imputations: too few"


def test_a_set_without_an_interval_leaves_the_mean_without_one() -> None:
    sets = [estimate_proportion(1.0, 0.1), estimate_proportion(0.8, 0.1)]
    pooled = pool_estimates(sets, units=21)
    assert (pooled.value, pooled.low, pooled.high) == (0.9, None, None)
    assert pooled.reason == (
        "no interval in 1 of 2 imputations: the value is 1, so no interval can be formed"
    )


def test_nothing_can_not_be_pooled() -> None:
    with pytest.raises(ValueError, match="no estimates"):
        pool_estimates([], units=3)


def test_the_pooled_interval_covers_the_mean_as_often_as_it_says() -> None:
    # A normal sample of 40, 40 % of it missing at random; drawn from its posterior predictive.
    random = np.random.default_rng(20261123)
    covered = 0
    for _ in range(1500):
        seen = random.normal(2.0, 1.0, 24)
        variance = seen.var(ddof=1) * 23 / random.chisquare(23, 10)
        center = random.normal(seen.mean(), np.sqrt(variance / 24))
        sets = []
        for mean, spread in zip(center, np.sqrt(variance), strict=True):
            completed = np.concatenate([seen, random.normal(mean, spread, 16)])
            sets.append(estimate_mean(completed.mean(), completed.std(ddof=1) / 40**0.5))
        pooled = pool_estimates(sets, units=40)
        covered += pooled.low <= 2.0 <= pooled.high
    # Four standard errors of a proportion of 0.95 over 1,500 draws.
    assert covered / 1500 == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / 1500) ** 0.5)


def test_estimates_say_their_scale() -> None:
    assert estimate_mean(1.0, 0.2).standard_error == 0.2
    share = estimate_proportion(0.8, 0.04)
    assert (share.scale, round(share.standard_error, 10)) == ("logit", 0.25)
    assert Estimate(0.5).standard_error is None
