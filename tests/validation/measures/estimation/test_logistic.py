"""Maximum likelihood with participants as clusters, against statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit

from glabella.validation.measures.estimation.logistic import fit_clustered


def _draw(seed, n=120, repeats=3):
    random = np.random.default_rng(seed)
    x = random.normal(size=n * repeats)
    who = np.repeat(np.arange(n), repeats)
    outcome = (random.random(n) < expit(0.5 + random.normal(size=n)))[who].astype(float)
    return outcome, np.column_stack([np.ones(len(x)), x, x**2]), who, random.normal(size=len(x))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("has_offset", [True, False])
def test_coefficients_and_covariance_are_those_of_statsmodels(seed, has_offset):
    outcome, design, who, offset = _draw(seed)
    given = offset if has_offset else None
    model = sm.GLM(outcome, design, family=sm.families.Binomial(), offset=given)
    wanted = model.fit(
        tol=1e-13, cov_type="cluster", cov_kwds={"groups": who, "use_correction": False}
    )
    found = fit_clustered(outcome, design, who, offset=given)
    np.testing.assert_allclose(found.coefficients, wanted.params, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.covariance, wanted.cov_params() * 120 / 117, rtol=1e-6)


def test_predictions_repeated_make_no_interval_narrower():
    outcome, design, who, _ = _draw(1, repeats=1)
    once = fit_clustered(outcome, design, who)
    twice = np.tile(np.arange(120), 2)
    again = fit_clustered(outcome[twice], design[twice], who[twice])
    np.testing.assert_allclose(again.covariance, once.covariance, rtol=1e-9)


def test_predictions_far_off_are_recalibrated_all_the_same():
    # Newton's first steps overshoot here.
    outcome, _, who, _ = _draw(2, repeats=1)
    offset = np.where(outcome > 0, -12.0, 12.0)
    offset[:10] *= -1
    found = fit_clustered(outcome, np.ones((120, 1)), who, offset=offset)
    assert np.sum(outcome - expit(offset + found.coefficients[0])) == pytest.approx(0, abs=1e-6)


def test_a_likelihood_without_maximum_or_a_column_too_many_gives_nothing():
    x = np.linspace(-1, 1, 40)
    design = np.column_stack([np.ones(40), x])
    assert fit_clustered((x > 0).astype(float), design, np.arange(40)) is None
    doubled = np.column_stack([design, x])
    outcome = (np.arange(40) % 3 == 0).astype(float)
    assert fit_clustered(outcome, doubled, np.arange(40)) is None
