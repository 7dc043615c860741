"""What every measure must keep to, whatever the predictions."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from glabella.validation.across_trials.meta_analysis import pool_trials
from glabella.validation.comparison.permutation import permute_within, run_permutation_test
from glabella.validation.measures.calibration import compute_calibration
from glabella.validation.measures.calibration_curve import (
    fit_calibration_curve,
    measure_calibration_error,
)
from glabella.validation.measures.discrimination import compute_concordance
from glabella.validation.measures.estimation.estimate import Estimate
from glabella.validation.measures.estimation.rubin import pool_estimates
from glabella.validation.measures.net_benefit import compute_net_benefit
from glabella.validation.measures.overall import compute_losses
from glabella.validation.measures.registry import compute_measure

_PROPERTY = settings(max_examples=50, deadline=None, derandomize=True)
_FEW = settings(max_examples=25, deadline=None, derandomize=True)
_RANGES = {
    "auc": (0, 1),
    "brier": (0, 1),
    "scaled_brier": (-np.inf, 1),
    "log_loss": (0, np.inf),
    "average_precision": (0, 1),
    "observed_expected": (0, np.inf),
    "ici": (0, 1),
    "sensitivity": (0, 1),
    "specificity": (0, 1),
    "ppv": (0, 1),
    "npv": (0, 1),
}

_AT_THRESHOLD = ("sensitivity", "specificity", "ppv", "npv")


def _measure(responded, probability, strata, who, repetition=None):
    calibration = compute_calibration(responded, probability, participant=who)
    once = np.zeros(len(who)) if repetition is None else repetition
    repeats = len(np.unique(once))
    found = {
        "auc": compute_concordance(
            responded, probability, strata=strata, participant=who, repeats=repeats
        )[0],
        "average_precision": compute_measure(
            "average_precision", responded, probability, repetition=once, participant=who
        ),
        "ici": measure_calibration_error(
            fit_calibration_curve(responded, probability, participant=who)
        ).ici,
        "slope": calibration.slope,
        "intercept": calibration.intercept,
    }
    for name in ("brier", "scaled_brier", "log_loss", "observed_expected", *_AT_THRESHOLD):
        found[name] = compute_measure(name, responded, probability, participant=who)
    return found


def _assert_alike(first, second, *, rel=1e-6):
    for name in first:
        for part in ("value", "low", "high"):
            one, two = getattr(first[name], part), getattr(second[name], part)
            assert (one is None) == (two is None), (name, part)
            assert one is None or one == pytest.approx(two, rel=rel, abs=1e-7), (name, part)


@st.composite
def _predictions(draw, *, edges=False):
    """Outcomes and predictions with ties, of persons of whom some have two rows."""
    n = draw(st.integers(14, 40))
    seed = draw(st.integers(0, 10_000))
    random = np.random.default_rng(seed)
    responded = random.random(n) < draw(st.sampled_from([0.3, 0.5, 0.7]))
    probability = random.integers(1, 20, n) / 20
    if edges:
        shift = draw(st.sampled_from(["none", "zero", "one", "tiny", "same", "right"]))
        probability = {
            "none": probability,
            "zero": np.where(random.random(n) < 0.3, 0.0, probability),
            "one": np.where(random.random(n) < 0.3, 1.0, probability),
            "tiny": probability**200,
            "same": np.full(n, 0.5),
            "right": responded.astype(float),
        }[shift]
    who = np.arange(n) // 2 if draw(st.booleans()) else np.arange(n)
    return responded, probability, random.integers(0, 2, n), who


@_PROPERTY
@given(_predictions(edges=True))
def test_every_estimate_is_in_its_range_or_gives_a_reason(data):
    for name, found in _measure(*data).items():
        json.dumps(asdict(found), allow_nan=False)
        if found.value is None or found.low is None:
            assert found.reason, name
            continue
        assert found.low < found.high or name == "ici", name
        assert found.low - 1e-9 <= found.value <= found.high + 1e-9, name
        lowest, highest = _RANGES.get(name, (-np.inf, np.inf))
        assert lowest <= found.low and found.high <= highest, name


@_FEW
@given(_predictions(), st.randoms(use_true_random=False))
def test_order_of_rows_and_names_change_nothing(data, shuffle):
    order = list(range(len(data[0])))
    shuffle.shuffle(order)
    moved = [part[order] for part in data]
    moved[2] = np.array(["second", "first"])[moved[2]]
    moved[3] = np.array([f"person {900 - each}" for each in moved[3]])
    _assert_alike(_measure(*data), _measure(*moved))


@_FEW
@given(_predictions(), st.integers(2, 5))
def test_repeating_the_predictions_changes_no_estimate_and_no_interval(data, copies):
    responded, probability, strata, who = data
    repetition = np.repeat(np.arange(copies), len(who))
    many = _measure(
        np.tile(responded, copies),
        np.tile(probability, copies),
        np.tile(strata, copies) + 2 * repetition,
        np.tile(who, copies),
        repetition,
    )
    once = _measure(*data)
    _assert_alike(once, many)


@_PROPERTY
@given(_predictions())
def test_concordance_is_of_ranks_and_turns_with_the_outcome(data):
    responded, probability, strata, who = data

    def concord(outcome, score):
        return compute_concordance(outcome, score, strata=strata, participant=who)[0]

    found, raised = concord(responded, probability), concord(responded, np.exp(3 * probability))
    assert (found.value, found.low) == (raised.value, raised.low)
    turned = concord(~responded, probability)
    assume(found.value is not None)
    assert turned.value == pytest.approx(1 - found.value)
    if found.low is not None:
        assert turned.high == pytest.approx(1 - found.low)


@pytest.mark.parametrize("sign", [1, -1])
def test_predictions_that_separate_the_classes_are_not_said_not_to_differ(sign):
    responded = np.repeat([True, False], 6)
    found, _ = compute_concordance(
        responded, sign * np.arange(12.0)[::-1], strata=np.zeros(12), participant=range(12)
    )
    assert found.value == (1 + sign) / 2
    assert found.reason == f"the value is {found.value:g}, so no interval can be formed"


@_PROPERTY
@given(_predictions(), st.integers(1, 99))
def test_net_benefit_is_between_treating_who_responds_and_who_does_not(data, percent):
    responded, probability, _, _ = data
    threshold = percent / 100
    rate, cost = responded.mean(), threshold / (1 - threshold)
    found = compute_net_benefit(responded, probability, threshold=threshold)
    assert -cost * (1 - rate) - 1e-12 <= found <= rate + 1e-12
    everybody = compute_net_benefit(responded, np.ones(len(responded)), threshold=threshold)
    assert everybody == pytest.approx(rate - (1 - rate) * cost)
    assert compute_net_benefit(responded, probability * 0, threshold=threshold) == 0


@_PROPERTY
@given(st.floats(0.01, 0.99), st.floats(0.0, 1.0))
def test_expected_losses_are_least_at_the_true_probability(truth, other):
    def expect(loss):
        return truth * loss[0] + (1 - truth) * loss[1]

    right, wrong = (expect(compute_losses([1, 0], [each, each])) for each in (truth, other))
    assert right <= wrong + 1e-12
    brier = [expect([(each - 1) ** 2, each**2]) for each in (truth, other)]
    assert brier[0] <= brier[1] + 1e-12


@_PROPERTY
@given(_predictions())
def test_the_base_rate_has_no_scaled_brier_and_an_o_e_of_one(data):
    responded, probability, _, who = data
    rate = np.full(len(responded), responded.mean())
    scaled = compute_measure("scaled_brier", responded, rate, participant=who).value
    assume(scaled is not None)
    assert scaled == pytest.approx(0, abs=1e-12)
    assert compute_measure(
        "observed_expected", responded, rate, participant=who
    ).value == pytest.approx(1)
    curve = fit_calibration_curve(responded, rate, participant=who)
    assert measure_calibration_error(curve).ici.value == pytest.approx(0, abs=1e-6)
    summing = probability * responded.sum() / probability.sum()
    found = compute_measure("observed_expected", responded, summing, participant=who)
    assert found.value == pytest.approx(1)


@_PROPERTY
@given(_predictions())
def test_classification_turns_with_the_classes(data):
    responded, probability, _, who = data
    for first, second in (("sensitivity", "specificity"), ("ppv", "npv")):
        one = compute_measure(first, responded, probability, threshold=0.52, participant=who)
        two = compute_measure(second, ~responded, 1 - probability, threshold=0.48, participant=who)
        assert (one.value, one.low) == (pytest.approx(two.value), pytest.approx(two.low))


_ERRORS = st.sampled_from([1e-9, 0.01, 0.2, 1.0, 30.0])
_STUDIES = st.lists(st.tuples(st.floats(-3, 3), _ERRORS), min_size=2, max_size=9)


@_PROPERTY
@given(_STUDIES)
def test_a_pooled_mean_is_among_the_trials_and_as_sure_as_their_participants_allow(studies):
    named = [
        (str(at), Estimate(value, standard_error=error))
        for at, (value, error) in enumerate(studies)
    ]
    pooled = pool_trials(named)
    values, errors = np.array(studies).T
    assert values.min() - 1e-9 <= pooled.estimate.value <= values.max() + 1e-9
    known = (1 / (errors**2 + pooled.tau2)).sum() ** -0.5
    assert pooled.hartung_knapp.standard_error >= known * (1 - 1e-9)
    assert 0 <= pooled.i2 <= 100
    assert 0 < pooled.q_p <= 1 or pooled.q > 1000
    # As sure as all trials together would be if they did not differ, and never surer.
    alike = (1 / errors**2).sum() ** -0.5
    assert pooled.estimate.standard_error >= alike * (1 - 1e-9)
    wide = pooled.predictions[0]
    slack = 1e-9 * (1 + abs(wide.low) + abs(wide.high))
    assert wide.low <= pooled.estimate.low + slack
    assert wide.high >= pooled.estimate.high - slack


@_PROPERTY
@given(st.floats(0.01, 0.99), st.floats(0.01, 0.5), st.integers(2, 6))
def test_imputations_that_agree_keep_the_estimate(value, error, count):
    one = Estimate(value, 0.0, 1.0, standard_error=error, scale="logit")
    assert pool_estimates([one], units=50) is one
    many = pool_estimates([one] * count, units=50)
    assert many.value == pytest.approx(value)
    assert many.standard_error == pytest.approx(error)


@_PROPERTY
@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(0, 99))
def test_permuting_within_strata_keeps_them(strata, seed):
    order = permute_within(strata, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(strata)))
    assert (np.array(strata)[order] == strata).all()


@_FEW
@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 3), st.integers(0, 99))
def test_a_p_value_is_above_zero_and_at_most_one(permutations, fewest, ties, seed):
    feature = np.arange(6) // (ties + 1)
    test = run_permutation_test(
        lambda order: {"one": float(feature[order] @ np.arange(6))},
        lambda draw: draw.permutation(6),
        n=6,
        hypothesis="nothing is related",
        permutations=permutations,
        seed=seed,
        fewest=fewest,
    )
    assert 0 < test.p_value <= 1


def test_a_wrong_certainty_has_no_log_loss():
    responded = np.repeat([1, 0], 6)
    found = compute_measure(
        "log_loss", responded, [0.0, *[0.9] * 5, *[0.1] * 6], participant=range(12)
    )
    assert found.value is None
    assert found.reason == "a prediction of 0 or 1 was wrong, so the loss has no bound"


def test_a_ratio_to_next_to_nothing_is_none():
    found = compute_measure("observed_expected", [1, 0] * 6, [5e-324] * 12, participant=range(12))
    assert (found.value, found.reason) == (None, "no response is predicted")


def test_two_periods_of_one_person_count_for_either_class():
    # Five people responded in their second period alone: there are five of each class.
    responded = np.tile([False, True], 5)
    probability = np.tile([0.3, 0.4, 0.6, 0.5, 0.7], 2)
    found = compute_calibration(responded, probability, participant=np.arange(10) // 2)
    assert found.intercept.value is not None
