"""The penalised logistic regressions against scikit-learn on the same matrix."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from glabella.features.spec import FeatureTable
from glabella.models.encoding import fit_encoding
from glabella.models.estimators.linear import ArmAndSeverityModel, RidgeModel

Sample = Callable[..., tuple[FeatureTable, np.ndarray]]


@pytest.mark.parametrize("c", [0.001, 0.1, 1.0, 10.0])
def test_ridge_equals_scikit_learn_on_the_same_matrix(sample: Sample, c: float) -> None:
    table, responded = sample(41)
    specs = [spec for spec in table.specs if spec.part != "trial"]
    encoding = fit_encoding(table.frame, specs, fill_and_scale=True)
    # A column times a factor has a prior that is wider by the factor: the arm's is not shrunk.
    widened = [5.0 / np.sqrt(c) if each.feature == "arm" else 1.0 for each in encoding.columns]
    matrix = encoding.transform(table.frame) * widened
    # Another solver than ours, run to a far tighter end.
    reference = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-12, max_iter=100_000)
    reference.fit(matrix, responded)
    model = RidgeModel(table.specs, c=c).fit(table.frame, responded)
    np.testing.assert_allclose(model.coefficients_, reference.coef_[0] * widened, atol=1e-5)
    np.testing.assert_allclose(
        model.log_odds(table.frame), reference.decision_function(matrix), atol=1e-5
    )


def test_a_contribution_is_the_coefficient_times_the_distance_from_the_mean(
    sample: Sample,
) -> None:
    table, responded = sample(42)
    model = RidgeModel(table.specs, c=1.0).fit(table.frame, responded)
    parts = model.contributions(table.frame)
    # Standardised, every training column has mean 0: so has every contribution.
    np.testing.assert_allclose(parts.values.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_array_equal(parts.base, model.intercept_)


def test_a_missing_value_of_a_number_is_taken_for_the_median(sample: Sample) -> None:
    table, responded = sample(43)
    model = RidgeModel(table.specs, c=1.0).fit(table.frame, responded)
    lost = table.frame.assign(severity=np.nan)
    filled = table.frame.assign(severity=np.nanmedian(table.frame["severity"]))
    np.testing.assert_array_equal(model.log_odds(lost), model.log_odds(filled))


def test_the_severity_model_uses_arm_and_severity_alone(sample: Sample) -> None:
    table, responded = sample(44)
    model = ArmAndSeverityModel(table.specs).fit(table.frame, responded)
    assert sorted({column.feature for column in model.encoding_.columns}) == ["arm", "severity"]
    other, _ = sample(144)
    mixed = table.frame.assign(
        **{name: other.frame[name] for name in ("age_years", "grade", "sex", "drug")}
    )
    np.testing.assert_array_equal(model.log_odds(mixed), model.log_odds(table.frame))


@pytest.mark.parametrize("kind", [RidgeModel, ArmAndSeverityModel])
def test_perfect_separation_ends_in_finite_odds(sample: Sample, kind: type[RidgeModel]) -> None:
    table, _ = sample(45)
    frame = table.frame.assign(severity=table.frame["severity"].fillna(30.0))
    responded = (frame["severity"] > 50).astype(int).to_numpy()
    model = kind(table.specs, c=10.0).fit(frame, responded)
    assert np.isfinite(model.log_odds(frame)).all()
    assert (model.predict_proba(frame) > 0).all()


def test_a_strong_penalty_leaves_the_rate_of_each_arm(sample: Sample) -> None:
    table, responded = sample(46)
    model = RidgeModel(table.specs, c=1e-9).fit(table.frame, responded)
    rates = pd.Series(responded).groupby(table.frame["arm"].astype(str)).transform("mean")
    predicted = model.predict_proba(table.frame)[:, 1]
    np.testing.assert_allclose(predicted, rates, atol=1e-3)
