"""Ensembles: weights, what they are learnt from, and what is composed through files."""

import json

import numpy as np
import pytest
from scipy.special import expit
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from glabella.errors import BundleError
from glabella.models.arm_steps import ArmSteps
from glabella.models.build import MODEL_FILE, export_model, restore_model
from glabella.models.estimators.boosted_trees import XGBoostModel
from glabella.models.estimators.composed import EnsembleModel, learn_weights
from glabella.models.estimators.linear import RidgeModel, SplineModel
from glabella.models.estimators.random_forest import RandomForestModel
from glabella.models.estimators.recalibrated import ArmRecalibratedModel, CalibratedModel


def draw(seed, n, noise):
    random = np.random.default_rng(seed)
    truth = random.normal(size=n)
    responded = (random.random(n) < expit(truth)).astype(int)
    return np.array([truth + random.normal(0, each, n) for each in noise]), responded


def test_the_better_member_gets_the_weight_where_there_are_participants_enough():
    held_out, responded = draw(1, 20_000, [0.0, 2.0])
    weights = learn_weights(held_out, responded, deviation=0.1)
    assert weights[0] > 0.9
    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0).all()


def test_few_participants_leave_the_weights_nearly_equal():
    for seed in range(10):
        held_out, responded = draw(seed, 40, [0.5, 0.5, 0.5])
        weights = learn_weights(held_out, responded, deviation=0.1)
        np.testing.assert_allclose(weights, 1 / 3, atol=0.2)


def test_the_weights_are_at_the_best_of_what_they_are_held_to():
    held_out, responded = draw(3, 300, [0.2, 1.0])
    found = learn_weights(held_out, responded, deviation=0.1)

    def lose(first):
        log_odds = first * held_out[0] + (1 - first) * held_out[1]
        loss = np.logaddexp(0, log_odds).sum() - log_odds @ responded
        return loss + (first - 0.5) ** 2 / 0.1**2

    grid = np.linspace(0, 1, 2001)
    assert found[0] == pytest.approx(grid[np.argmin([lose(first) for first in grid])], abs=1e-3)


def test_log_odds_and_contributions_are_the_weighted_sum(sample):
    table, responded = sample(5)
    members = [
        RidgeModel(table.specs).fit(table.frame, responded),
        XGBoostModel(table.specs, random_state=1, n_trees=8).fit(table.frame, responded),
    ]
    model = EnsembleModel.join(members, np.array([0.3, 0.7]))
    expected = 0.3 * members[0].log_odds(table.frame) + 0.7 * members[1].log_odds(table.frame)
    np.testing.assert_allclose(model.log_odds(table.frame), expected, rtol=1e-12)
    parts = model.contributions(table.frame)
    np.testing.assert_allclose(parts.values.sum(axis=1) + parts.base, expected, atol=1e-5)


def test_an_ensemble_learns_its_weights_from_rows_that_members_did_not_see(sample):
    table, responded = sample(6)
    members = [RidgeModel(table.specs), SplineModel(table.specs)]
    model = EnsembleModel(table.specs, random_state=2, members=members).fit(table.frame, responded)
    folds = StratifiedKFold(5, shuffle=True, random_state=2)
    held_out = np.array(
        [
            cross_val_predict(member, table.frame, responded, cv=folds, method="decision_function")
            for member in members
        ]
    )
    np.testing.assert_allclose(
        model.weights_, learn_weights(held_out, responded, deviation=0.2), atol=1e-9
    )


def test_rows_of_a_group_stay_together_and_groups_can_be_routed(sample):
    table, responded = sample(7)
    groups = np.arange(120) // 4
    model = EnsembleModel(table.specs, random_state=2).fit(table.frame, responded, groups=groups)
    other = EnsembleModel(table.specs, random_state=2).fit(table.frame, responded)
    assert not np.array_equal(model.weights_, other.weights_)
    assert EnsembleModel().get_metadata_routing().fit.requests["groups"] is None


@pytest.mark.parametrize("weights", [[0.5, 0.6], [-0.1, 1.1], [1.0]])
def test_weights_that_are_none_are_refused(sample, weights):
    table, responded = sample(8)
    members = [RidgeModel(table.specs, c=c).fit(table.frame, responded) for c in (0.1, 1.0)]
    with pytest.raises(ValueError, match="weight"):
        EnsembleModel.join(members, np.array(weights))


def test_a_member_that_does_not_add_up_on_the_log_odds_scale_is_refused(sample):
    table, responded = sample(9)
    model = EnsembleModel(table.specs, members=[RandomForestModel()])
    with pytest.raises(ValueError, match="does not add up on the log-odds scale"):
        model.fit(table.frame, responded)


def compose(sample):
    table, responded = sample(11)
    trees = XGBoostModel(table.specs, random_state=1, n_trees=8).fit(table.frame, responded)
    ridge = RidgeModel(table.specs).fit(table.frame, responded)
    members = [CalibratedModel(trees, 0.8, 0.1), ridge]
    joined = CalibratedModel(EnsembleModel.join(members, np.array([0.25, 0.75])), 1.2, 0.3)
    return ArmRecalibratedModel(joined, ArmSteps({"bont": 0.2, "control": -0.1}, 0.05)), table


def test_what_is_composed_comes_back_from_its_files_to_the_last_bit(sample):
    model, table = compose(sample)
    files = export_model(model)
    assert set(files) == {MODEL_FILE, "model_001.ubj"}
    again = restore_model(files, table.specs)
    np.testing.assert_array_equal(again.log_odds(table.frame), model.log_odds(table.frame))
    assert export_model(again) == files


def find_ensemble(content):
    return content["recalibrated"]["calibrated"]


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["arms"]["by_arm"].update(other=0.1),
        lambda c: c["arms"]["by_arm"].update(bont="1"),
        lambda c: c["arms"].update(center=None),
        lambda c: c["arms"].pop("center"),
        lambda c: c["recalibrated"].update(slope=-1.0),
        lambda c: c["recalibrated"].update(slope="1"),
        lambda c: c["recalibrated"].update(intercept=float("nan")),
        lambda c: find_ensemble(c).update(weights=[0.5, 0.6]),
        lambda c: find_ensemble(c)["ensemble"].pop(),
        lambda c: find_ensemble(c)["ensemble"][0]["calibrated"].update(binary="model_002.ubj"),
        lambda c: find_ensemble(c)["ensemble"][0]["calibrated"].pop("binary"),
        lambda c: find_ensemble(c)["ensemble"][1].update(binary="model_001.ubj"),
    ],
)
def test_an_altered_composition_is_refused(sample, change):
    model, table = compose(sample)
    files = export_model(model)
    content = json.loads(files[MODEL_FILE])
    change(content)
    with pytest.raises(BundleError):
        restore_model({**files, MODEL_FILE: json.dumps(content).encode()}, table.specs)
