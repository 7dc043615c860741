"""Prognostic or of the effect: by what a feature does in either arm, where the truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from glabella.explanation.roles import adjust_roles, measure_role
from glabella.features.spec import FeatureTable


def _column(sample, name):
    return sample.features.frame[name].to_numpy(dtype=float)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_works_in_the_active_arm_alone_is_of_the_effect(drawn, seed):
    sample = drawn(seed)
    found = measure_role(sample, _column(sample, "modifier"), _column(sample, "severity"))
    assert found.active.low > 0.55
    assert found.difference.low > 0
    assert found.role == "of the effect"
    assert found.beyond_severity.low > 0.55
    assert found.reversed_in == ()


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_what_works_in_both_arms_is_prognostic(drawn, seed):
    sample = drawn(seed)
    found = measure_role(sample, _column(sample, "prognostic"), None)
    assert found.control.low > 0.5
    assert found.role == "prognostic"
    assert found.beyond_severity.value is None


def test_noise_is_of_the_effect_as_seldom_as_stated(drawn):
    roles = []
    for seed in range(200):
        sample = drawn(1000 + seed, modifies=0.0, prognostic=0.0)
        roles.append(measure_role(sample, _column(sample, "first"), None).role)
    # 2.5 % on the one side; the bound is three Monte Carlo standard errors above.
    assert np.mean([role == "of the effect" for role in roles]) < 0.025 + 3 * np.sqrt(0.025 / 200)


def test_the_difference_has_the_error_of_two_independent_arms(drawn):
    values, errors = [], []
    for seed in range(150):
        sample = drawn(2000 + seed)
        found = measure_role(sample, _column(sample, "prognostic"), None).difference
        values.append(found.value)
        errors.append(found.standard_error)
    assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=0.2)


def test_a_reversal_names_its_trial(drawn):
    sample = drawn(7, n=1200, reversed_in="T3", modifies=2.0)
    found = measure_role(sample, _column(sample, "modifier"), None)
    assert found.reversed_in == ("T3",)
    assert found.pooled.i2 > 50


def test_a_perfect_predictor_stays_perfect_beside_a_trial_in_which_it_is_constant(drawn):
    sample = drawn(9)
    score = sample.labels + np.random.default_rng(9).uniform(0, 0.5, sample.n)
    alone = sample.trial == "T2"
    score[alone] = 0.3
    found = measure_role(sample, score, _column(sample, "severity"))
    assert found.active.value == found.control.value == found.beyond_severity.value == 1.0
    trials = dict(found.trials)
    assert (trials["T2"].value, trials["T2"].reason) == (None, "constant in this trial")
    assert found.pooled.left_out["T2"] == "constant in this trial"


def test_a_trial_in_which_a_feature_is_constant_makes_no_interval_narrower(drawn):
    sample = drawn(10)
    score = _column(sample, "modifier").copy()
    shorter = np.flatnonzero(sample.trial != "T2")
    score[sample.trial == "T2"] = 0.0
    without = replace(
        sample, features=FeatureTable(sample.features.frame.iloc[shorter], sample.features.specs),
        outcomes=sample.outcomes[:, shorter], trial=sample.trial[shorter],
        site=sample.site[shorter], cohort=sample.cohort[shorter], arm=sample.arm[shorter],
        active=sample.active[shorter],
    )  # fmt: skip
    found, wanted = measure_role(sample, score, None), measure_role(without, score[shorter], None)
    for name in ("active", "control", "difference"):
        assert getattr(found, name) == getattr(wanted, name)


def test_a_score_that_differs_where_the_feature_does_not_counts_as_constant(drawn):
    sample = drawn(11)
    same = (sample.trial != "T1").astype(int) * np.arange(sample.n)
    found = measure_role(sample, _column(sample, "modifier"), None, same)
    assert dict(found.trials)["T1"].reason == "constant in this trial"


def test_what_works_better_without_the_treatment_is_an_effect_in_the_other_direction(drawn):
    sample = drawn(12, n=1200, modifies=-1.5, prognostic=1.0)
    frame = sample.features.frame
    # The modifier adds under treatment what the other takes in both arms.
    score = frame["prognostic"].to_numpy() + frame["modifier"].to_numpy()
    found = measure_role(sample, score, None)
    assert found.difference.high < 0 and found.control.low > 0.5
    assert found.role == "of the effect, in the other direction"


def test_claims_are_adjusted_for_the_number_of_features(drawn):
    sample = drawn(13)
    one = measure_role(sample, _column(sample, "prognostic"), None)
    many = [replace(one, p_effect=p, p_control=None, p_trials=(p,)) for p in (0.01, 0.02, 0.04)]
    adjusted = adjust_roles(many)
    np.testing.assert_allclose([role.p_effect for role in adjusted], [0.03, 0.04, 0.04])
    np.testing.assert_allclose([role.p_trials[0] for role in adjusted], [0.03, 0.04, 0.04])
    assert all(role.p_control is None for role in adjusted)
    alone = adjust_roles([one])[0]
    assert (alone.p_effect, alone.p_control) == (one.p_effect, one.p_control)


def test_of_many_features_without_an_effect_one_is_called_so_as_seldom_as_of_one(drawn):
    wrong = 0
    for seed in range(60):
        sample = drawn(3000 + seed, n=160, modifies=0.0, prognostic=0.0)
        draw = np.random.default_rng(seed)
        roles = [measure_role(sample, draw.normal(size=sample.n), None) for _ in range(4)]
        wrong += any(role.role != "can't be told" and "effect" in role.role
                     for role in adjust_roles(roles))  # fmt: skip
    # 5 % family-wise; the bound is three Monte Carlo standard errors above.
    assert wrong / 60 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


def test_participants_without_a_value_are_excluded_and_a_constant_has_no_role(drawn):
    sample = drawn(8)
    values = _column(sample, "modifier").copy()
    values[::3] = np.nan
    assert measure_role(sample, values, None).active.low > 0.5
    constant = measure_role(sample, np.zeros(sample.n), None).active
    assert constant.value is None and "constant" in constant.reason
    nothing = measure_role(sample, np.full(sample.n, np.nan), _column(sample, "severity"))
    assert nothing.active.value is None and nothing.active.reason
    assert nothing.role == "can't be told"
