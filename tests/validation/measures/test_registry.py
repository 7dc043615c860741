import itertools

import numpy as np
import pytest

from glabella.validation.measures.estimation.estimate import Estimate
from glabella.validation.measures.evaluation import make_evaluation
from glabella.validation.measures.measure import Tier
from glabella.validation.measures.registry import MEASURES, compute_measure, list_measures

N = 200


@pytest.fixture(scope="module")
def found():
    random = np.random.default_rng(4)
    log_odds = random.normal(size=N)
    responded = random.random(N) < 1 / (1 + np.exp(-log_odds))
    return {
        name: compute_measure(
            name, responded, 1 / (1 + np.exp(-log_odds)), participant=np.arange(N)
        )
        for name, measure in MEASURES.items()
        if not measure.needs_control
    }


def test_every_measure_says_what_it_estimates_and_where_it_is_published():
    for name, measure in MEASURES.items():
        assert measure.name == name
        assert measure.estimates.endswith(".")
        assert any(character.isdigit() for character in measure.reference)


def test_a_longer_table_shows_what_a_shorter_one_does():
    tiers = [list_measures(tier) for tier in Tier]

    for shorter, longer in itertools.pairwise(tiers):
        assert set(shorter) < set(longer)
    assert tiers[-1] == tuple(MEASURES)


def test_trials_are_pooled_on_the_scale_of_the_standard_error(found):
    for name, estimate in found.items():
        pooled_on = MEASURES[name].pooled_on
        assert pooled_on is None or pooled_on == estimate.scale


def test_a_measure_has_its_null_value_if_all_are_predicted_alike():
    responded = np.arange(40) % 4 == 0
    for name, measure in MEASURES.items():
        if measure.null is not None and not measure.needs_control:
            alike = compute_measure(name, responded, np.full(40, 0.3), participant=np.arange(40))
            assert alike.value == measure.null


def test_a_measure_is_better_where_it_says_so(found):
    for name, estimate in found.items():
        measure = MEASURES[name]
        if measure.better is not None and measure.ideal is not None:
            is_worse = measure.ideal > estimate.value
            assert is_worse == (measure.better == "higher"), name


def test_only_measures_that_say_so_depend_on_the_threshold(found):
    responded = np.arange(60) % 2 == 0
    probability = np.random.default_rng(1).uniform(0.1, 0.9, 60)
    for name in found:
        low, high = (
            compute_measure(
                name, responded, probability, participant=np.arange(60), threshold=threshold
            )
            for threshold in (0.3, 0.6)
        )
        assert (low != high) == MEASURES[name].needs_threshold, name


def test_the_control_arm_is_not_measured_by_a_name_alone():
    found = compute_measure("auc_control", [1, 0] * 6, [0.5] * 12, participant=range(12))

    assert found == Estimate(reason="the analysis has no control arm")


def test_a_name_that_is_none_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match="no measure 'aucc'; there are auc, auc_control"):
        compute_measure("aucc", [1], [0.5], participant=[0])


def test_a_measure_that_is_compared_has_a_noun_and_gains_from_better_predictions():
    responded = np.arange(60) % 2 == 0
    random = np.random.default_rng(7)
    better = np.clip(0.5 + np.where(responded, 0.2, -0.2) + random.normal(0, 0.1, 60), 0.01, 0.99)
    evaluation = make_evaluation(responded, better, participant=np.arange(60))
    compared = [item for item in MEASURES.values() if item.compare is not None]

    assert [item.name for item in compared] == ["auc", "log_loss"]
    for item in compared:
        assert item.noun
        assert item.measure_gain(evaluation, random.uniform(0.3, 0.7, 60)).is_above(0.0)
