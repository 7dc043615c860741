"""Recalibration: a slope where it gains, an intercept for each arm, and what each adds."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.model_selection import StratifiedKFold

from glabella.models.arm_steps import ArmSteps
from glabella.models.estimators.boosted_trees import XGBoostModel
from glabella.models.estimators.linear import RidgeModel
from glabella.models.estimators.recalibrated import (
    ArmRecalibratedModel,
    CalibratedModel,
    learn_arm_steps,
    learn_calibration,
)


def draw(seed, n, noise):
    random = np.random.default_rng(seed)
    truth = random.normal(size=n)
    responded = (random.random(n) < expit(truth)).astype(int)
    return np.array([truth + random.normal(0, each, n) for each in noise]), responded


def test_overconfident_log_odds_are_recalibrated_and_good_ones_left():
    splits = list(
        StratifiedKFold(5, shuffle=True, random_state=1).split(np.zeros(2000), [0, 1] * 1000)
    )
    adopted = 0
    for seed in range(20):
        (good,), responded = draw(seed, 2000, [0.0])
        slope, intercept, again = learn_calibration(3.0 * good + 1.0, responded, splits)
        assert slope == pytest.approx(1 / 3, abs=0.07)
        assert intercept == pytest.approx(-1 / 3, abs=0.15)
        # What is held out was calibrated by other folds' rows.
        assert not np.allclose(again, slope * (3.0 * good + 1.0) + intercept, atol=1e-6)
        adopted += learn_calibration(good, responded, splits) is not None
    assert adopted <= 2


def test_a_calibration_is_applied_to_contributions_too(sample):
    table, responded = sample(10)
    ridge = RidgeModel(table.specs).fit(table.frame, responded)
    model = CalibratedModel(ridge, slope=0.5, intercept=-0.2)
    np.testing.assert_allclose(
        model.log_odds(table.frame), 0.5 * ridge.log_odds(table.frame) - 0.2, rtol=1e-12
    )
    parts = model.contributions(table.frame)
    np.testing.assert_allclose(
        parts.values.sum(axis=1) + parts.base, model.log_odds(table.frame), atol=1e-9
    )


def recalibrate(sample):
    table, responded = sample(12, 400)
    columns = table.columns
    splits = list(StratifiedKFold(4, shuffle=True, random_state=0).split(responded, responded))
    # Without the arm, which the steps are to bring back.
    patient = [spec for spec in table.specs if spec.part == "patient"]
    model = XGBoostModel(patient, random_state=1, n_trees=20)
    held_out = np.empty(len(responded))
    for train, test in splits:
        fitted = model.fit(columns.take(train), responded[train])
        held_out[test] = fitted.log_odds(columns.take(test))
    model = XGBoostModel(table.specs, random_state=1, n_trees=20).fit(columns, responded)
    return table, responded, model, held_out, splits


def test_each_arm_expects_as_many_responders_as_it_has(sample):
    table, responded, _, held_out, splits = recalibrate(sample)
    steps, _ = learn_arm_steps(held_out, responded, table.columns, table.specs, splits)
    shifted = expit(held_out + steps.find_values(table.columns, table.specs))
    for arm in ("bont", "control"):
        members = (table.frame["arm"] == arm).to_numpy()
        assert shifted[members].mean() == pytest.approx(responded[members].mean(), abs=1e-3)
        assert abs(expit(held_out)[members].mean() - responded[members].mean()) > 0.02


def test_a_row_is_recalibrated_by_what_the_other_folds_teach(sample):
    table, responded, _, held_out, splits = recalibrate(sample)
    _, again = learn_arm_steps(held_out, responded, table.columns, table.specs, splits)
    train, test = splits[1]
    # The same with the outcomes of the fold turned round: its own predictions stay.
    other = responded.copy()
    other[test] = 1 - other[test]
    _, turned = learn_arm_steps(held_out, other, table.columns, table.specs, splits)
    np.testing.assert_array_equal(again[test], turned[test])
    assert np.abs(again[train] - turned[train]).max() > 0.01


def test_without_two_arms_nothing_is_learnt(sample):
    table, responded, _, held_out, splits = recalibrate(sample)
    patient = [spec for spec in table.specs if spec.part == "patient"]
    assert learn_arm_steps(held_out, responded, table.columns, patient, splits) is None
    bont = np.flatnonzero(table.frame["arm"] == "bont")
    alone = table.columns.take(bont)
    assert learn_arm_steps(held_out[bont], responded[bont], alone, table.specs, []) is None


def test_the_intercept_of_an_arm_is_attributed_to_the_arm(sample):
    table, _, model, _, _ = recalibrate(sample)
    whole = ArmRecalibratedModel(model, ArmSteps({"bont": 0.5, "control": -0.3}, 0.1))
    np.testing.assert_allclose(
        whole.log_odds(table.frame) - model.log_odds(table.frame),
        np.where(table.frame["arm"] == "bont", 0.5, -0.3),
        atol=1e-12,
    )
    before, parts = model.contributions(table.frame), whole.contributions(table.frame)
    arm = parts.features.index("arm")
    np.testing.assert_allclose(
        parts.values[:, arm] - before.values[:, arm],
        np.where(table.frame["arm"] == "bont", 0.4, -0.4),
    )
    np.testing.assert_array_equal(np.delete(parts.values, arm, 1), np.delete(before.values, arm, 1))
    total = parts.values.sum(axis=1) + parts.base
    np.testing.assert_allclose(total, whole.log_odds(table.frame), atol=1e-5)
    pairs = whole.interactions(table.frame).values
    np.testing.assert_allclose(pairs.sum(axis=2), parts.values, atol=1e-5)


def test_against_a_background_the_arms_mean_there_is_nought(sample):
    table, _, model, _, _ = recalibrate(sample)
    whole = ArmRecalibratedModel(model, ArmSteps({"bont": 0.5, "control": -0.3}, 0.1))
    weight = np.full(100, 0.01)
    whole.explain_against(table.frame[:100], weight)
    parts = whole.contributions(table.frame[:100])
    np.testing.assert_allclose(weight @ parts.values, 0.0, atol=1e-6)
    total = parts.values.sum(axis=1) + parts.base
    np.testing.assert_allclose(total, whole.log_odds(table.frame[:100]), atol=1e-5)
