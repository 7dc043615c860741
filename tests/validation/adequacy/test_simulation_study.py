"""Summaries of repeats, on repeats whose properties are known."""

import numpy as np
import pandas as pd
import pytest

from glabella.validation.adequacy.simulation_study import (
    Proportion,
    count_share,
    summarise_repeats,
    tabulate_claims,
    tabulate_repeats,
)

RANDOM = np.random.default_rng(20261128)
QUANTILE = 1.959964


def draw_estimates(truth, error, n):
    value = truth + error * RANDOM.standard_normal(n)
    return {"value": value, "low": value - QUANTILE * error, "high": value + QUANTILE * error}


def test_a_sound_interval_is_found_sound():
    found = summarise_repeats(
        **draw_estimates(0.6, 0.05, 4000), truth=np.full(4000, 0.6), null_value=0.5
    )
    assert found.coverage.is_compatible(0.95, 0.95)
    assert found.coverage.error == pytest.approx(np.sqrt(0.95 * 0.05 / 4000), rel=0.1)
    assert abs(found.bias) < 3 * found.bias_error
    assert found.bias_error == pytest.approx(0.05 / np.sqrt(4000), rel=0.05)
    assert found.rmse == pytest.approx(0.05, rel=0.05)
    assert found.width == pytest.approx(2 * QUANTILE * 0.05)
    # P(Z > 1.96 - 2) for an effect of two standard errors.
    assert found.power.value == pytest.approx(0.516, abs=0.03)


def test_a_biased_estimate_and_a_narrow_interval_are_found_out():
    value = 0.62 + 0.05 * RANDOM.standard_normal(4000)
    found = summarise_repeats(
        value=value, low=value - 0.05, high=value + 0.05, truth=np.full(4000, 0.6)
    )
    assert found.bias == pytest.approx(0.02, abs=0.003)
    assert not found.coverage.is_compatible(0.93, 0.97)
    assert found.power.repeats == 0


def test_the_truth_of_these_trials_is_told_from_the_chance_of_a_training():
    # What trials have of their own moves truth and estimate alike; a training's chance does not.
    own, n = 0.6 + 0.06 * RANDOM.standard_normal(4000), 4000
    trainings = own[:, None] + 0.02 * RANDOM.standard_normal((n, 2))
    estimates = draw_estimates(own, 0.05, n)
    found = summarise_repeats(**estimates, truth=trainings[:, 0], again=trainings[:, 1])
    assert found.truth_sd == pytest.approx(0.06, rel=0.06)
    assert found.coverage.is_compatible(0.93, 0.96)
    # Held against the mean over all trials it would seem far too narrow.
    blind = summarise_repeats(**estimates, truth=trainings.mean(axis=1))
    assert blind.coverage.value < 0.85


def test_where_trials_are_alike_the_truth_is_that_of_all():
    n = 4000
    trainings = 0.6 + 0.03 * RANDOM.standard_normal((n, 2))
    found = summarise_repeats(
        **draw_estimates(0.6, 0.05, n), truth=trainings[:, 0], again=trainings[:, 1]
    )
    assert found.truth_sd < 0.006
    assert found.coverage.is_compatible(0.945, 0.955)


def test_a_prediction_must_hold_each_repeats_own():
    own = 0.6 + 0.1 * RANDOM.standard_normal(2000)
    narrow = np.full(2000, 0.6)
    repeats = {"value": narrow, "low": narrow - 0.01, "high": narrow + 0.01, "truth": own}
    assert summarise_repeats(**repeats).coverage.value == 1.0
    assert summarise_repeats(**repeats, is_prediction=True).coverage.value < 0.12


def test_weights_shift_the_expected_value():
    found = summarise_repeats(
        value=[1.0, 1.0], low=[0, 0], high=[2, 2], truth=[1.0, 3.0], weight=[3, 1]
    )
    assert found.truth == 1.5


def test_the_error_of_a_bias_is_that_of_the_weighted_mean():
    # Trials of unlike size, each left out in turn: the mean truth is known far better than the
    # products of truth and weight vary.
    n, biases, errors = 120, [], []
    for _ in range(300):
        weight = np.tile([3.0, 1.0, 0.2], n // 3)
        own = np.tile([0.7, 0.6, 0.4], n // 3) + 0.02 * RANDOM.standard_normal(n)
        value = 0.66 + 0.03 * RANDOM.standard_normal(n)
        found = summarise_repeats(value=value, low=value, high=value, truth=own, weight=weight)
        biases.append(found.bias)
        errors.append(found.bias_error)
    assert np.std(biases) <= np.mean(errors) < 0.02


def test_intervals_on_either_side_of_chance_are_told_apart():
    found = summarise_repeats(
        value=[0.3, 0.5, 0.7, 0.8], low=[0.2, 0.4, 0.6, 0.45], high=[0.4, 0.6, 0.8, 0.9],
        truth=[0.5] * 4, null_value=0.5,
    )  # fmt: skip
    assert (found.power.value, found.worse.value) == (0.25, 0.25)


def test_the_error_of_a_coverage_counts_that_its_truth_is_estimated():
    # Coverage of the same procedure in many studies of 200 repeats each.
    shares, errors = [], []
    for _ in range(60):
        own = 0.6 + 0.06 * RANDOM.standard_normal(200)
        trainings = own[:, None] + 0.04 * RANDOM.standard_normal((200, 2))
        found = summarise_repeats(
            **draw_estimates(own, 0.03, 200), truth=trainings[:, 0], again=trainings[:, 1]
        )
        shares.append(found.coverage.value)
        errors.append(found.coverage.error)
    spread = np.std(shares, ddof=1)
    assert np.mean(errors) > 0.8 * spread
    # As if the truth were known, it would be told too well.
    assert np.sqrt(0.95 * 0.05 / 200) < 0.9 * spread


def test_what_was_not_estimated_is_counted_and_not_judged():
    found = summarise_repeats(
        value=[0.5, np.nan, 0.7], low=[0.4, np.nan, np.nan], high=[0.6, np.nan, np.nan],
        truth=[0.55, 0.55, 0.55],
    )  # fmt: skip
    assert (found.repeats, found.not_estimated, found.coverage.repeats) == (2, 1, 1)
    assert found.mean == pytest.approx(0.6)


def test_nothing_known_gives_nothing():
    nothing = [np.nan, np.nan]
    found = summarise_repeats(value=nothing, low=nothing, high=nothing, truth=nothing)
    assert found.truth is found.bias is found.rmse is found.width is found.sd is None
    assert found.coverage == Proportion(None, None, 0)


def test_the_error_of_a_share_does_not_vanish_where_all_held():
    assert count_share([True] * 100).error > 0.01
    assert not Proportion(None, None, 0).is_compatible(0, 1)
    assert not Proportion(0.90, 0.01, 900).is_compatible(0.93, 0.97)
    assert not Proportion(1.0, 0.01, 100).is_compatible(0.93, 0.97)


def test_a_table_keeps_figures_apart():
    rows = [
        {"design": d, "candidate": "ridge", "kind": kind, "measure": "auc", "value": 0.6,
         "low": 0.5, "high": 0.7, "truth": truth, "again": np.nan, "weight": 1.0}
        for d, kind in (("pooled", "estimate"), ("across", "prediction, of some kind"))
        for truth in (0.65, 0.8)
    ]  # fmt: skip
    table = tabulate_repeats(pd.DataFrame(rows)).set_index("design")
    assert table.loc["pooled", "truth"] == pytest.approx(0.725)
    assert table.loc["pooled", "coverage"] == 0.0
    assert table.loc["across", "coverage"] == 0.5


def test_false_claims_are_counted_by_repeat():
    rows = [
        {"repeat": r, "claim": "stands out", "of": of, "made": made, "true": true}
        for r, made_of in enumerate([(1, 1, 1), (1, 0, 0), (0, 0, 1), (0, 0, 0)])
        for of, made, true in zip("abc", made_of, (True, False, False), strict=True)
    ]
    table = tabulate_claims(pd.DataFrame(rows), repeats=5).set_index("of")
    assert table.loc["a", "rate"] == 0.5 and table.loc["a", "true"]
    # In the first and the third of five repeats; the fifth could make no claim at all.
    assert table.loc["any, falsely", "rate"] == pytest.approx(0.4)
    assert table.loc["any, falsely", "repeats"] == 5


@pytest.mark.parametrize("narrow", [1.0, 0.8])
def test_what_is_unknown_of_the_truth_makes_no_sound_interval_look_narrow(narrow):
    # As in the study: trials' own spread, chance of a training and error of the estimate alike.
    draw = np.random.default_rng(3)
    n = 20_000
    own = draw.normal(0.57, 0.010, n)
    fresh = own + draw.normal(0.0, 0.016, (2, n))
    estimate = own - 0.003 + draw.normal(0.0, 0.015, n)
    half = narrow * 1.96 * 0.015
    held = np.mean(np.abs(estimate - own) <= half)
    found = summarise_repeats(
        value=estimate, low=estimate - half, high=estimate + half, truth=fresh[0], again=fresh[1]
    )
    assert found.coverage.value == pytest.approx(held, abs=0.006)
