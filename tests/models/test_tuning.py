"""Tuning: settings read off one fit equal separate fits, and hopeless ones are left early."""

from typing import ClassVar

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from glabella.models.estimators.boosted_trees import XGBoostModel
from glabella.models.estimators.elastic_net import ElasticNetModel
from glabella.models.estimators.linear import RidgeModel
from glabella.models.tuning import TrainingRows, choose_settings

PATHS = {
    "ridge": (RidgeModel, {}, [{"c": c} for c in (10.0, 0.01, 0.3)], 1e-6),
    "elastic_net": (
        ElasticNetModel,
        {},
        [
            {"penalty": penalty, "l1_share": share}
            for penalty in (0.01, 0.2)
            for share in (0.2, 1.0)
        ],
        1e-3,
    ),
    "xgboost": (
        XGBoostModel,
        {"max_depth": 2, "subsample": 0.7},
        [{"n_trees": trees, "penalty": penalty} for penalty in (1.0, 9.0) for trees in (12, 3, 7)],
        1e-5,
    ),
    "forests": (
        XGBoostModel,
        {"trees_per_round": 5, "learning_rate": 0.3},
        [{"n_trees": rounds} for rounds in (4, 1, 2)],
        1e-5,
    ),
}


@pytest.mark.parametrize("name", PATHS)
def test_settings_read_off_a_path_predict_as_separate_fits(sample, name):
    kind, fixed, settings, tolerance = PATHS[name]
    table, responded = sample(1)
    new, _ = sample(2, n=40)
    model = kind(table.specs, random_state=3, **fixed)
    together = model.predict_settings(settings, table.frame, responded, new.frame)
    for setting, predicted in zip(settings, together, strict=True):
        alone = kind(table.specs, random_state=3, **fixed, **setting)
        alone.fit(table.frame, responded)
        np.testing.assert_allclose(predicted, alone.log_odds(new.frame), atol=tolerance)


class Counted(RidgeModel):
    """Notes how many settings each fold is asked for."""

    asked: ClassVar[list[int]] = []

    def predict_settings(self, settings, X, y, held_out, **more):
        Counted.asked.append(len(settings))
        return super().predict_settings(settings, X, y, held_out, **more)


def test_a_hopeless_setting_is_left_and_the_best_is_held_out_everywhere(sample):
    table, _ = sample(4, n=300)
    severity = table.frame["severity"].fillna(50.0)
    responded = (severity + np.random.default_rng(5).normal(0, 5, 300) > 50).astype(int).to_numpy()
    rows = TrainingRows(table.frame, responded)
    splits = list(StratifiedKFold(5, shuffle=True, random_state=6).split(responded, responded))
    Counted.asked = []
    settings = [{"c": c} for c in (1e-6, 1e-4, 0.1, 1.0)]
    tuned = choose_settings(Counted(table.specs), settings, rows, splits)
    assert Counted.asked[0] == 4
    assert Counted.asked[-1] <= 2
    assert tuned.setting["c"] in (0.1, 1.0)
    assert np.isfinite(tuned.held_out).all()
    for train, test in splits:
        fit = RidgeModel(table.specs, **tuned.setting)
        fit.fit(table.frame.iloc[train], responded[train])
        np.testing.assert_allclose(
            tuned.held_out[test], fit.log_odds(table.frame.iloc[test]), atol=1e-6
        )


def test_settings_that_are_alike_are_all_kept_to_the_end(sample):
    table, responded = sample(7)
    rows = TrainingRows(table.frame, responded)
    splits = list(StratifiedKFold(4, shuffle=True, random_state=6).split(responded, responded))
    Counted.asked = []
    choose_settings(Counted(table.specs), [{"c": 0.100}, {"c": 0.101}], rows, splits)
    assert Counted.asked == [2, 2, 2, 2]
