"""The average over imputations: of log odds, of contributions, and through files."""

import numpy as np
import pytest

from glabella.errors import BundleError
from glabella.models.build import build_model, export_model, restore_model
from glabella.models.candidate import Candidate
from glabella.models.estimators.composed import AveragedModel


def fit_average(sample, estimator, *, members=3):
    table, responded = sample(3)
    settings = {"n_trees": 8} if estimator == "xgboost" else {}
    candidate = Candidate(kind="candidate", description="x", estimator=estimator, settings=settings)
    random = np.random.default_rng(4)
    fits = []
    for _ in range(members):
        flipped = np.where(random.random(len(responded)) < 0.1, 1 - responded, responded)
        model = build_model(candidate, table.specs, random_state=1)
        fits.append(model.fit(table.frame, flipped))
    return AveragedModel(fits), table


@pytest.mark.parametrize("estimator", ["ridge", "xgboost", "arm_only"])
def test_log_odds_are_the_mean_and_contributions_add_to_them(sample, estimator):
    average, table = fit_average(sample, estimator)
    each = [member.log_odds(table.frame) for member in average.members]
    np.testing.assert_allclose(average.log_odds(table.frame), np.mean(each, axis=0), rtol=1e-12)
    parts = average.contributions(table.frame)
    np.testing.assert_allclose(
        parts.values.sum(axis=1) + parts.base, average.log_odds(table.frame), atol=1e-5
    )


@pytest.mark.parametrize("estimator", ["ridge", "xgboost", "arm_only"])
def test_an_average_comes_back_from_its_files(sample, estimator):
    average, table = fit_average(sample, estimator)
    files = export_model(average)
    restored = restore_model(files, table.specs)
    assert isinstance(restored, AveragedModel)
    np.testing.assert_array_equal(
        restored.predict_proba(table.frame), average.predict_proba(table.frame)
    )
    binaries = {name for name in files if name.endswith(".ubj")}
    wanted = {"model_001.ubj", "model_002.ubj", "model_003.ubj"}
    assert binaries == (wanted if estimator == "xgboost" else set())


def test_an_average_that_lacks_a_member_or_has_another_is_refused(sample):
    average, table = fit_average(sample, "xgboost")
    files = export_model(average)
    for changed in (
        {name: content for name, content in files.items() if name != "model_002.ubj"},
        {**files, "model_004.ubj": files["model_003.ubj"]},
        {**files, "model_001.ubj": files["model_003.ubj"]},
    ):
        with pytest.raises(BundleError):
            restore_model(changed, table.specs)


def test_a_row_alone_is_predicted_as_among_others(sample):
    average, table = fit_average(sample, "ridge")
    alone = np.concatenate([average.log_odds(table.frame.iloc[[row]]) for row in range(5)])
    np.testing.assert_array_equal(alone, average.log_odds(table.frame)[:5])


def test_an_average_is_not_fitted_itself(sample):
    average, table = fit_average(sample, "ridge")
    with pytest.raises(ValueError, match="the members of an average are fitted"):
        average.fit(table.frame, np.arange(len(table.frame)) % 2)
