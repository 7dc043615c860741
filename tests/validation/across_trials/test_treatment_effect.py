"""Risk difference and odds ratio over trials: R's metafor, coverage, periods, and what is left."""

from dataclasses import replace

import numpy as np
import pytest

from glabella.validation.across_trials.treatment_effect import estimate_effects
from glabella.validation.folds.sample import Sample

# Responders and participants: active, control.
TRIALS = {
    "A": (60, 130, 40, 128), "B": (16, 38, 9, 47), "C": (4, 11, 1, 19), "D": (17, 29, 2, 29),
    "E": (9, 15, 0, 15),
}  # fmt: skip


def make(trials):
    rows = [
        (name, arm, responded)
        for name, (hits, n, others, m) in trials.items()
        for arm, of_arm, size in (("bont", hits, n), ("placebo", others, m))
        for responded in [1] * of_arm + [0] * (size - of_arm)
    ]
    trial, arm, responded = map(np.array, zip(*rows, strict=True))
    blank = np.full(len(trial), "", dtype=str)
    return Sample(
        features=None, outcomes=responded.astype(np.int8)[None], trial=trial, site=blank,
        cohort=blank, arm=arm, active=arm == "bont",
    )  # fmt: skip


def test_values_and_errors_are_those_of_metafor():
    # rma.mh(measure="RD") and rma.mh(measure="OR", correct=FALSE) of metafor 3.8-1, R 4.2.2.
    [found] = estimate_effects(make(TRIALS), ["bont"])
    assert found.risk_difference.value == pytest.approx(0.249859884394, abs=1e-11)
    assert found.risk_difference.standard_error == pytest.approx(0.043490736659, abs=1e-11)
    assert found.odds_ratio.value == pytest.approx(3.06826807856, abs=1e-10)
    assert found.odds_ratio.standard_error == pytest.approx(0.20492997915, abs=1e-10)
    assert found.odds_ratio.low == pytest.approx(2.05331976342, abs=1e-9)
    assert found.odds_ratio.high == pytest.approx(4.58490156751, abs=1e-9)
    assert (found.n, found.trials, found.smallest) == (461, tuple("ABCDE"), 1.0)


def test_the_interval_of_the_difference_is_where_its_score_test_rejects():
    # Sato's variance at a difference d is (d P + Q) / W2: at both ends the distance is 1.96 of it.
    [found] = estimate_effects(make(TRIALS), ["bont"])
    counts = np.array(list(TRIALS.values()), dtype=float)
    a, n, b, m = counts.T
    total, weight = n + m, (n * m / (n + m)).sum()
    p = ((n**2 * b - m**2 * a + n * m * (m - n) / 2) / total**2).sum()
    q = ((a * (m - b) + b * (n - a)) / (2 * total)).sum()
    for end in (found.risk_difference.low, found.risk_difference.high):
        error = np.sqrt(end * p + q) / weight
        assert abs(found.risk_difference.value - end) / error == pytest.approx(1.959964, abs=1e-5)


@pytest.mark.parametrize(
    ("sizes", "rate", "difference"),
    [([(15, 15)] * 3, 0.2, 0.25), ([(20, 10)] * 4, 0.5, 0.0), ([(120, 60), (30, 30)], 0.3, 0.2)],
)
def test_intervals_hold_the_truth_in_95_of_100(sizes, rate, difference):
    random, held = np.random.default_rng(1), []
    for _ in range(600):
        trials = {
            str(at): (random.binomial(n, rate + difference), n, random.binomial(m, rate), m)
            for at, (n, m) in enumerate(sizes)
        }
        [found] = estimate_effects(make(trials), ["bont"])
        held.append(found.risk_difference.low <= difference <= found.risk_difference.high)
    assert 0.925 <= np.mean(held) <= 0.975


def test_a_person_of_two_periods_counts_once_in_the_error():
    sample = make({"A": (30, 60, 20, 60)})
    alone = estimate_effects(sample, ["bont"])[0]
    # The same persons under both, each with the same outcome wherever both have one.
    paired = replace(sample, person=np.tile(np.arange(60), 2))
    found = estimate_effects(paired, ["bont"])[0]
    assert found.risk_difference.value == alone.risk_difference.value
    # Twenty respond under both and ten under the active arm alone: the paired error.
    moved = np.array([0.0] * 50 + [1.0] * 10)
    expected = moved.std(ddof=1) / np.sqrt(60)
    assert found.risk_difference.standard_error == pytest.approx(expected)
    assert found.odds_ratio.standard_error < alone.odds_ratio.standard_error


def test_a_trial_without_a_control_is_left_out_by_name():
    sample = make({**TRIALS, "F": (8, 20, 0, 0)})
    [found] = estimate_effects(sample, ["bont"])
    assert found.without_control == ("F",)
    [without] = estimate_effects(make(TRIALS), ["bont"])
    assert found.risk_difference == without.risk_difference
    [none] = estimate_effects(make({"F": (8, 20, 0, 0)}), ["bont"])
    assert none.risk_difference.reason == "no trial has the arm and a control"


@pytest.mark.parametrize("counts", [(0, 20, 0, 20), (20, 20, 20, 20), (20, 20, 0, 20)])
def test_all_or_none_have_a_value_or_a_reason_and_no_interval(counts):
    [found] = estimate_effects(make({"A": counts}), ["bont"])
    assert found.risk_difference.value == (counts[0] - counts[2]) / 20
    assert found.risk_difference.low is None and found.risk_difference.reason
    assert found.odds_ratio.value is None and found.odds_ratio.reason


def test_imputed_outcomes_are_pooled():
    sample = make(TRIALS)
    other = sample.outcomes.copy()
    other[0, :10] = 0
    both = replace(sample, outcomes=np.concatenate([sample.outcomes, other]))
    [found] = estimate_effects(both, ["bont"])
    values = [
        estimate_effects(replace(sample, outcomes=each), ["bont"])[0].risk_difference.value
        for each in (sample.outcomes, other)
    ]
    assert found.risk_difference.value == pytest.approx(np.mean(values))
    assert found.risk_difference.freedom is not None
