"""What boosted trees and forests have in common: their rows, their sum of bytes, their checks."""

import numpy as np
import pytest
import xgboost

from glabella.errors import AnalysisError
from glabella.models.estimators.boosted_trees import XGBoostModel
from glabella.models.estimators.random_forest import RandomForestModel

KINDS = pytest.mark.parametrize("kind", [XGBoostModel, RandomForestModel])


@KINDS
def test_trees_of_another_model_are_refused_before_xgboost_reads_them(sample, kind):
    table, responded = sample(63)
    one = kind(table.specs, random_state=1, n_trees=5).fit(table.frame, responded)
    other = kind(table.specs, random_state=1, n_trees=5).fit(table.frame, 1 - responded)
    restored = kind(table.specs, n_trees=5)
    restored.restore_state(one.export_state())
    with pytest.raises(ValueError, match="the trees are not those of the model"):
        restored.restore_binary(other.export_binary())


@KINDS
def test_a_table_without_rows_has_no_predictions_and_no_contributions(sample, kind):
    table, responded = sample(63)
    model = kind(table.specs, random_state=1, n_trees=5).fit(table.frame, responded)
    none = table.frame.iloc[:0]
    assert model.log_odds(none).shape == (0,)
    assert model.contributions(none).values.shape == (0, len(model.contributions(none).features))


def test_an_error_of_xgboost_is_told_without_its_own_message(sample, monkeypatch):
    table, responded = sample(63)
    model = XGBoostModel(table.specs, random_state=1, n_trees=5).fit(table.frame, responded)

    class Broken:
        def predict(self, rows, **what):
            raise xgboost.core.XGBoostError("row 3: severity 41.5")

    monkeypatch.setattr(model, "booster_", Broken())
    with pytest.raises(AnalysisError) as caught:
        model.log_odds(table.frame)
    assert str(caught.value) == (
        "XGBoost can't compute what was asked of the model's trees\n"
        "  Train the model again; if that does not help, report this with the version of XGBoost."
    )


def test_attributions_that_miss_their_prediction_are_refused(sample, monkeypatch):
    table, responded = sample(63)
    model = XGBoostModel(table.specs, random_state=1, n_trees=5).fit(table.frame, responded)
    booster = model.booster_

    class Off:
        def predict(self, rows, **what):
            found = booster.predict(rows, **what)
            return found + 0.01 if what.get("pred_contribs") else found

    monkeypatch.setattr(model, "booster_", Off())
    with pytest.raises(AnalysisError, match="XGBoost's attributions miss its prediction by up to"):
        model.contributions(table.frame)


def test_the_stated_background_is_kept_with_the_model_and_only_then(sample):
    table, responded = sample(63)
    model = XGBoostModel(table.specs, random_state=1, n_trees=5).fit(table.frame, responded)
    assert "background" not in model.export_state()
    model.explain_against(table.frame.iloc[:20], np.full(20, 0.05))
    assert "background" in model.export_state()
