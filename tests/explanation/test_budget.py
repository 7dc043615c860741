"""An explanation costs at most what the validation did, counted and not timed."""

from dataclasses import replace

import pytest

from glabella.explanation.budget import ExplanationCosts, ExplanationRequest, plan_explanation

DEFAULT = ExplanationRequest(50, 39, False, False)
# Five folds, ten times, of a forest's ensemble: what a fit costs is the same in each.
COSTS = ExplanationCosts(
    validation=44_000.0,
    refit=1100.0,
    permuted=880.0,
    permuted_again=270.0,
    folds=5,
    for_bundle=0.0,
)


def test_a_cheap_candidate_is_explained_as_asked():
    cheap = ExplanationCosts(500.0, 20.0, 18.0, 18.0, folds=5, for_bundle=400.0)
    found = plan_explanation(DEFAULT, cheap)
    assert (found.refits, found.permutations, found.reason) == (50, 39, "")


@pytest.mark.parametrize("validation", [15_000.0, 30_000.0, 44_000.0, 60_000.0, 90_000.0, 1e6])
@pytest.mark.parametrize("for_bundle", [0.0, 20_000.0])
def test_no_plan_costs_more_than_the_validation(validation, for_bundle):
    costs = replace(COSTS, validation=validation, for_bundle=for_bundle)
    found = plan_explanation(DEFAULT, costs)
    assert costs.sum_costs(found.refits, found.permutations) <= validation
    assert found.refits == 0 or found.refits >= 20
    assert found.permutations in (0, 19, 39)


def test_a_more_expensive_validation_allows_more():
    plans = [
        plan_explanation(DEFAULT, replace(COSTS, validation=validation))
        for validation in (5_000.0, 30_000.0, 44_000.0, 60_000.0, 200_000.0)
    ]
    assert [(plan.refits, plan.permutations) for plan in plans] == [
        (0, 0),
        (0, 19),
        (23, 19),
        (36, 19),
        (50, 39),
    ]
    assert plans[2].reason.startswith("23 of 50 refits and 19 of 39 permutations were made")
    assert plans[-1].reason == ""


def test_what_an_analysis_states_is_done():
    poor = replace(COSTS, validation=0.0)
    assert plan_explanation(ExplanationRequest(200, 99, True, True), poor).refits == 200
    found = plan_explanation(ExplanationRequest(200, 39, True, False), poor)
    assert (found.refits, found.permutations) == (200, 0)
    found = plan_explanation(ExplanationRequest(50, 99, False, True), poor)
    assert (found.refits, found.permutations) == (0, 99)
    found = plan_explanation(ExplanationRequest(0, 0, True, True), poor)
    assert (found.refits, found.permutations, found.reason) == (0, 0, "")
