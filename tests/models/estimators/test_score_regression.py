"""The score modelled first: what it gains, and how it treats scores that are not there."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from glabella.features.spec import FeatureSpec
from glabella.models.estimators import score_regression
from glabella.models.estimators.linear import RidgeModel
from glabella.models.estimators.score_regression import ScoreRegressionModel

SPECS = tuple(FeatureSpec(f"x{at}", f"X{at}", "number") for at in range(4))


def draw(seed, n):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(n, 4)), columns=[spec.name for spec in SPECS])
    mean = 0.3 * frame["x0"] - 0.2 * frame["x1"] - 0.1
    margin = (mean + random.logistic(scale=0.3, size=n)).to_numpy()
    return frame, (margin >= 0).astype(int), margin, expit(mean / 0.3).to_numpy()


def test_the_probability_of_a_positive_margin_is_recovered():
    frame, responded, margin, truth = draw(1, 20_000)
    model = ScoreRegressionModel(SPECS).fit(frame, responded, margin=margin)
    np.testing.assert_allclose(model.predict_proba(frame)[:, 1], truth, atol=0.02)


def test_with_scores_less_is_lost_than_with_responses_alone():
    lost = {"score": [], "response": []}
    for seed in range(30):
        frame, responded, margin, _ = draw(seed, 60)
        new, _, _, truth = draw(1000 + seed, 2000)
        fits = {
            "score": ScoreRegressionModel(SPECS).fit(frame, responded, margin=margin),
            "response": RidgeModel(SPECS).fit(frame, responded),
        }
        for name, model in fits.items():
            log_odds = model.log_odds(new)
            lost[name].append(np.mean(np.logaddexp(0, log_odds) - truth * log_odds))
    gain = np.array(lost["response"]) - np.array(lost["score"])
    assert gain.mean() > 2 * gain.std(ddof=1) / np.sqrt(30)


def test_as_many_responses_are_expected_as_were_seen():
    frame, responded, margin, _ = draw(2, 200)
    # A skewed residual, which a logistic distribution does not fit.
    margin = np.where(margin > 0, margin**2, margin)
    model = ScoreRegressionModel(SPECS).fit(frame, responded, margin=margin)
    assert model.predict_proba(frame)[:, 1].mean() == pytest.approx(responded.mean(), abs=0.01)


def test_the_unit_of_the_score_does_not_matter():
    frame, responded, margin, _ = draw(3, 150)
    one = ScoreRegressionModel(SPECS).fit(frame, responded, margin=margin)
    other = ScoreRegressionModel(SPECS).fit(frame, responded, margin=63.0 * margin)
    np.testing.assert_allclose(one.log_odds(frame), other.log_odds(frame), rtol=1e-6, atol=1e-9)


def test_who_has_no_score_counts_with_the_response_alone():
    frame, responded, margin, truth = draw(4, 5000)
    lacking = np.random.default_rng(5).random(5000) < 0.4
    part = np.where(lacking, np.nan, margin)
    model = ScoreRegressionModel(SPECS).fit(frame, responded, margin=part)
    assert np.abs(model.predict_proba(frame)[:, 1] - truth).mean() < 0.02
    # Without any score it is a regression on responses: still the same direction.
    blind = ScoreRegressionModel(SPECS).fit(frame, responded)
    assert np.corrcoef(blind.log_odds(frame), model.log_odds(frame))[0, 1] > 0.99


def test_a_score_that_did_not_decide_the_response_is_not_used():
    frame, responded, margin, _ = draw(6, 300)
    # Rescue made these non-responders, whatever their score.
    rescued = np.random.default_rng(7).random(300) < 0.2
    counted = np.where(rescued, 0, responded)
    said = ScoreRegressionModel(SPECS).fit(frame, counted, margin=margin)
    hidden = np.where((margin >= 0) & rescued, np.nan, margin)
    known = ScoreRegressionModel(SPECS).fit(frame, counted, margin=hidden)
    np.testing.assert_array_equal(said.coefficients_, known.coefficients_)


@pytest.mark.parametrize("free", [[False] * 3, [False, False, True]])
def test_predictions_of_rows_left_out_are_those_of_refits(monkeypatch, free):
    monkeypatch.setattr(score_regression, "DEVIATIONS", (0.4,))
    random = np.random.default_rng(8)
    matrix = random.normal(size=(30, 3))
    matrix -= matrix.mean(axis=0)
    target = matrix @ [0.5, 0.0, -0.3] + random.normal(size=30)
    found = score_regression._fit_regression(matrix, np.array(free), target, 0.0).left_out
    penalty = np.diag([0.0, *np.where(free, 0.0, (np.pi / np.sqrt(3) / 0.4) ** 2)])
    for row in range(30):
        others = np.arange(30) != row
        design = np.column_stack([np.ones(29), matrix[others]])
        solved = np.linalg.solve(design.T @ design + penalty, design.T @ target[others])
        assert found[row] == pytest.approx(solved[0] + matrix[row] @ solved[1:], abs=1e-9)


@pytest.mark.parametrize("margin", [[0.1] * 3, [np.inf] * 40])
def test_margins_that_are_none_are_refused(margin):
    frame, responded, _, _ = draw(9, 40)
    with pytest.raises(ValueError, match="there is not one finite margin for each row"):
        ScoreRegressionModel(SPECS).fit(frame, responded, margin=margin)
