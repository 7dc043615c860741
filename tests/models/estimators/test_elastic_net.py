"""The elastic net against scikit-learn, and what its absolute penalty leaves out."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from glabella.features.spec import FeatureTable
from glabella.models.encoding import fit_encoding
from glabella.models.estimators.elastic_net import ElasticNetModel

Sample = Callable[..., tuple[FeatureTable, np.ndarray]]


@pytest.mark.parametrize("l1_share", [0.2, 1.0])
@pytest.mark.parametrize("penalty", [0.003, 0.03])
def test_elastic_net_equals_scikit_learn_alone_and_on_a_path(
    sample: Sample, penalty: float, l1_share: float
) -> None:
    table, responded = sample(46)
    specs = [spec for spec in table.specs if spec.part == "patient"]
    matrix = fit_encoding(table.frame, specs, fill_and_scale=True).transform(table.frame)
    reference = LogisticRegression(
        C=1.0 / (len(responded) * penalty),
        l1_ratio=l1_share,
        solver="saga",
        tol=1e-10,
        max_iter=100_000,
    )
    wanted = reference.fit(matrix, responded).decision_function(matrix)
    model = ElasticNetModel(specs, penalty=penalty, l1_share=l1_share)
    alone = model.fit(table.frame, responded).log_odds(table.frame)
    np.testing.assert_allclose(alone, wanted, atol=1e-3)
    settings = [{"penalty": each} for each in (penalty, 0.1, 0.01)]
    path = model.predict_settings(settings, table.frame, responded, table.frame)
    np.testing.assert_allclose(path[0], wanted, atol=1e-3)


@pytest.mark.parametrize("l1_share", [0.2, 1.0])
def test_elastic_net_is_at_its_minimum_with_the_arm_not_shrunk(
    sample: Sample, l1_share: float
) -> None:
    table, responded = sample(48)
    model = ElasticNetModel(table.specs, penalty=0.02, l1_share=l1_share)
    model.fit(table.frame, responded)
    matrix, own = model.encoding_.transform(table.frame), model.coefficients_
    slope = matrix.T @ (model.predict_proba(table.frame)[:, 1] - responded) / len(responded)
    is_arm = np.array([column.feature == "arm" for column in model.encoding_.columns])
    assert is_arm.any()
    np.testing.assert_allclose(slope[is_arm], -own[is_arm] / 25 / len(responded), atol=1e-5)
    kept = ~is_arm & (own != 0)
    pulled = 0.02 * ((1 - l1_share) * own + l1_share * np.sign(own))
    np.testing.assert_allclose(slope[kept], -pulled[kept], atol=1e-4)
    assert (np.abs(slope[~is_arm & (own == 0)]) <= 0.02 * l1_share + 1e-5).all()


def test_a_stronger_absolute_penalty_leaves_more_features_out(sample: Sample) -> None:
    table, responded = sample(47)
    kept = [
        np.count_nonzero(
            ElasticNetModel(table.specs, penalty=penalty, l1_share=1.0)
            .fit(table.frame, responded)
            .coefficients_
        )
        for penalty in (0.001, 0.02, 0.06, 1.0)
    ]
    assert kept == sorted(kept, reverse=True)
    # The arm is never left out.
    assert kept[0] > kept[-1] == 1


def test_with_every_feature_left_out_the_rate_of_each_arm_is_predicted(sample: Sample) -> None:
    table, responded = sample(47)
    model = ElasticNetModel(table.specs, penalty=1.0, l1_share=1.0).fit(table.frame, responded)
    rates = pd.Series(responded).groupby(table.frame["arm"].astype(str)).transform("mean")
    predicted = model.predict_proba(table.frame)[:, 1]
    np.testing.assert_allclose(predicted, rates, atol=5e-3)
