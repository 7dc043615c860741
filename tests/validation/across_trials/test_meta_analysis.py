"""Pooling over trials is metafor's, and what it predicts of a new trial holds."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import lognorm, norm
from scipy.stats import t as student

from glabella.validation.across_trials.meta_analysis import estimate_tau2, pool_trials
from glabella.validation.measures.estimation.estimate import (
    Estimate,
    estimate_mean,
    estimate_proportion,
    make_missing_estimate,
)

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "reference" / "pooling_reference.json").read_text()
)
CASES = REFERENCE["cases"]


def make(values, errors, scale="identity"):
    return [
        (f"T{at}", Estimate(value, standard_error=error, scale=scale))
        for at, (value, error) in enumerate(zip(values, errors, strict=True))
    ]


@pytest.mark.parametrize("name", list(CASES))
def test_pooling_is_that_of_metafor(name):
    assert REFERENCE["program"] == "metafor 3.8.1"
    case = CASES[name]
    pooled = pool_trials(make(case["yi"], case["sei"]))
    close = {"rel": 1e-5, "abs": 1e-6}
    assert pooled.hartung_knapp.value == pytest.approx(case["mean"], **close)
    assert pooled.hartung_knapp.low == pytest.approx(case["low"], **close)
    assert pooled.hartung_knapp.high == pytest.approx(case["high"], **close)
    assert pooled.tau2 == pytest.approx(case["tau2"], **close)
    assert pooled.q == pytest.approx(case["q"], **close)
    assert pooled.q_p == pytest.approx(case["q_p"], **close)
    assert pooled.i2 == pytest.approx(case["i2"], rel=1e-4, abs=1e-4)
    assert pooled.tau2_low == pytest.approx(case["tau2_low"], rel=1e-3, abs=1e-4)
    assert pooled.tau2_high == pytest.approx(case["tau2_high"], rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("name", ["heterogeneous", "homogeneous"])
def test_from_seven_trials_on_the_wide_prior_alone_is_left(name):
    """By direct integration over both unknowns, without the algebra that leaves one."""
    case = CASES[name]
    value, error = np.array(case["yi"]), np.array(case["sei"])
    assert len(value) >= 7
    for scale in ("identity", "logit"):
        shown = value if scale == "identity" else expit(value)
        [prediction] = pool_trials(make(shown, error, scale=scale)).predictions
        assert "half t prior of scale 0.5" in prediction.method
    pooled = pool_trials(make(value, error))
    [prediction] = pooled.predictions
    tau = np.linspace(1e-4, 4.0, 3000)[:, None]
    middle, reach = value.mean(), 6 * (value.std() + error.max())
    mu = np.linspace(middle - reach, middle + reach, 700)[None, :]
    density = student.pdf(tau / 0.5, 3) * np.ones_like(mu)
    for each, spread in zip(value, error, strict=True):
        density = density * norm.pdf(each, mu, np.sqrt(spread**2 + tau**2))
    density /= density.sum()

    def below(x):
        return (density * norm.cdf((x - mu) / tau)).sum()

    assert below(prediction.low) == pytest.approx(0.025, abs=0.001)
    assert below(prediction.high) == pytest.approx(0.975, abs=0.001)
    # The mean has the same posterior, and its interval is inside that of a new trial.
    of_mean, at = density.sum(axis=0), mu[0]
    assert pooled.estimate.value == pytest.approx(of_mean @ at, abs=0.002)
    for end, chance in ((pooled.estimate.low, 0.025), (pooled.estimate.high, 0.975)):
        assert of_mean[at <= end].sum() == pytest.approx(chance, abs=0.004)
    assert prediction.low < pooled.estimate.low < pooled.estimate.high < prediction.high


@pytest.mark.parametrize("trials", [7, 10])
def test_a_new_trial_is_covered_from_seven_trials_on(trials):
    # A standard deviation between trials near the error within them. The usual interval, from the
    # trials alone, holds too few: the variance between them is often estimated to be nought.
    draw = np.random.default_rng(4)
    covered = usual = nought = 0
    runs = 400
    for _ in range(runs):
        truth = draw.normal(0.9, 0.27, trials + 1)
        error = 0.32 * np.exp(draw.normal(0.0, 0.15, trials))
        seen = expit(draw.normal(truth[:trials], error))
        pooled = pool_trials(make(seen, error, scale="logit"))
        [prediction] = pooled.predictions
        covered += prediction.low <= expit(truth[-1]) <= prediction.high
        reach = np.sqrt(pooled.tau2 + pooled.hartung_knapp.standard_error**2)
        distance = abs(truth[-1] - logit(pooled.hartung_knapp.value))
        usual += distance <= student.ppf(0.975, trials - 2) * reach
        nought += pooled.tau2 == 0.0
    assert 0.93 <= covered / runs <= 0.99
    assert usual / runs < 0.92
    assert 0.1 < nought / runs < 0.35


def test_on_the_logit_scale_the_values_are_proportions():
    case = CASES["four"]
    plain = pool_trials(make(case["yi"], case["sei"]))
    logits = pool_trials(make(expit(case["yi"]), case["sei"], scale="logit"))
    assert logits.estimate.value == pytest.approx(expit(plain.estimate.value))
    assert logits.estimate.high == pytest.approx(expit(plain.estimate.high))
    assert logits.tau2 == pytest.approx(plain.tau2)


def test_with_few_trials_the_prediction_rests_on_a_prior_and_a_second_is_shown():
    case = CASES["four"]
    pooled = pool_trials(make(expit(np.array(case["yi"]) + 0.3), case["sei"], scale="logit"))
    wide, empirical = pooled.predictions
    assert "469 cardiovascular models" in empirical.method
    assert "half t prior of scale 0.5" in wide.method
    for prediction in pooled.predictions:
        assert 0 <= prediction.low < pooled.estimate.value < prediction.high <= 1
    [only] = pool_trials(make(case["yi"], case["sei"])).predictions
    assert "half t prior" in only.method


def test_the_empirical_prediction_is_that_of_a_direct_integration():
    """Over both unknowns on a grid, without the algebra that leaves one."""
    auc, error = np.array([0.62, 0.70, 0.55, 0.66]), np.array([0.04, 0.06, 0.05, 0.03])
    estimates = [
        (str(at), estimate_proportion(a, e))
        for at, (a, e) in enumerate(zip(auc, error, strict=True))
    ]
    [_, empirical] = pool_trials(estimates).predictions
    ratio = 1 + (0.015 / 0.055) ** 2
    tau = np.linspace(1e-4, 0.2, 600)[:, None]
    mu = np.linspace(0.3, 0.95, 900)[None, :]
    prior = lognorm.pdf(tau, np.sqrt(np.log(ratio)), scale=0.055 / np.sqrt(ratio))
    density = prior * np.ones_like(mu)
    for a, e in zip(auc, error, strict=True):
        density = density * norm.pdf(a, mu, np.sqrt(e**2 + tau**2))
    density /= density.sum()

    def below(x):
        return (density * norm.cdf((x - mu) / tau)).sum()

    assert below(empirical.low) == pytest.approx(0.025, abs=0.001)
    assert below(empirical.high) == pytest.approx(0.975, abs=0.001)


def test_a_new_trial_is_covered_where_the_trials_differ_as_the_prior_says():
    draw = np.random.default_rng(8)
    ratio = 1 + (0.015 / 0.055) ** 2
    covered = np.zeros(2)
    runs = 300
    for _ in range(runs):
        tau = lognorm.rvs(np.sqrt(np.log(ratio)), scale=0.055 / np.sqrt(ratio), random_state=draw)
        truth = np.clip(draw.normal(0.66, tau, 6), 0.52, 0.9)
        error = draw.uniform(0.03, 0.08, 5)
        seen = np.clip(draw.normal(truth[:5], error), 0.35, 0.97)
        estimates = [
            (str(at), estimate_proportion(a, e))
            for at, (a, e) in enumerate(zip(seen, error, strict=True))
        ]
        for at, prediction in enumerate(pool_trials(estimates).predictions):
            covered[at] += prediction.low <= truth[5] <= prediction.high
    # 0.95 with a standard error of 0.013; the wide prior is wider than these trials need.
    assert 0.91 <= covered[1] / runs <= 0.99
    assert covered[0] >= covered[1]


def test_the_mean_is_covered_by_hartung_and_knapp_s_interval():
    draw = np.random.default_rng(9)
    covered, runs = 0, 400
    for _ in range(runs):
        error = draw.uniform(0.1, 0.4, 6)
        seen = draw.normal(draw.normal(0.5, 0.3, 6), error)
        estimate = pool_trials(make(seen, error)).hartung_knapp
        covered += estimate.low <= 0.5 <= estimate.high
    assert 0.91 <= covered / runs <= 0.98


@pytest.mark.parametrize("errors", [[0.25] * 5, [0.12, 0.5, 0.5, 0.5, 0.5]])
def test_the_mean_is_covered_with_five_trials_equal_or_not(errors):
    draw = np.random.default_rng(10)
    errors = np.array(errors)
    covered, runs = 0, 400
    for _ in range(runs):
        # As standard deviations between trials are distributed beforehand, up to what is seen.
        spread = min(0.5 * abs(student.rvs(3, random_state=draw)), 1.0)
        seen = draw.normal(draw.normal(0.5, spread, 5), errors)
        estimate = pool_trials(make(seen, errors)).estimate
        covered += estimate.low <= 0.5 <= estimate.high
    assert 0.92 <= covered / runs <= 0.98


def test_a_trial_without_an_estimate_is_left_out_with_its_reason():
    estimates = [
        ("a", estimate_mean(0.4, 0.1)),
        ("b", make_missing_estimate("under 5 of a class")),
        ("c", estimate_mean(0.6, 0.2)),
        ("d", Estimate(0.0)),
    ]
    pooled = pool_trials(estimates)
    assert pooled.trials == ("a", "c")
    assert pooled.left_out == {"b": "under 5 of a class", "d": "it has no standard error"}


@pytest.mark.parametrize(
    ("estimates", "reason"),
    [
        ([], "no trial has an estimate"),
        ([("a", make_missing_estimate("x"))], "no trial has an estimate"),
        ([("a", estimate_mean(0.4, 0.1))], "only one trial has an estimate"),
        ([("a", Estimate(0.4, standard_error=float("nan"))), ("b", estimate_mean(0.4, 0.1))],
         "only one trial has an estimate"),
    ],
)  # fmt: skip
def test_under_two_trials_there_is_no_mean(estimates, reason):
    pooled = pool_trials(estimates)
    assert pooled.estimate.value is None
    assert pooled.estimate.reason == reason
    assert pooled.predictions == ()


def test_different_scales_are_refused():
    mixed = [("a", estimate_mean(0.4, 0.1)), ("b", estimate_proportion(0.6, 0.1))]
    with pytest.raises(ValueError, match="different scales"):
        pool_trials(mixed)


values = st.lists(st.tuples(st.floats(-2, 2), st.floats(0.05, 2)), min_size=2, max_size=9)


@given(rows=values, shift=st.floats(-1, 1))
def test_order_and_shift_change_nothing_but_the_place(rows, shift):
    value, error = (np.array(column) for column in zip(*rows, strict=True))
    first = pool_trials(make(value, error))
    turned = pool_trials(make(value[::-1] + shift, error[::-1]))
    assert turned.estimate.value == pytest.approx(first.estimate.value + shift, abs=1e-5)
    assert turned.tau2 == pytest.approx(first.tau2, rel=1e-3, abs=1e-5)
    assert first.estimate.low <= first.estimate.value <= first.estimate.high
    assert 0 <= first.i2 <= 100
    for prediction in first.predictions:
        assert prediction.low <= prediction.high


@given(value=st.floats(-3, 3), errors=st.lists(st.floats(0.05, 2), min_size=2, max_size=6))
def test_trials_that_agree_have_no_variance_between_them(value, errors):
    assert estimate_tau2(np.full(len(errors), value), np.array(errors) ** 2) == 0.0


def test_a_logit_has_no_end():
    pooled = pool_trials(make([0.999, 0.98, 0.99], [1.5, 0.9, 2.0], scale="logit"))
    assert pooled.estimate.high < 1
    assert logit(pooled.estimate.value) == pytest.approx(
        pool_trials(make(logit([0.999, 0.98, 0.99]), [1.5, 0.9, 2.0])).estimate.value
    )
