"""Stated directions, held against participants whose truth is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glabella.features.spec import FeatureSpec, FeatureTable
from glabella.validation.across_trials.stated_directions import judge_directions
from glabella.validation.folds.sample import Sample


def draw(effect, stated, n=200):
    random = np.random.default_rng(3)
    age = random.normal(50, 10, n)
    responded = (random.random(n) < 1 / (1 + np.exp(-effect * (age - 50) / 10))).astype(np.int8)
    specs = (
        FeatureSpec("age", "Age", "number", direction=stated),
        FeatureSpec("weight", "Weight", "number"),
    )
    frame = pd.DataFrame({"age": age, "weight": random.normal(size=n)})
    blank = np.full(n, "", dtype=str)
    return Sample(
        FeatureTable(frame, specs), responded[None], blank, blank, blank, blank, np.ones(n, bool)
    )


@pytest.mark.parametrize(
    ("effect", "stated", "verdict"),
    [
        (1.0, "increasing", "agrees"),
        (1.0, "decreasing", "contradicts"),
        (-1.0, "decreasing", "agrees"),
        (0.0, "increasing", "can't be told"),
    ],
)
def test_a_statement_is_held_against_the_participants(effect, stated, verdict):
    [found] = judge_directions(draw(effect, stated))
    assert (found.feature, found.stated, found.verdict) == ("age", stated, verdict)


def test_the_two_statements_mirror_each_other():
    up, down = (
        judge_directions(draw(0.4, stated))[0].concordance
        for stated in ("increasing", "decreasing")
    )
    assert up.value == pytest.approx(1 - down.value)
    assert up.low == pytest.approx(1 - down.high)


def test_where_nothing_is_stated_nothing_is_tested():
    assert judge_directions(draw(1.0, None)) == ()


def test_only_pairs_of_the_same_trial_and_active_arm_count():
    sample = draw(0.0, "increasing")
    # Between trials age tells responders apart; within them it does not.
    older = np.arange(200) < 100
    frame = sample.features.frame.assign(age=sample.features.frame["age"] + 100 * older)
    outcomes = np.where(older, np.arange(200) % 5 != 0, np.arange(200) % 5 == 0)
    apart = replace(
        sample,
        features=replace(sample.features, frame=frame),
        outcomes=outcomes.astype(np.int8)[None],
        trial=np.where(older, "T1", "T2"),
    )
    assert judge_directions(apart)[0].verdict == "can't be told"


def test_too_few_of_a_class_give_a_reason():
    sample = draw(1.0, "increasing", n=8)
    [found] = judge_directions(replace(sample, outcomes=np.array([[1] + [0] * 7], np.int8)))
    assert found.concordance.value is None
    assert found.concordance.reason
    assert found.verdict == "can't be told"
