"""Totals of rating scales in points, in percent of range, in bands, or on another scale."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from glabella.data.dictionary import BY_TRIAL, Variable
from glabella.data.tables import PatientTables
from glabella.domain.crosswalks import find_crosswalk
from glabella.domain.scales import Scale, find_scale
from glabella.errors import AnalysisError, DefinitionError
from glabella.features.feature_set import FeatureDefinition

BANDS = {"0": "none", "1": "mild", "2": "moderate", "3": "severe"}


def find_kind(
    feature: FeatureDefinition, variable: Variable
) -> Literal["number", "ordinal", "category"]:
    """Find what kind of feature a variable makes."""
    if variable.type != "score":
        return variable.type
    return "ordinal" if feature.expressed_as == "severity_band" else "number"


def find_levels(feature: FeatureDefinition, variable: Variable) -> dict[str, str]:
    """Find the words of a feature's codes or grades."""
    return dict(BANDS if feature.expressed_as == "severity_band" else variable.codes)


def find_unit(feature: FeatureDefinition, variable: Variable) -> str | None:
    """Find the unit in which a feature is expressed.

    Returns
    -------
    str or None
        The variable's own, or what a score is expressed in; None for a band.
    """
    if feature.expressed_as == "percent_change":
        raise DefinitionError(
            f"feature '{feature.name}' is no change, so it has no percent of one",
            remedy="Take the change: `builder: change_from_baseline`.",
        )
    if variable.type != "score":
        if feature.expressed_as != "points":
            raise DefinitionError(
                f"feature '{feature.name}': '{feature.variable}' is not the total of a rating "
                "scale, so it has no percent of its range, bands or other scale",
                remedy="Leave `as:` out.",
            )
        return variable.unit
    return {
        "points": "points",
        "percent_of_range": "% of the scale's range",
        "severity_band": None,
    }.get(feature.expressed_as, f"points of {feature.expressed_as}")


def convert_score(
    points: pd.Series, feature: FeatureDefinition, variable: Variable, tables: PatientTables
) -> pd.Series:
    """Express totals as the feature asks.

    Returns
    -------
    Series of float, shape (n_participants,)
        Missing where a total has no plausible entry in the published table.
    """
    if variable.type != "score":
        return points
    if feature.expressed_as == "points":
        check_mixed_points(
            feature,
            variable,
            tables,
            remedy="Write `as: percent_of_range`, `as: severity_band` or another scale.",
        )
        return points
    made = pd.Series(float("nan"), index=points.index)
    for scale, rows in points.groupby(_list_scales(tables), sort=False, dropna=False):
        own = variable.find_scale(None if pd.isna(scale) else str(scale))
        table = {total: _convert_total(total, own, feature) for total in rows.dropna().unique()}
        made[rows.index] = rows.map(table).astype(float)
    return made


def check_mixed_points(
    feature: FeatureDefinition, variable: Variable, tables: PatientTables, *, remedy: str
) -> None:
    """Refuse points where the participants are not all rated on one scale."""
    if variable.scale == BY_TRIAL and _list_scales(tables).nunique(dropna=False) > 1:
        raise AnalysisError(
            f"feature '{feature.name}' would mix the points of different scales", remedy=remedy
        )


def _list_scales(tables: PatientTables) -> pd.Series:
    people = tables.participants
    named = people.get("scale")
    return pd.Series([None] * len(people) if named is None else list(named), index=people.index)


def _convert_total(total: float, scale: Scale, feature: FeatureDefinition) -> float | None:
    if feature.expressed_as == "percent_of_range":
        return scale.to_percent_of_range(total)
    if feature.expressed_as == "severity_band":
        if not scale.bands_from:
            raise AnalysisError(
                f"feature '{feature.name}': no bands of severity are published for {scale.label}",
                remedy="Write `as: percent_of_range`.",
            )
        return scale.find_severity_band(total)
    if feature.expressed_as == scale.name:
        return total
    return find_crosswalk(scale.name, feature.expressed_as).convert(total)


def describe_conversion(
    points: pd.Series,
    made: pd.Series,
    feature: FeatureDefinition,
    variable: Variable,
    tables: PatientTables,
) -> list[str]:
    """Say by which published tables or bands totals were expressed, and how many could not be."""
    needs_none = ("points", "percent_of_range", "percent_change")
    if variable.type != "score" or feature.expressed_as in needs_none:
        return []
    sentences = []
    for name, rows in points.groupby(_list_scales(tables), sort=False, dropna=False):
        scale = variable.find_scale(None if pd.isna(name) else str(name))
        lost = int((rows.notna() & made[rows.index].isna()).sum())
        if feature.expressed_as == "severity_band":
            sentences.append(f"bands of {scale.label}: {scale.bands_source}")
        elif feature.expressed_as != scale.name:
            target = find_scale(feature.expressed_as)
            walk = find_crosswalk(scale.name, target.name)
            sentences.append(
                f"{scale.label} to {target.label} by {walk.citation}; {lost} of "
                f"{int(rows.notna().sum())} totals have no plausible entry and stay missing. "
                "Conversion holds for groups and errs by points for a single patient"
            )
    return sentences
