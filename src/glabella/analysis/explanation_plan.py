"""How much is done to explain a candidate: at most as much as its validation costs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from glabella.analysis.folds import FoldPlan
from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.bundle.refits import MOST_KEPT
from glabella.explanation.budget import (
    Budget,
    ExplanationCosts,
    ExplanationRequest,
    plan_explanation,
)
from glabella.explanation.noise import remove_search
from glabella.explanation.refits import MOST_FOR_PAIRS
from glabella.models.candidate import Candidate
from glabella.validation.fitting.cost import count_cost, count_look, count_validation
from glabella.validation.folds.splits import Fold


def plan_for(loaded: LoadedAnalysis, chosen: str) -> Budget:
    """Plan how much is done to explain the chosen candidate.

    Returns
    -------
    Budget
        What the analysis states, and of what it does not state as much as the validation pays for.
    """
    analysis = loaded.analysis
    asked = analysis.explanation
    candidates = {name: read.value for name, read in loaded.resolved.candidates.items()}
    return plan_explanation(
        ExplanationRequest(
            asked.refits,
            asked.permutations,
            "refits" in asked.model_fields_set,
            "permutations" in asked.model_fields_set,
        ),
        _find_prices(loaded, candidates[chosen], candidates),
    )


def _find_prices(
    loaded: LoadedAnalysis, chosen: Candidate, candidates: Mapping[str, Candidate]
) -> ExplanationCosts:
    sample, inner = loaded.sample, loaded.analysis.validation.inner_folds
    seen = list_seen_folds(loaded.plan)
    train, test = len(seen[0].train), len(seen[0].test)
    whole = count_cost(chosen, sample.n, inner_folds=inner)
    fixed = count_cost(remove_search(chosen), train, inner_folds=inner)
    has_trials = len(np.unique(sample.trial)) > 1
    return ExplanationCosts(
        validation=count_validation(candidates, loaded.plan.folds, inner_folds=inner),
        refit=whole + count_look(chosen, sample.n, pairs=MOST_FOR_PAIRS),
        permuted=count_cost(chosen, train, inner_folds=inner) + count_look(chosen, test),
        permuted_again=fixed + count_look(chosen, test),
        folds=len(seen),
        for_bundle=MOST_KEPT * whole if has_trials else 0.0,
    )


def list_seen_folds(plan: FoldPlan) -> list[Fold]:
    """List the folds that permuted features are seen through."""
    return [fold for fold in plan.folds if fold.design == "pooled" and fold.repeat == 0]
