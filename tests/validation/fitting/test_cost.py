"""What fits cost is counted and not timed."""

import numpy as np
import pytest

from glabella.models.candidate import Candidate, EnsembleCandidate
from glabella.validation.fitting.cost import count_cost, count_look, count_validation
from glabella.validation.folds.splits import Fold


def _define(estimator, **more):
    return Candidate(kind="candidate", description="x", estimator=estimator, **more)


def test_a_search_costs_its_inner_fits_and_an_ensemble_its_members():
    ridge = _define("ridge")
    forest = _define("xgboost", search={"max_depth": {"integer": (1, 4)}}, draws=4)
    assert count_cost(ridge, 500, inner_folds=5) == 6 * 2.0
    assert count_cost(forest, 500, inner_folds=5) == 21 * 25.0
    assert count_cost(forest, 1500, inner_folds=5) == 2 * 21 * 25.0
    both = EnsembleCandidate(
        **dict(_define("ensemble", members=("ridge", "forest"))),
        resolved={"ridge": ridge, "forest": forest},
    )
    assert count_cost(both, 500, inner_folds=5) == 6 * 2.0 + 21 * 25.0
    folds = [Fold("pooled", 0, n, None, np.arange(500), np.arange(5)) for n in range(3)]
    # Members are fitted once where they are candidates too.
    alone = count_validation({"both": both}, folds, inner_folds=5)
    beside = count_validation({"both": both, "ridge": ridge}, folds, inner_folds=5)
    assert alone == beside == pytest.approx(3 * (6 * 2.0 + 21 * 25.0 + 5 * 0.13))


def test_looking_into_trees_costs_and_into_sums_does_not():
    assert count_look(_define("ridge"), 100, pairs=20) == 0.0
    assert count_look(_define("random_forest"), 100, pairs=20) == 100 * 1.15 + 20 * 16.0


def test_a_reference_is_fitted_once_and_an_unknown_estimator_counts_as_an_ordinary_one():
    assert count_cost(_define("severity", role="reference"), 500, inner_folds=5) == 0.5
    assert count_cost(_define("of_another_package"), 500, inner_folds=4) == 5 * 10.0


def test_half_of_a_fits_cost_is_the_same_however_few_the_participants():
    few = count_cost(_define("ridge", role="reference"), 0, inner_folds=5)
    assert few == count_cost(_define("ridge", role="reference"), 500, inner_folds=5) / 2
