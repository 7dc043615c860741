"""Expected concordance and likeness, against their definitions and simulations."""

import itertools

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from glabella.validation.across_trials.case_mix import (
    CaseMix,
    compute_expected_concordance,
    measure_likeness,
)
from glabella.validation.measures.estimation.estimate import Estimate


def test_expected_concordance_is_its_definition_pair_by_pair():
    random = np.random.default_rng(1)
    chances = np.round(random.uniform(0.05, 0.95, 30), 1)
    strata = random.integers(0, 3, 30)
    agreeing = pairs = 0.0
    for one, other in itertools.combinations(range(30), 2):
        if strata[one] != strata[other]:
            continue
        for responds, fails in ((one, other), (other, one)):
            weight = chances[responds] * (1 - chances[fails])
            pairs += weight
            agreeing += weight * (
                (chances[responds] > chances[fails]) + 0.5 * (chances[responds] == chances[fails])
            )
    assert compute_expected_concordance(chances, strata) == pytest.approx(agreeing / pairs)


def test_expected_concordance_is_reached_where_predictions_are_right():
    random = np.random.default_rng(2)
    chances = 1 / (1 + np.exp(-random.normal(-0.2, 1.0, 20_000)))
    responded = random.random(20_000) < chances
    expected = compute_expected_concordance(chances, np.zeros(20_000))
    assert roc_auc_score(responded, chances) == pytest.approx(expected, abs=0.01)


def test_no_pair_has_no_expected_concordance():
    assert compute_expected_concordance([0.2, 0.4], ["a", "b"]) is None
    assert compute_expected_concordance([], []) is None


def test_a_difference_divides_into_participants_and_model():
    mix = CaseMix(0.70, 0.66, 0.65, Estimate(0.60, 0.5, 0.7))
    assert mix.by_case_mix == pytest.approx(-0.04) and mix.by_model == pytest.approx(-0.06)
    assert mix.as_json()["by_model"] == mix.by_model
    assert CaseMix(None, 0.66, None, Estimate(reason="few")).by_case_mix is None


def test_likeness_is_that_of_a_membership_model():
    random = np.random.default_rng(3)
    n, shift = 4000, np.array([0.7, 0.0, -0.4])
    old, new = random.standard_normal((n, 3)), random.standard_normal((n, 3)) + shift
    rows, member = np.vstack([old, new]), np.repeat([0, 1], n)
    model = LogisticRegression().fit(rows, member)
    expected = roc_auc_score(member, model.predict_proba(rows)[:, 1])
    distance = float(((new.mean(axis=0) - old.mean(axis=0)) ** 2).sum())
    found = measure_likeness(distance, columns=3, n=n, n_training=n)
    assert found == pytest.approx(expected, abs=0.01)


def test_alike_trials_are_not_told_apart_by_chance():
    random = np.random.default_rng(4)
    found = []
    for _ in range(200):
        old, new = random.standard_normal((60, 5)), random.standard_normal((40, 5))
        distance = float(((new.mean(axis=0) - old.mean(axis=0)) ** 2).sum())
        found.append(measure_likeness(distance, columns=5, n=40, n_training=60))
    assert np.median(found) < 0.55
