"""Builds the table of features that models see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from glabella.data.checks import Finding
from glabella.data.dictionary import Dictionary
from glabella.data.tables import PatientTables, find_baselines, find_visit_scores
from glabella.definitions.reader import Origin
from glabella.errors import AnalysisError
from glabella.features.arms import Arm, name_arms
from glabella.features.builders import find_builder
from glabella.features.builders.interface import Builder
from glabella.features.builders.scale import describe_conversion
from glabella.features.feature_set import FeatureDefinition, FeatureSet
from glabella.features.spec import FeatureSpec, FeatureTable


def describe_features(
    feature_set: FeatureSet, dictionary: Dictionary, *, endpoint_variable: str
) -> tuple[FeatureSpec, ...]:
    """Describe the patient features of a set."""
    specs = []
    for feature in feature_set.features:
        variable = dictionary.find(feature.variable)
        spec = find_builder(feature.builder).describe(feature, variable)
        is_severity = feature.variable == endpoint_variable and feature.builder == "baseline_score"
        # What is stated of the value at baseline says nothing of a change from it.
        stated = None if feature.builder == "change_from_baseline" else variable.direction
        specs.append(
            replace(
                spec,
                is_severity=is_severity,
                direction=None if stated is None else stated.response,
            )
        )
    return tuple(specs)


def build_patient_features(
    tables: PatientTables, feature_set: FeatureSet, dictionary: Dictionary
) -> pd.DataFrame:
    """Build the patient features; the same code serves training and scoring.

    Returns
    -------
    DataFrame, shape (n_participants, n_features)
        Floats, and categories over the dictionary's codes.
    """
    columns: dict[str, pd.Series] = {}
    for feature in feature_set.features:
        variable = dictionary.find(feature.variable)
        built = find_builder(feature.builder).build(feature, variable, tables)
        if variable.type == "category":
            columns[feature.name] = built.astype(pd.CategoricalDtype(list(variable.codes)))
        else:
            columns[feature.name] = built.astype(float)
    return pd.DataFrame(columns, index=tables.participants.index)


def build_features(
    tables: PatientTables,
    feature_set: FeatureSet,
    dictionary: Dictionary,
    *,
    arms: Sequence[Arm],
    endpoint_variable: str,
    arms_at: str | None = None,
    written: Origin | None = None,
) -> FeatureTable:
    """Build the features of patients, with arm and trial where there are several."""
    frame = build_patient_features(tables, feature_set, dictionary)
    specs = describe_features(feature_set, dictionary, endpoint_variable=endpoint_variable)
    trials = tables.participants["studyid"]
    _check_lost_visits(frame, feature_set, written)
    for name, lacking in find_lacking_trials(frame, trials).items():
        raise AnalysisError(
            f"no participant of trial '{lacking[0]}' has the feature '{name}', and imputing it "
            "would only name the trial",
            place=_describe_place_of_feature(feature_set, name, written),
            remedy="Say what goes with `lacking:` under `data:` (`feature` or `trial`).",
        )
    if arms:
        frame["arm"] = name_arms(tables.participants, arms, place=arms_at)
        levels = {arm.name: arm.label or arm.name for arm in arms}
        specs = (*specs, FeatureSpec("arm", "Arm", "category", part="arm", levels=levels))
    names = list(dict.fromkeys(trials))
    frame["studyid"] = trials.astype(pd.CategoricalDtype(names))
    trial_levels = {name: name for name in names}
    specs = (*specs, FeatureSpec("studyid", "Trial", "category", part="trial", levels=trial_levels))
    return FeatureTable(frame=_name_plainly(frame), specs=specs)


def _name_plainly(frame: pd.DataFrame) -> pd.DataFrame:
    """Hold names of columns and levels as objects: fits ask for them thousands of times.

    Looked up in Arrow's strings, pandas' default, they took half the time of a small fit.
    """
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            levels = pd.Index(frame[name].cat.categories, dtype=object)
            frame[name] = frame[name].cat.rename_categories(levels)
    return frame.set_axis(pd.Index(frame.columns, dtype=object), axis=1)


def _describe_place_of_feature(
    feature_set: FeatureSet, name: str, written: Origin | None
) -> str | None:
    names = [feature.name for feature in feature_set.features]
    return None if written is None else written.name_place("features", names.index(name))


def _check_lost_visits(
    frame: pd.DataFrame, feature_set: FeatureSet, written: Origin | None
) -> None:
    for feature in feature_set.features:
        builder = find_builder(feature.builder)
        if not frame[feature.name].isna().all():
            continue
        if builder.takes_visit:
            window = feature.visit_window
            both = "both a baseline and " if builder.takes_baseline else ""
            raise AnalysisError(
                f"feature '{feature.name}': no participant has {both}a visit of "
                f"'{feature.variable}' in weeks {window.low:g} to {window.high:g}",
                place=_describe_place_of_feature(feature_set, feature.name, written),
                remedy="Map the visit, change `week` and `window`, or leave the feature out.",
            )
        if builder.takes_baseline:
            raise AnalysisError(
                f"feature '{feature.name}': no participant has a baseline of '{feature.variable}'",
                place=_describe_place_of_feature(feature_set, feature.name, written),
                remedy="Map a visit at week 0, or leave the feature out.",
            )


def find_lacking_trials(frame: pd.DataFrame, trials: pd.Series) -> dict[str, list[str]]:
    """Find the features that a whole trial lacks.

    Returns
    -------
    dict
        Feature to the trials in which nobody has it; features that every trial has are left out.
    """
    codes, names = pd.factorize(trials)
    present = frame.notna().to_numpy()
    has = np.array([present[codes == at].any(axis=0) for at in range(len(names))])
    lacking = {
        str(name): [str(trial) for trial, told in zip(names, has, strict=True) if not told[at]]
        for at, name in enumerate(frame.columns)
    }
    return {name: lacked for name, lacked in lacking.items() if lacked}


def note_conversions(
    tables: PatientTables, feature_set: FeatureSet, dictionary: Dictionary
) -> tuple[Finding, ...]:
    """Note each published table by which totals were put on another scale, and what it lost."""
    findings = []
    for feature in feature_set.features:
        variable = dictionary.find(feature.variable)
        if variable.type != "score":
            continue
        builder = find_builder(feature.builder)
        made = builder.build(feature, variable, tables)
        findings += [
            Finding(
                place=f"feature '{feature.name}'",
                finding=sentence,
                remedy="`as: percent_of_range` needs no table.",
                severity="note",
            )
            for sentence in describe_conversion(
                _find_points(feature, builder, tables), made, feature, variable, tables
            )
        ]
    return tuple(findings)


def _find_points(feature: FeatureDefinition, builder: Builder, tables: PatientTables) -> pd.Series:
    if builder.takes_visit:
        return find_visit_scores(tables, feature.variable, feature.visit_window)
    if builder.takes_baseline:
        return find_baselines(tables, feature.variable)
    return tables.participants[feature.variable]
