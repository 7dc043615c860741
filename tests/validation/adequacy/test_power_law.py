"""The inverse power law: it finds what was put in, and agrees with a general optimiser."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from glabella.validation.adequacy.power_law import fit_power_laws

SIZES = np.array([20.0, 35.0, 60.0, 110.0, 200.0])


@pytest.mark.parametrize("rate", [0.6, 1.0, 1.7])
def test_a_law_without_noise_is_found(rate):
    law = fit_power_laws(SIZES, [0.5 + 0.1 * (SIZES / 200.0) ** -rate])
    assert (law.floor[0], law.excess[0], law.rate[0]) == pytest.approx((0.5, 0.1, rate))
    assert law.compute_at(800.0)[0] == pytest.approx(0.5 + 0.1 * 4.0**-rate)


def test_a_noisy_curve_is_fitted_as_scipy_does():
    noise = np.array([0.01, -0.012, 0.004, 0.003, -0.002])
    curve = 0.5 + 0.1 * (SIZES / 200.0) ** -0.8 + noise
    found = fit_power_laws(SIZES, [curve])
    theirs, _ = curve_fit(
        lambda n, a, b, c: a + b * (n / 200.0) ** -c,
        SIZES,
        curve,
        p0=(0.5, 0.1, 1.0),
        sigma=1.0 / np.sqrt(np.arange(1, 6)),
    )
    assert (found.floor[0], found.excess[0]) == pytest.approx(theirs[:2], abs=0.002)
    assert found.rate[0] == pytest.approx(theirs[2], abs=0.006)


def test_a_curve_that_does_not_fall_has_no_excess():
    laws = fit_power_laws(SIZES, [np.full(5, 0.7), np.linspace(0.6, 0.7, 5)])
    assert laws.excess == pytest.approx([0.0, 0.0])
    assert laws.compute_at(800.0)[0] == pytest.approx(0.7)


def test_a_loss_is_not_expected_below_nought():
    law = fit_power_laws(SIZES, [np.array([0.9, 0.7, 0.5, 0.3, 0.1])])
    assert law.floor[0] == 0.0
    assert 0.0 < law.compute_at(800.0)[0] < 0.1


@pytest.mark.parametrize("sizes", [[10, 20, 40], [10, 20, 40, 40]])
def test_too_few_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="four sizes"):
        fit_power_laws(sizes, [np.ones(len(sizes))])
