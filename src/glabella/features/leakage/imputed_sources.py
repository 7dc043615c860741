"""Refuses a feature that stands on values which were imputed from later ones."""

from __future__ import annotations

import pandas as pd

from glabella.data.checks import Finding
from glabella.data.dictionary import Dictionary
from glabella.data.tables import PatientTables
from glabella.domain.imputation import is_looking_ahead
from glabella.features.builders import find_builder
from glabella.features.feature_set import FeatureSet


def find_imputed_leaks(
    tables: PatientTables, feature_set: FeatureSet, dictionary: Dictionary
) -> tuple[Finding, ...]:
    """Find the features of visits whose kept values may look ahead of their visit.

    Returns
    -------
    tuple of Finding
        A ``stop`` for each feature of whose variable a value, at or before the moment at which
        the feature is known, was neither observed nor carried forward. Whatever the builder takes
        of those visits, it could take that one.
    """
    rows = tables.assessments
    if "dtype" not in rows:
        return ()
    derived = rows[rows["dtype"].notna() & (rows["dtype"] != "")]
    findings = []
    for feature in feature_set.features:
        variable = dictionary.find(feature.variable)
        known_at = find_builder(feature.builder).known_at(feature, variable)
        if variable.timing != "visit" or known_at is None:
            continue
        used = derived[
            (derived["paramcd"] == feature.variable) & (derived["week"] <= known_at.week)
        ]
        ahead = used[_is_looking_ahead(used)]
        if len(ahead):
            kinds = ", ".join(sorted(ahead["dtype"].astype(str).unique()))
            findings.append(
                Finding(
                    f"feature '{feature.name}'",
                    f"{len(ahead)} values of '{feature.variable}' by {known_at} are derived "
                    f"({kinds}) and may use later ones",
                    "Leave `imputed: keep` out of the source, name the flag of observed records "
                    "with `analysis_flag:`, flag observed baselines with ABLFL, or leave the "
                    "feature out.",
                )
            )
    return tuple(findings)


def _is_looking_ahead(rows: pd.DataFrame) -> pd.Series:
    pairs = zip(rows["dtype"].astype(str), rows["week"] <= 0, strict=True)
    found = [is_looking_ahead(kind, is_baseline=bool(early)) for kind, early in pairs]
    return pd.Series(found, index=rows.index, dtype=bool)
