"""What is kept of a refit: its attributions in the participants that it left out alone."""

import numpy as np
import pytest

from glabella.definitions.locate import find_project
from glabella.explanation.refits import SummariseRefit, export_refit, restore_refit
from glabella.models.build import build_model
from glabella.models.candidate import Candidate
from glabella.models.grouping import Grouping


@pytest.fixture
def sample(drawn):
    return drawn(31, n=120)


@pytest.fixture
def model(sample, checkout):
    candidate = find_project(checkout).read("models", "ridge", Candidate).value
    fitted = build_model(candidate, sample.features.specs, random_state=1)
    fitted.fit(sample.features.frame, sample.labels)
    return fitted


def test_importance_is_that_of_the_participants_left_out(model, sample):
    drawn = np.repeat(np.arange(80), 2)
    found = SummariseRefit(Grouping())(model, sample, drawn).left_out
    values = model.contributions(sample.features.frame.iloc[80:]).values
    assert found.features[-1] == "arm"
    np.testing.assert_allclose(found.importance, np.abs(values).mean(axis=0))
    at = found.features.index("modifier")
    # A linear model is monotone in each number.
    assert abs(found.directions[at]) == pytest.approx(1.0)
    assert np.isnan(found.directions).sum() == (found.importance == 0.0).sum()


def test_pairs_are_symmetric_and_a_feature_has_no_pair_with_itself(model, sample):
    pairs = SummariseRefit(Grouping())(model, sample, np.arange(60)).left_out.pairs
    np.testing.assert_allclose(pairs, pairs.T)
    assert np.diag(pairs).tolist() == [0.0] * len(pairs)


def test_a_group_has_the_sum_of_its_features_and_no_direction(model, sample):
    grouping = Grouping({"Both": ("modifier", "prognostic")})
    found = SummariseRefit(grouping)(model, sample, np.arange(60)).left_out
    alone = model.contributions(sample.features.frame.iloc[60:])
    both = [alone.features.index(name) for name in ("modifier", "prognostic")]
    at = found.features.index("Both")
    assert "modifier" not in found.features
    assert found.importance[at] == pytest.approx(np.abs(alone.values[:, both].sum(axis=1)).mean())
    assert np.isnan(found.directions[at])


def test_fewer_than_five_left_out_give_no_attributions(model, sample):
    assert SummariseRefit(Grouping())(model, sample, np.arange(116)).left_out is None
    assert SummariseRefit(Grouping())(model, sample, np.arange(115)).left_out is not None


def test_a_refit_is_restored_as_it_was(model, sample):
    refit = SummariseRefit(Grouping())(model, sample, np.arange(60))
    again = restore_refit(export_refit(refit))
    np.testing.assert_array_equal(again.whole.probability, refit.whole.probability)
    assert again.whole.importance == refit.whole.importance
    assert again.left_out.features == refit.left_out.features
    np.testing.assert_array_equal(again.left_out.pairs, refit.left_out.pairs)
    np.testing.assert_array_equal(again.left_out.directions, refit.left_out.directions)
    assert again.files == refit.files
    few = SummariseRefit(Grouping())(model, sample, np.arange(118))
    assert restore_refit(export_refit(few)).left_out is None
