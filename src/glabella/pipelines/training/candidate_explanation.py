"""Explains the chosen candidate by its held-out attributions, refits and permutations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from glabella.analysis.attribution_methods import describe_attributions
from glabella.analysis.explanation_plan import list_seen_folds
from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.explanation.attributions import Attributions, collect_attributions
from glabella.explanation.budget import Budget
from glabella.explanation.evidence import EvidenceComparison, compare_with_evidence
from glabella.explanation.noise import (
    Noise,
    export_permuted,
    measure_noise,
    restore_permuted,
)
from glabella.explanation.predictors import Predictor, measure_pairs, measure_predictors
from glabella.explanation.refits import (
    RefitSummary,
)
from glabella.models.grouping import Grouping
from glabella.pipelines.training.cross_validation import CrossValidation
from glabella.pipelines.training.explanation import Explanation
from glabella.pipelines.training.refits import make_scope
from glabella.validation.fitting.runner import ONE_BY_ONE, Runner


def explain_chosen(
    loaded: LoadedAnalysis,
    validated: CrossValidation,
    refits: Sequence[RefitSummary | None],
    budget: Budget,
    runner: Runner = ONE_BY_ONE,
) -> Explanation:
    """Explain the chosen candidate by its held-out attributions."""
    grouping, chosen = loaded.grouping, validated.choice.name
    attributions = _collect(loaded, validated, chosen, grouping)
    seen = [item.left_out for item in refits[: budget.refits] if item is not None]
    left_out = [item for item in seen if item is not None]
    noise = None
    if budget.permutations:
        noise = _measure_noise(loaded, validated, attributions, budget, runner)
    elif budget.reason:
        noise = Noise(None, np.empty(0), 0, 0, budget.reason)
    predictors = measure_predictors(attributions, loaded.sample, left_out, noise, grouping)
    return Explanation(
        attributions=attributions,
        members=_collect(loaded, validated, chosen, Grouping()),
        predictors=predictors,
        pairs=measure_pairs(attributions, left_out),
        noise=noise,
        refits=len(left_out),
        rankings=_rank_candidates(loaded, validated, grouping, predictors),
        beside=_compare_with_evidence(loaded, predictors, grouping),
        budget=budget,
    )


def _measure_noise(
    loaded: LoadedAnalysis,
    validated: CrossValidation,
    attributions: Attributions,
    budget: Budget,
    runner: Runner,
) -> Noise:
    chosen, folds = validated.choice.name, list_seen_folds(loaded.plan)
    part = repr([fold.key for fold in folds]) + "noise"
    table = attributions.summarise()
    mine = table[table["is_patient"]]
    return measure_noise(
        loaded.resolved.candidates[chosen].value,
        loaded.trainer,
        folds,
        dict(zip(mine["feature"], mine["mean_absolute"], strict=True)),
        grouping=loaded.grouping,
        permutations=budget.permutations,
        runner=runner,
        keeper=runner.make_keeper(
            partial(make_scope, loaded, chosen, part), export_permuted, restore_permuted
        ),
    )


def _collect(
    loaded: LoadedAnalysis, validated: CrossValidation, name: str, grouping: Grouping
) -> Attributions:
    return collect_attributions(
        [
            item
            for item in validated.results
            if item.candidate == name
            and item.fold.design == "pooled"
            and item.contributions is not None
        ],
        loaded.sample,
        method=describe_attributions(
            loaded.resolved.candidates[name].value.estimator,
            loaded.analysis.explanation,
        ),
        grouping=grouping,
    )


def _rank_candidates(
    loaded: LoadedAnalysis,
    validated: CrossValidation,
    grouping: Grouping,
    predictors: Sequence[Predictor],
) -> pd.DataFrame:
    patient = [item for item in predictors if item.is_patient]
    columns: dict[str, list[float]] = {}
    for name, item in validated.candidates.items():
        if item.error is not None:
            continue
        table = _collect(loaded, validated, name, grouping).summarise().set_index("feature")
        sizes = table["mean_absolute"].reindex([each.feature for each in patient])
        used = sizes.where(sizes > 0)
        if used.notna().any():
            columns[name] = used.rank(ascending=False, method="first").tolist()
    return pd.DataFrame(columns, index=[item.label for item in patient], dtype=float)


def _compare_with_evidence(
    loaded: LoadedAnalysis, predictors: Sequence[Predictor], grouping: Grouping
) -> tuple[EvidenceComparison, ...]:
    resolved = loaded.resolved
    if resolved.evidence is None:
        return ()
    levels: Mapping[str, Sequence[str]] = {
        spec.name: list(spec.levels)
        for spec in loaded.sample.features.specs
        if spec.kind == "category"
    }
    return compare_with_evidence(
        resolved.evidence.value,
        predictors,
        {feature.name: feature.variable for feature in resolved.feature_set.value.features},
        levels,
        is_simulated=loaded.tables.origin == "simulated",
        grouping=grouping,
        labels={
            name: variable.label
            for name, variable in resolved.dictionary.value.variables.items()
            if variable.label
        },
    )
