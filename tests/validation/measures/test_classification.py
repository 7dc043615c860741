"""Sensitivity, specificity and predictive values against R, and where there are none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.validation.measures.registry import compute_measure

_MEASURES = ("sensitivity", "specificity", "ppv", "npv")
_MIRROR = {
    "sensitivity": "specificity",
    "specificity": "sensitivity",
    "ppv": "npv",
    "npv": "ppv",
}


def _error(estimate):
    return estimate.standard_error * estimate.value * (1 - estimate.value)


def _measure(name, responded, probability, threshold=0.5):
    return compute_measure(
        name, responded, probability, threshold=threshold, participant=np.arange(len(responded))
    )


@pytest.mark.parametrize("name", _MEASURES)
@pytest.mark.parametrize("part", ["one_repetition", "repetitions"])
def test_value_and_cluster_robust_error_are_those_of_r(
    measures_reference, reference_predictions, part, name
):
    # R 4.2.2, sandwich 3.0.2: measures_reference.json.
    data = reference_predictions
    data = data.query("repetition == 0") if part == "one_repetition" else data
    expected = measures_reference[part][name]

    found = compute_measure(
        name,
        data["responded"],
        data["probability"],
        threshold=measures_reference["threshold"],
        participant=data["participant"],
    )

    assert found.value == pytest.approx(expected["value"], abs=1e-12)
    assert _error(found) == pytest.approx(expected["se"], rel=1e-9)


def test_the_table_of_four_by_hand():
    # Of 20 responders 12 reach one half, and of 30 others 6: one of each exactly.
    responded = np.repeat([1, 0], [20, 30])
    probability = np.r_[0.5, np.full(11, 0.8), np.full(8, 0.3), 0.5, np.full(5, 0.9), [0.4] * 24]

    found = {name: _measure(name, responded, probability).value for name in _MEASURES}

    assert found == {
        "sensitivity": 12 / 20, "specificity": 24 / 30, "ppv": 12 / 18, "npv": 24 / 32,
    }  # fmt: skip


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=0, max_size=40),
    st.integers(0, 20),
)
def test_exchanging_the_classes_exchanges_the_measures(rows, cut):
    responded = np.array([row[0] for row in rows] + [True] * 5 + [False] * 5)
    probability = np.array([row[1] for row in rows] + list(range(5, 15))) / 20
    # Half a step off, so that reaching the threshold and exceeding it are one.
    threshold = (cut + 0.5) / 21

    for name, mirror in _MIRROR.items():
        found = _measure(name, responded, probability, threshold)
        other = _measure(mirror, ~responded, 1 - probability, 1 - threshold)
        assert found.value is other.value is None or found.value == pytest.approx(other.value)
        assert (found.low is None) == (other.low is None)
        if found.low is not None:
            assert found.low == pytest.approx(other.low)


@given(st.randoms(use_true_random=False), st.integers(0, 1000))
def test_the_order_of_rows_changes_nothing(random, seed):
    draw = np.random.default_rng(seed)
    responded, probability = np.r_[[1, 0] * 5, draw.integers(0, 2, 20)], draw.random(30)
    order = list(range(30))
    random.shuffle(order)

    for name in _MEASURES:
        first = _measure(name, responded, probability)
        second = _measure(name, responded[order], probability[order])
        assert first.value is second.value is None or first.value == pytest.approx(second.value)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_certainty_for_all_leaves_one_side_empty(level):
    responded = np.repeat([1, 0], 10)
    found = {name: _measure(name, responded, np.full(20, level)) for name in _MEASURES}

    assert found["sensitivity"].value == level
    assert found["specificity"].value == 1 - level
    empty, full = ("npv", "ppv") if level else ("ppv", "npv")
    assert found[empty].value is None
    assert found[empty].reason.startswith("under 10 participants")
    assert found[full].value == 0.5
    assert found["sensitivity"].low is None
    assert "no interval" in found["sensitivity"].reason


def test_four_who_reach_the_threshold_are_too_few_for_a_predictive_value():
    responded = np.tile([1, 0], 10)
    found = _measure("ppv", responded, np.r_[np.full(4, 0.9), np.full(16, 0.1)])

    assert found.value is None
    assert found.reason == "under 10 participants reach the threshold"


@pytest.mark.parametrize("name", _MEASURES)
@pytest.mark.parametrize(("responders", "others"), [(4, 30), (30, 4), (0, 0)])
def test_under_five_of_a_class_gives_a_reason(name, responders, others):
    responded = np.repeat([1, 0], [responders, others])
    found = _measure(name, responded, np.linspace(0, 1, len(responded)))

    assert (found.value, found.low, found.high) == (None, None, None)
    assert "under 5 of a class" in found.reason
