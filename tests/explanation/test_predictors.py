"""Each predictor with its intervals, direction and kind, from attributions that are made up."""

import json
import math

import numpy as np
import pytest

from glabella.explanation.attributions import Attributions, rank_values
from glabella.explanation.noise import Noise
from glabella.explanation.predictors import measure_pairs, measure_predictors
from glabella.explanation.refits import RefitAttributions

FEATURES = ("severity", "modifier", "prognostic", "first", "second", "sex", "arm")
SIZES = (0.0, 1.0, 0.8, 0.1, 0.05, 0.02, 0.5)


@pytest.fixture
def sample(drawn):
    return drawn(21, n=800)


@pytest.fixture
def attributions(sample):
    frame = sample.features.frame
    columns = [
        frame[name].cat.codes if name in ("sex", "arm") else frame[name] for name in FEATURES
    ]
    values = np.column_stack(
        [
            size * np.asarray(column, dtype=float)
            for size, column in zip(SIZES, columns, strict=True)
        ]
    )
    return Attributions(
        FEATURES, tuple(name.title() for name in FEATURES), (True,) * 6 + (False,),
        values, np.zeros(sample.n), np.abs(values), rank_values(sample, FEATURES),
        ("higher",) * 5 + ("male", "Control"), "exact",
    )  # fmt: skip


def _refit(seed):
    draw = np.random.default_rng(seed)
    importance = np.abs(np.array(SIZES) * 0.6 + draw.normal(0, 0.02, 7)) + 0.3
    pairs = np.zeros((7, 7))
    pairs[1, 6] = pairs[6, 1] = 0.4 + draw.normal(0, 0.01)
    pairs[0, 1] = pairs[1, 0] = 0.1
    directions = np.array([np.nan, 1.0, 1.0, draw.choice([-1.0, 1.0]), -1.0, 1.0, 1.0])
    return RefitAttributions(FEATURES, importance, directions, pairs)


REFITS = [_refit(seed) for seed in range(40)]


def test_they_are_ranked_with_the_arm_apart(attributions, sample):
    found = measure_predictors(attributions, sample, REFITS, None)
    assert [item.feature for item in found][:2] == ["modifier", "prognostic"]
    assert found[-1].feature == "arm"
    assert found[-1].rank is None and found[-1].role is None
    assert [item.rank for item in found[:-1]] == [1, 2, 3, 4, 5, 6]
    assert (found[0].rank_low, found[0].rank_high) == (1, 1)


def test_the_interval_is_the_spread_of_refits_around_the_value(attributions, sample):
    found = measure_predictors(attributions, sample, REFITS, None)[0]
    assert found.importance.low < found.importance.value < found.importance.high
    # Refits lie elsewhere, as models of fewer different participants do; their spread counts.
    assert found.importance.high - found.importance.low == pytest.approx(2 * 1.96 * 0.02, rel=0.3)


def test_few_refits_give_no_intervals_and_say_so(attributions, sample):
    found = measure_predictors(attributions, sample, REFITS[:5], None)[0]
    assert found.importance.low is None and "too few refits" in found.importance.reason
    assert found.rank_low is None and found.holds is None


def test_directions_hold_in_the_refits_that_agree(attributions, sample):
    found = {item.feature: item for item in measure_predictors(attributions, sample, REFITS, None)}
    assert found["modifier"].holds == 1.0
    assert found["second"].holds == 0.0
    assert 0.2 < found["first"].holds < 0.8
    assert found["severity"].holds is None and found["severity"].words == "no order"
    assert found["sex"].words == "male goes with response"


def test_noise_decides_what_is_called_a_predictor(attributions, sample):
    noise = Noise(0.2, np.full(99, 0.1), 99, 2)
    found = {item.feature: item for item in measure_predictors(attributions, sample, REFITS, noise)}
    assert found["modifier"].kind == "effect modifier"
    assert found["prognostic"].kind.startswith("prognostic")
    assert found["first"].kind == "not distinguished from noise"
    assert found["first"].reversed_in == ()
    assert found["modifier"].p == 0.01
    assert found["arm"].is_beyond_noise is None


def test_plain_values_are_json(attributions, sample):
    for item in measure_predictors(attributions, sample, [], None):
        plain = json.loads(json.dumps(item.as_json(), allow_nan=False))
        assert plain["direction"] is None or math.isfinite(plain["direction"])


def test_pairs_are_ranked_with_their_spread_and_unused_ones_left_out(attributions):
    pairs = measure_pairs(attributions, REFITS)
    assert [(pair.left, pair.right) for pair in pairs] == [
        ("Modifier", "Arm"), ("Severity", "Modifier")
    ]  # fmt: skip
    assert pairs[0].size.low < pairs[0].size.value < pairs[0].size.high
    assert measure_pairs(attributions, []) == ()
