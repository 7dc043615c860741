"""Sample sizes are those of the published examples, and behave as sizes must."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from glabella.validation.adequacy.sample_size import (
    compute_development_size,
    compute_expected_shrinkage,
    compute_largest_r2,
    compute_r2_from_concordance,
    compute_validation_size,
)


def test_the_example_of_pmsampsize_is_reproduced():
    # Help of pmsampsize 1.1.3 (R and Stata): 24 parameters, prevalence 0.174, R2 0.288.
    size = compute_development_size(24, 0.174, r2=0.288)
    assert (size.for_shrinkage, size.for_r2, size.for_risk, size.n) == (623, 662, 221, 662)


@pytest.mark.parametrize(
    ("r2", "parameters", "prevalence", "for_shrinkage", "for_risk"),
    [
        (0.55, 24, 0.174, 255, 221),
        (0.288, 36, 0.174, 934, 221),
        (0.288, 24, 0.25, 623, 289),
    ],
)
def test_the_tests_of_pmsampsize_are_reproduced(
    r2, parameters, prevalence, for_shrinkage, for_risk
):
    # tests/testthat/test_bin.R of pmsampsize (CRAN). Its sizes for the second criterion there are
    # of an early version that rounded a shrinkage to three digits: 668 where 1.1.3 gives 662.
    size = compute_development_size(parameters, prevalence, r2=r2)
    assert (size.for_shrinkage, size.for_risk) == (for_shrinkage, for_risk)


@pytest.mark.parametrize(("concordance", "needed"), [(0.89, 227), (0.81, 266)])
def test_a_concordance_comes_to_the_size_that_pmsampsize_simulates(concordance, needed):
    # pmsampsize(type="b", cstatistic=, parameters=6, prevalence=0.18, seed=123), run by others. For
    # 0.81 it reports an R2 of 0.1818, an estimate from a million simulated values.
    r2 = compute_r2_from_concordance(concordance, 0.18)
    assert compute_development_size(6, 0.18, r2=r2).n == pytest.approx(needed, abs=1)


@pytest.mark.parametrize(
    ("concordance", "prevalence", "r2"),
    [(0.89, 0.174, 0.2907), (0.81, 0.77, 0.2119), (0.65, 0.4, 0.0665), (0.75, 0.4, 0.1789)],
)
def test_a_concordance_becomes_the_r2_that_r_fits(concordance, prevalence, r2):
    # R 4.2.2, glm on four million simulated participants, 2026-11-23: x ~ N(sqrt(2) qnorm(c) y, 1),
    # 1 - exp(-(null deviance - deviance) / n).
    assert compute_r2_from_concordance(concordance, prevalence) == pytest.approx(r2, abs=4e-4)


def test_a_concordance_becomes_the_r2_that_a_large_simulation_finds():
    # Riley 2021: the linear predictor is normal with one variance in both classes.
    draw = np.random.default_rng(1)
    n = 1_000_000
    for concordance, prevalence in ((0.65, 0.3), (0.75, 0.5), (0.89, 0.174)):
        responded = draw.random(n) < prevalence
        distance = math.sqrt(2) * _normal_quantile(concordance)
        x = draw.standard_normal(n) + distance * responded
        log_odds = np.log(prevalence / (1 - prevalence)) + distance * x - distance**2 / 2
        p = expit(log_odds)
        model = np.where(responded, np.log(p), np.log1p(-p)).sum()
        rate = responded.mean()
        null = n * (rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
        simulated = 1 - np.exp(-2 * (model - null) / n)
        assert compute_r2_from_concordance(concordance, prevalence) == pytest.approx(
            simulated, abs=0.003
        )


def _normal_quantile(p: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(p))


def test_the_example_of_external_validation_is_reproduced():
    # Riley 2021 (Stat Med 40:4230), deep vein thrombosis: prevalence 0.018, concordance 0.8.
    size = compute_validation_size(0.018, concordance=0.8, observed_expected_width=1.0)
    assert size.for_observed_expected == 906
    assert size.for_concordance == 4252


def test_the_slope_s_size_gives_the_stated_width():
    """By simulation: 95 % intervals of the slope are as wide as asked for."""
    import statsmodels.api as sm

    size = compute_validation_size(0.4, concordance=0.75, slope_width=0.4)
    draw, widths = np.random.default_rng(2), []
    distance = np.sqrt(2) * _normal_quantile(0.75)
    for _ in range(20):
        responded = (draw.random(size.for_slope) < 0.4).astype(float)
        x = draw.standard_normal(size.for_slope) + distance * responded
        log_odds = np.log(0.4 / 0.6) + distance * x - distance**2 / 2
        fit = sm.Logit(responded, sm.add_constant(log_odds)).fit(disp=0)
        widths.append(2 * 1.96 * fit.bse[1])
    assert np.mean(widths) == pytest.approx(0.4, rel=0.03)


def test_the_largest_r2_is_three_quarters_where_half_respond():
    assert compute_largest_r2(0.5) == pytest.approx(0.75)
    assert compute_largest_r2(0.01) < compute_largest_r2(0.1) < 0.75


@given(
    parameters=st.integers(1, 60),
    prevalence=st.floats(0.05, 0.95),
    concordance=st.floats(0.55, 0.95),
)
def test_the_expected_shrinkage_at_the_needed_size_is_the_target(
    parameters, prevalence, concordance
):
    r2 = compute_r2_from_concordance(concordance, prevalence)
    size = compute_development_size(parameters, prevalence, r2=r2)
    at = compute_expected_shrinkage(parameters, size.for_shrinkage, r2=r2)
    if r2 < 0.9:
        assert at >= 0.9 - 1e-9
        fewer = compute_expected_shrinkage(parameters, max(size.for_shrinkage - 1, 1), r2=r2)
        assert fewer <= 0.9 + 1e-9 or size.for_shrinkage == 1
    assert size.n >= max(size.for_r2, size.for_risk)


@given(n=st.integers(10, 5000), parameters=st.integers(1, 40))
def test_more_participants_and_fewer_parameters_shrink_less(n, parameters):
    here = compute_expected_shrinkage(parameters, n, r2=0.1)
    assert 0.1 <= here < 1
    assert compute_expected_shrinkage(parameters, n + 50, r2=0.1) >= here
    assert compute_expected_shrinkage(parameters + 1, n, r2=0.1) <= here


@given(prevalence=st.floats(0.02, 0.98), concordance=st.floats(0.5, 0.97))
def test_r2_is_possible_symmetric_and_grows_with_the_concordance(prevalence, concordance):
    r2 = compute_r2_from_concordance(concordance, prevalence)
    assert -1e-9 <= r2 < compute_largest_r2(prevalence)
    assert r2 == pytest.approx(compute_r2_from_concordance(concordance, 1 - prevalence), abs=1e-9)
    assert compute_r2_from_concordance(concordance + 0.02, prevalence) > r2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compute_development_size(0, 0.3, r2=0.1), "at least one parameter"),
        (lambda: compute_development_size(3, 0.0, r2=0.1), r"inside \(0, 1\)"),
        (lambda: compute_development_size(3, 0.3, r2=0.9), "below 0.705"),
        (lambda: compute_r2_from_concordance(0.4, 0.3), r"in \[0.5, 1\)"),
        (lambda: compute_expected_shrinkage(3, 0, r2=0.1), "at least 1"),
        (lambda: compute_validation_size(0.3, concordance=0.5), r"inside \(0.5, 1\)"),
        (lambda: compute_validation_size(0.3, concordance=0.7, slope_width=0), "above 0"),
    ],
)
def test_impossible_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
