"""Recalibration against R, and the closed test against simulations with known truth."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from glabella.validation.across_trials.recalibration import (
    choose_update,
    fit_in_the_large,
    fit_intercept_and_slope,
)

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "reference" / "recalibration_reference.json").read_text()
)
TOLD, RESPONDED, X = (np.array(REFERENCE[name]) for name in ("log_odds", "responded", "x"))


def test_recalibration_is_what_r_gives():
    assert fit_in_the_large(TOLD, RESPONDED).intercept == pytest.approx(
        REFERENCE["in_the_large"], abs=1e-9
    )
    logistic = fit_intercept_and_slope(TOLD, RESPONDED)
    assert [logistic.intercept, logistic.slope] == pytest.approx(
        REFERENCE["intercept_and_slope"], abs=1e-8
    )
    # val.prob of rms works from the same regression.
    assert [logistic.intercept, logistic.slope] == pytest.approx(
        REFERENCE["val_prob"][:2], abs=1e-4
    )


def test_each_step_of_the_closed_test_is_what_r_gives():
    found = choose_update(TOLD, RESPONDED, features=X)
    assert found.tests[0].freedom == REFERENCE["freedom"][0] == 4
    for test, p_value in zip(found.tests, REFERENCE["p"], strict=False):
        assert test.p_value == pytest.approx(p_value, rel=1e-6)
    assert found.chosen == "refit"
    assert "a revision of the coefficients" in found.describe()


def draw(n, seed, *, shift=0.0, slope=1.0, further=0.0):
    random = np.random.default_rng(seed)
    x = random.standard_normal((n, 4))
    told = -0.3 + x[:, 0] * 0.8 - 0.6 * x[:, 1]
    truth = shift + slope * told + further * x[:, 2]
    return told, random.random(n) < expit(truth), x


@pytest.mark.parametrize(
    ("how", "chosen"),
    [
        ({}, "none"),
        ({"shift": 1.0}, "in the large"),
        ({"slope": 0.3}, "intercept and slope"),
        ({"further": 1.2}, "refit"),
    ],
)
def test_what_is_needed_is_what_is_chosen(how, chosen):
    found = [
        choose_update(*draw(800, seed, **how)[:2], features=draw(800, seed, **how)[2]).chosen
        for seed in range(40)
    ]
    assert found.count(chosen) >= 34


def test_an_update_that_is_not_needed_is_made_once_in_twenty():
    updated = 0
    for seed in range(600):
        told, responded, x = draw(300, 1000 + seed)
        updated += choose_update(told, responded, features=x).chosen != "none"
    # Two Monte Carlo standard errors of 0.05 over 600 draws.
    assert updated / 600 == pytest.approx(0.05, abs=0.018)


def test_few_participants_test_no_revision():
    told, responded, x = draw(40, 3, shift=2.0)
    found = choose_update(told, responded, features=x)
    assert found.largest == "intercept and slope"
    assert "under 5 participants for each" in found.reason and found.reason in found.describe()
    assert found.chosen in ("in the large", "intercept and slope")
    assert choose_update(told, responded).reason == "no features were given"


def test_recalibration_of_separated_or_constant_predictions_is_refused():
    with pytest.raises(ValueError, match="separate the classes"):
        fit_intercept_and_slope([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1])
    with pytest.raises(ValueError, match="the same for all"):
        fit_intercept_and_slope([0.3] * 6, [0, 1, 0, 1, 0, 1])
    with pytest.raises(ValueError, match="rarer class has under 5"):
        choose_update(np.linspace(-1, 1, 20), [1, 0, 1, 1] + [0] * 16)


def test_the_least_update_left_alone_changes_nothing():
    told, responded, x = draw(800, 5)
    kept = choose_update(told, responded, features=x).find("none")
    assert np.array_equal(kept.apply(told), told)
    plain = choose_update(told, responded, features=x).as_json()
    assert plain["chosen"] == "none" and plain["tests"][0]["rejects"] is False
