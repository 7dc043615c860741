"""Prognostic or of the effect: by what a feature does in either arm, where the truth is known."""

import numpy as np
import pytest

from glabella.explanation.roles import measure_role


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


def test_who_lacks_the_value_is_left_out_and_a_constant_tells_nothing(drawn):
    sample = drawn(8)
    values = _column(sample, "modifier").copy()
    values[::3] = np.nan
    assert measure_role(sample, values, None).active.low > 0.5
    assert measure_role(sample, np.zeros(sample.n), None).active.value == 0.5
    nothing = measure_role(sample, np.full(sample.n, np.nan), _column(sample, "severity"))
    assert nothing.active.value is None and nothing.active.reason
    assert nothing.role == "can't be told"
