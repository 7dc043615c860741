"""Average precision against ROCR, scikit-learn and a jackknife, and what must not change it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import average_precision_score

from glabella.validation.measures.registry import compute_measure


def _average_precision(responded, probability, strata=None, participant=None):
    n = len(responded)
    return compute_measure(
        "average_precision",
        responded,
        probability,
        repetition=strata,
        participant=np.arange(n) if participant is None else participant,
    )


def _error(estimate):
    return estimate.standard_error * estimate.value * (1 - estimate.value)


@st.composite
def _scored(draw):
    """Outcomes with five of a class at least, and whole scores, so that they tie."""
    n = draw(st.integers(10, 40))
    responded = draw(st.lists(st.booleans(), min_size=n - 10, max_size=n - 10))
    score = draw(st.lists(st.integers(-6, 6), min_size=n, max_size=n))
    return np.array(responded + [True] * 5 + [False] * 5), np.array(score, dtype=float)


@pytest.mark.parametrize("part", ["one_repetition", "repetitions"])
def test_value_is_that_of_rocr_and_error_that_of_a_jackknife(
    measures_reference, reference_predictions, part
):
    # R 4.2.2, ROCR 1.0.11: measures_reference.json. The influence function is the jackknife's
    # limit, so that they differ by a few per cent with 120 participants.
    data = reference_predictions
    data = data.query("repetition == 0") if part == "one_repetition" else data
    expected = measures_reference[part]["average_precision"]

    found = _average_precision(
        data["responded"], data["probability"], data["repetition"], data["participant"]
    )

    assert found.value == pytest.approx(expected["value"], abs=1e-12)
    assert _error(found) == pytest.approx(expected["jackknife_se"], rel=0.05)


@given(_scored())
def test_one_stratum_has_the_value_of_scikit_learn(data):
    assert _average_precision(*data).value == pytest.approx(average_precision_score(*data))


@given(_scored())
def test_a_monotone_change_of_the_predictions_changes_nothing(data):
    responded, score = data
    for transform in (lambda s: 3 * s + 1, np.exp, lambda s: expit(s / 2)):
        assert _average_precision(responded, transform(score)) == _average_precision(
            responded, score
        )


@given(_scored(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(data, random):
    responded, score = data
    order = list(range(len(score)))
    random.shuffle(order)

    first = _average_precision(responded, score)
    second = _average_precision(responded[order], score[order], participant=np.array(order))

    assert second.value == pytest.approx(first.value)
    assert second.low is first.low is None or second.low == pytest.approx(first.low)


@given(_scored())
def test_it_is_at_most_one_and_one_only_where_the_classes_are_separated(data):
    responded, score = data
    found = _average_precision(responded, score)

    assert 0 < found.value <= 1
    separated = score[responded].min() > score[~responded].max()
    assert (found.value == pytest.approx(1)) == separated


@pytest.mark.parametrize(("responders", "others"), [(5, 5), (5, 95), (60, 40)])
def test_one_prediction_for_all_gives_the_rate_of_response(responders, others):
    responded = np.repeat([1, 0], [responders, others])

    found = _average_precision(responded, np.full(responders + others, 0.3))

    rate = responders / (responders + others)
    assert found.value == pytest.approx(rate)
    n = responders + others
    assert _error(found) == pytest.approx(np.sqrt(rate * (1 - rate) / (n - 1)))


def test_repetitions_are_ranked_each_by_itself_and_add_no_certainty():
    random = np.random.default_rng(4)
    responded, score = random.random(60) < 0.4, random.random(60)

    once = _average_precision(responded, score)
    thrice = _average_precision(
        np.tile(responded, 3),
        np.concatenate([score, score + 5, score - 5]),
        np.repeat([0, 1, 2], 60),
        np.tile(np.arange(60), 3),
    )

    assert thrice.value == pytest.approx(once.value)
    assert _error(thrice) == pytest.approx(_error(once))


def test_perfect_order_has_no_interval_and_a_reason():
    found = _average_precision([1] * 5 + [0] * 5, range(10, 0, -1))

    assert (found.value, found.low, found.high) == (1.0, None, None)
    assert "no interval" in found.reason


@pytest.mark.parametrize(("responders", "others"), [(4, 20), (20, 4), (0, 20), (20, 0), (0, 0)])
def test_under_five_of_a_class_gives_a_reason(responders, others):
    n = responders + others
    found = _average_precision([1] * responders + [0] * others, np.linspace(0, 1, n))

    assert (found.value, found.low, found.high) == (None, None, None)
    assert "under 5 of a class" in found.reason


def test_the_interval_covers_the_value_of_the_population_in_new_samples():
    random = np.random.default_rng(9)
    score = random.normal(size=200_000)
    truth = average_precision_score(random.random(200_000) < expit(score - 0.5), score)
    covered = []
    for _ in range(400):
        score = random.normal(size=150)
        found = _average_precision(random.random(150) < expit(score - 0.5), score)
        covered.append(found.low <= truth <= found.high)

    assert 0.91 <= np.mean(covered) <= 0.98
