"""The explainable boosting machine against the package that fits it."""

import numpy as np
import pytest
from interpret.glassbox import ExplainableBoostingClassifier

from glabella.models.estimators.explainable_boosting import ExplainableBoostingModel


@pytest.mark.parametrize("pairs", [0, 4])
def test_the_kept_tables_predict_and_explain_as_interpret_does(sample, monkeypatch, pairs):
    fits = []
    fit = ExplainableBoostingClassifier.fit

    def keep(machine, X, y, init_score):
        fits.append((machine, X, init_score))
        return fit(machine, X, y, init_score=init_score)

    monkeypatch.setattr(ExplainableBoostingClassifier, "fit", keep)
    table, responded = sample(41, n=300)
    model = ExplainableBoostingModel(specs=table.specs, random_state=2, pairs=pairs)
    model.fit(table.frame, responded)
    ((machine, matrix, start),) = fits
    wanted = machine.decision_function(matrix, init_score=start)
    np.testing.assert_allclose(model.log_odds(table.frame), wanted, rtol=0, atol=1e-12)
    assert sum(len(each.columns) == 2 for each in model.tables_) == pairs
    by_term = machine.eval_terms(matrix)
    severity = by_term[:, 0] + sum(
        by_term[:, at] / 2
        for at, columns in enumerate(machine.term_features_)
        if len(columns) == 2 and 0 in columns
    )
    found = model.contributions(table.frame)
    np.testing.assert_allclose(
        found.values[:, found.features.index("severity")], severity, rtol=0, atol=1e-12
    )


def test_each_table_is_centred_on_the_training_rows(sample):
    table, responded = sample(42, n=300)
    model = ExplainableBoostingModel(specs=table.specs, random_state=2, pairs=0)
    model.fit(table.frame, responded)
    matrix = model.encoding_.transform(table.frame)
    for each in model.tables_:
        assert each.look_up(matrix).mean() == pytest.approx(0, abs=1e-9)


def test_a_class_too_rare_to_stop_by_is_still_fitted(sample):
    table, _ = sample(43)
    responded = np.zeros(120, dtype=int)
    responded[:4] = 1
    model = ExplainableBoostingModel(specs=table.specs, random_state=2).fit(table.frame, responded)
    assert model.predict_proba(table.frame)[:, 1].mean() < 0.2


def test_a_table_of_constants_gives_everybody_the_rate(sample):
    table, responded = sample(44)
    frame = table.frame.copy()
    for name in frame:
        frame[name] = frame[name].iloc[[0] * 120].to_numpy()
    model = ExplainableBoostingModel(specs=table.specs, random_state=2)
    found = model.fit(frame.astype(table.frame.dtypes), responded).predict_proba(frame)[:, 1]
    np.testing.assert_allclose(found, (responded.sum() + 0.5) / 121)
