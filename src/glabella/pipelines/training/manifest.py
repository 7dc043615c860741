"""The last fit: the chosen candidate on all participants, with its manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

import pandas as pd

from glabella.analysis.attribution_methods import describe_attributions
from glabella.analysis.estimand import describe_estimand
from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.analysis.resolve import ResolvedAnalysis
from glabella.analysis.scoring_columns import has_scale_of_trial, list_required, list_table_forms
from glabella.bundle.applicability.applicability_domain import (
    LIKENESS_FILE,
    learn_applicability_domain,
)
from glabella.bundle.applicability.drift import describe_distributions
from glabella.bundle.applicability.similar_patients import NEIGHBOURS_FILE, learn_similar_groups
from glabella.bundle.applicability.training_ranges import describe_ranges
from glabella.bundle.manifest import (
    FORMAT,
    FlagOutcome,
    Manifest,
    ScoredArm,
    SpecEntry,
)
from glabella.bundle.refits import REFITS_FILE, export_refits
from glabella.data.dictionary import BY_TRIAL
from glabella.domain.crosswalks import list_linked
from glabella.domain.small_counts import (
    FEWEST_TOLD,
    list_lines,
    suppress_cells,
    suppress_group,
    suppress_groups,
)
from glabella.models.build import export_model
from glabella.pipelines.training.cross_validation import CrossValidation
from glabella.validation.fitting.training_part import TunedModel

_INTENDED_USE = "Research on who responds; to be validated on new trials before any other use."
_NOT_FOR = "Decisions about a patient. It is not a medical device."


def refit(loaded: LoadedAnalysis, chosen: str) -> TunedModel:
    """Tune and fit the chosen candidate on all analysed participants.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    chosen : str
        The candidate.

    Returns
    -------
    TunedModel
        Fitted.
    """
    unit = loaded.analysis.validation.pooled.unit
    return loaded.trainer.fit_to_all(loaded.resolved.candidates[chosen].value, unit=unit)


def describe_bundle(
    loaded: LoadedAnalysis,
    validated: CrossValidation,
    tuned: TunedModel,
    provenance: Mapping[str, Any],
    *,
    refits: Sequence[Mapping[str, bytes]] = (),
    finding: str = "",
    beyond_noise: Mapping[str, bool | None] = MappingProxyType({}),
) -> tuple[Manifest, dict[str, bytes]]:
    """Make the manifest and the model's files.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    validated : CrossValidation
        Figures and choice.
    tuned : TunedModel
        The last fit.
    provenance : mapping
        Hashes, seed and versions.
    refits : sequence of mapping of bytes
        The files of refits to bootstrap samples, of which some are kept.
    finding : str
        The report's first sentence.
    beyond_noise : mapping of bool or None
        By feature of the patient, or group: whether it stands out from noise.

    Returns
    -------
    tuple of Manifest and dict of bytes
        For `write_bundle`.
    """
    resolved, sample = loaded.resolved, loaded.sample
    analysis, chosen = resolved.analysis.value, validated.choice.name
    forms = list_table_forms(resolved)
    used = dict.fromkeys(feature.variable for feature in resolved.feature_set.value.features)
    # A total is described by its items, whether a table holds them or not.
    totals = [resolved.dictionary.value.variables[name].total for name in used]
    used |= dict.fromkeys(item for total in totals if total is not None for item in total.items)
    neighbours = learn_similar_groups(sample.features, sample.expected, sample.arm)
    files = {
        **export_model(tuned.model),
        NEIGHBOURS_FILE: neighbours.export(),
        LIKENESS_FILE: learn_applicability_domain(sample.features, sample.trial).export(),
        **({REFITS_FILE: export_refits(refits)} if refits else {}),
    }
    specs = sample.features.specs
    manifest = Manifest(
        format=FORMAT,
        glabella=version("glabella"),
        analysis=resolved.name,
        description=analysis.description,
        origin=loaded.tables.origin,
        model=f"{resolved.name}/{chosen}/{str(provenance['run'])[:8]}",
        candidate=chosen,
        endpoint=analysis.endpoint.describe(),
        event=analysis.endpoint.outcome_words.event,
        estimand=describe_estimand(loaded),
        endpoint_is_relative=analysis.endpoint.is_relative,
        intended_use=_INTENDED_USE,
        not_for=_NOT_FOR,
        variables={name: resolved.dictionary.value.variables[name] for name in used},
        feature_set=resolved.feature_set.value,
        specs=tuple(SpecEntry(**vars(spec)) for spec in specs),
        forms=forms,
        outcome=_describe_flag(resolved),
        required=list_required(resolved),
        scales=_list_scales(loaded) if has_scale_of_trial(resolved) else (),
        arms=tuple(
            ScoredArm(
                name=arm.name, label=arm.label or arm.name, role=arm.role, codes=arm.all_codes
            )
            for arm in analysis.arms
        ),
        training=_count_training(loaded),
        ranges=describe_ranges(sample.features),
        reference=describe_distributions(sample.features),
        attributions=describe_attributions(
            resolved.candidates[chosen].value.estimator, analysis.explanation
        ),
        groups=dict(loaded.grouping.groups),
        finding=finding,
        beyond_noise=dict(beyond_noise),
        performance=validated.procedure.as_json(),
        provenance=dict(provenance),
    )
    return manifest, files


def _describe_flag(resolved: ResolvedAnalysis) -> FlagOutcome | None:
    endpoint = resolved.analysis.value.endpoint
    if endpoint.is_of_visits or endpoint.code is None:
        return None
    return FlagOutcome(
        name=endpoint.of,
        variable=resolved.dictionary.value.find(endpoint.of),
        code=endpoint.code,
        missing_is_no_response=endpoint.missing.method.is_no_response,
    )


def _list_scales(loaded: LoadedAnalysis) -> tuple[str, ...]:
    """Percent means the same on every scale of the illness; points need those of training."""
    features, dictionary = loaded.resolved.feature_set.value, loaded.resolved.dictionary.value
    expressed = {
        feature.expressed_as
        for feature in features.features
        if dictionary.find(feature.variable).scale == BY_TRIAL
    }
    learnt = sorted(set(loaded.tables.participants["scale"]))
    if expressed <= {"percent_of_range", "percent_change"}:
        return list_linked(learnt)
    return tuple(learnt)


def _count_training(loaded: LoadedAnalysis) -> dict[str, Any]:
    """Count the training participants, without a count under ten: a bundle travels."""
    sample = loaded.sample
    cells = pd.DataFrame({"trial": sample.trial, "arm": sample.arm, "responded": sample.expected})
    counts = cells.groupby(["trial", "arm"], sort=False, as_index=False).agg(
        n=("responded", "size"), events=("responded", "sum")
    )
    told = suppress_cells(
        list(zip(counts["n"].tolist(), counts["events"].tolist(), strict=True)),
        list_lines(counts["trial"], counts["arm"]),
    )
    whole = suppress_group(sample.n, sample.events)
    return {
        "n": whole.n,
        "events": whole.events,
        "cells": [
            {"trial": trial, "arm": arm, "n": cell.n, "events": cell.events}
            for trial, arm, cell in zip(counts["trial"], counts["arm"], told, strict=True)
        ],
        "trials": _count_trials(cells),
    }


def _count_trials(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """Count the participants of each trial of which a likeness is kept, in the order of names."""
    sizes = cells.groupby("trial").size()
    events = cells.groupby("trial")["responded"].sum()
    told = suppress_groups(list(zip(sizes.tolist(), events.tolist(), strict=True)))
    return [
        {"trial": str(trial), "n": mine.n}
        for trial, size, mine in zip(sizes.index, sizes, told, strict=True)
        if size >= FEWEST_TOLD
    ]
