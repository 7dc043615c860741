"""A new trial is compared with training's trials by their names, and with what training said."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from glabella.bundle.applicability.applicability_domain import learn_applicability_domain
from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.pipelines.new_trial import transport

SPECS = (FeatureSpec("age", "Age", "number"), FeatureSpec("weeks", "Weeks ill", "number"))


def _draw(n, mean, seed):
    draw = np.random.default_rng(seed)
    return pd.DataFrame(draw.normal(mean, 1.0, size=(n, 2)), columns=["age", "weeks"])


@pytest.fixture
def bundle():
    frame = pd.concat([_draw(60, 0.0, 1), _draw(40, 4.0, 2), _draw(9, 8.0, 3)], ignore_index=True)
    trial = np.repeat(["zeta", "alpha", "few"], [60, 40, 9])
    domain = learn_applicability_domain(FeatureTable(frame, SPECS), trial)
    # In another order than that of names, as a pool may have them.
    cells = [{"trial": "zeta", "n": 60}, {"trial": "alpha", "n": 40}, {"trial": "few", "n": None}]
    return SimpleNamespace(domain=domain, manifest=SimpleNamespace(training={"trials": cells}))


def _make_trial(frame):
    return SimpleNamespace(sample=SimpleNamespace(features=SimpleNamespace(frame=frame)))


def test_likeness_goes_by_the_names_of_trials(bundle):
    found = {
        item.trial: item.auc
        for item in transport._find_likeness(_make_trial(_draw(50, 0.0, 4)), bundle)
    }
    assert set(found) == {"alpha", "zeta"}
    assert found["zeta"] < 0.65
    assert found["alpha"] > 0.95


def test_a_trial_whose_number_is_suppressed_and_a_bundle_without_names_give_no_likeness(bundle):
    trial = _make_trial(_draw(50, 0.0, 4))
    cells = [{"trial": "zeta", "n": None}, {"trial": "alpha", "n": 40}]
    masked = SimpleNamespace(
        domain=bundle.domain, manifest=SimpleNamespace(training={"trials": cells})
    )
    assert [item.trial for item in transport._find_likeness(trial, masked)] == ["alpha"]
    earlier = SimpleNamespace(
        domain=dataclasses.replace(bundle.domain, names=()), manifest=bundle.manifest
    )
    assert transport._find_likeness(trial, earlier) == ()


def test_the_first_prediction_interval_of_training_is_read():
    predictions = [
        {"low": 0.5, "high": 0.8, "method": "first"}, {"low": 0.4, "high": 0.9, "method": "second"}
    ]  # fmt: skip
    performance = {"across": {"random_effects": {"auc": {"predictions": predictions}}}}
    found = transport.read_prediction_interval(performance)
    assert (found.low, found.high, found.method) == (0.5, 0.8, "first")
    for nothing in ({}, {"across": None}, {"across": {"random_effects": {"auc": {}}}}):
        assert transport.read_prediction_interval(nothing).low is None
