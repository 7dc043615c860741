"""The last fit: the chosen candidate on all participants, with its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from glabella import __version__
from glabella.bundle.manifest import FORMAT, Manifest, ScoredArm, SpecEntry, TrainingRange
from glabella.features.spec import FeatureSpec
from glabella.models.build import export_model
from glabella.pipelines.load import LoadedAnalysis
from glabella.pipelines.scoring_columns import name_scoring_columns
from glabella.pipelines.validate import Validated
from glabella.validation.nested import TunedModel, tune_and_fit
from glabella.validation.seeds import derive_seed

_PACKAGES = (
    "mlflow", "numpy", "pandas", "scikit-learn", "scipy", "shap", "statsmodels", "xgboost",
)  # fmt: skip
_INTENDED_USE = "Research on who responds; to be validated on new trials before any other use."
_NOT_FOR = "Decisions about a patient. It is not a medical device."


def list_versions() -> dict[str, str]:
    """List the versions of this package and of those that shape its numbers.

    Returns
    -------
    dict of str
        By package.
    """
    return {"glabella": __version__, **{name: version(name) for name in _PACKAGES}}


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
    analysis = loaded.resolved.analysis.value
    return tune_and_fit(
        loaded.resolved.candidates[chosen].value,
        loaded.sample,
        np.arange(loaded.sample.n),
        inner_folds=analysis.validation.inner_folds,
        seed=derive_seed(analysis.seed, "refit", chosen),
    )


def describe_bundle(
    loaded: LoadedAnalysis, validated: Validated, tuned: TunedModel, provenance: Mapping[str, Any]
) -> tuple[Manifest, dict[str, bytes]]:
    """Make the manifest and the model's files.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    validated : Validated
        Figures and choice.
    tuned : TunedModel
        The last fit.
    provenance : mapping
        Hashes, seed and versions.

    Returns
    -------
    tuple of Manifest and dict of bytes
        For `save_bundle`.
    """
    resolved, sample = loaded.resolved, loaded.sample
    analysis, chosen = resolved.analysis.value, validated.choice.name
    used = dict.fromkeys(feature.variable for feature in resolved.feature_set.value.features)
    named = name_scoring_columns(resolved)
    files = export_model(resolved.candidates[chosen].value.estimator, tuned.model)
    specs = sample.features.specs
    manifest = Manifest(
        format=FORMAT,
        glabella=__version__,
        analysis=resolved.name,
        description=analysis.description,
        origin=loaded.tables.origin,
        model=f"{resolved.name}/{chosen}/{str(provenance['run'])[:8]}",
        candidate=chosen,
        endpoint=analysis.endpoint.describe(),
        endpoint_is_relative=analysis.endpoint.is_relative,
        intended_use=_INTENDED_USE,
        not_for=_NOT_FOR,
        variables={name: resolved.dictionary.value.variables[name] for name in used},
        feature_set=resolved.feature_set.value,
        specs=tuple(SpecEntry(**vars(spec)) for spec in specs),
        columns=named.variables,
        visits=named.visits,
        required=named.required,
        id_columns=named.ids,
        scale_column=named.scale,
        arms=tuple(
            ScoredArm(name=arm.name, label=arm.label or arm.name, role=arm.role)
            for arm in analysis.arms
        ),
        training=_count_training(loaded),
        ranges={
            spec.name: _describe_range(sample.features.frame[spec.name], spec)
            for spec in specs
            if spec.part == "patient"
        },
        performance=validated.candidates[chosen].as_json(),
        provenance=dict(provenance),
    )
    return manifest, files


def _count_training(loaded: LoadedAnalysis) -> dict[str, Any]:
    sample = loaded.sample
    cells = pd.DataFrame({"trial": sample.trial, "arm": sample.arm, "responded": sample.expected})
    counts = cells.groupby(["trial", "arm"], sort=False, as_index=False).agg(
        n=("responded", "size"), events=("responded", "sum")
    )
    return {
        "n": sample.n,
        "events": sample.events,
        "cells": counts.to_dict("records"),
    }


def _describe_range(values: pd.Series, spec: FeatureSpec) -> TrainingRange:
    if spec.kind == "category":
        observed = set(values.dropna())
        return TrainingRange(levels=tuple(level for level in spec.levels if level in observed))
    low, high = np.nanpercentile(values.to_numpy(dtype=float), [1, 99])
    return TrainingRange(low=float(low), high=float(high))
