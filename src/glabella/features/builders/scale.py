"""Totals of rating scales as points or as percent of each scale's range."""

from __future__ import annotations

import pandas as pd

from glabella.data.dictionary import BY_TRIAL, Variable
from glabella.data.tables import PatientTables
from glabella.errors import AnalysisError, DefinitionError
from glabella.features.feature_set import FeatureDefinition


def find_unit(feature: FeatureDefinition, variable: Variable) -> str | None:
    """Find the unit in which a feature is expressed.

    Parameters
    ----------
    feature : FeatureDefinition
        The feature.
    variable : Variable
        Its variable.

    Returns
    -------
    str or None
        The variable's own, or points or percent for a score.

    Raises
    ------
    DefinitionError
        If percent are asked of what is no score.
    """
    if variable.type != "score":
        if feature.expressed_as != "points":
            raise DefinitionError(
                f"feature '{feature.name}': '{feature.variable}' is not the total of a rating "
                "scale, so it has no percent of its range",
                remedy="Leave `as:` out.",
            )
        return variable.unit
    in_percent = feature.expressed_as == "percent_of_range"
    return "% of the scale's range" if in_percent else "points"


def express_score(
    points: pd.Series, feature: FeatureDefinition, variable: Variable, tables: PatientTables
) -> pd.Series:
    """Express totals as the feature asks.

    Parameters
    ----------
    points : Series of float, shape (n_participants,)
        In the points of each participant's scale; what is no score is returned as it is.
    feature : FeatureDefinition
        The feature.
    variable : Variable
        Its variable.
    tables : PatientTables
        Whose participants name their scale.

    Returns
    -------
    Series, shape (n_participants,)
        Points, or percent of the scale's range.

    Raises
    ------
    AnalysisError
        If points of different scales would be mixed.
    """
    if variable.type != "score":
        return points
    named = tables.participants.get("scale")
    scales = [None] * len(points) if named is None else list(named)
    if feature.expressed_as == "points":
        if variable.scale == BY_TRIAL and len(set(scales)) > 1:
            raise AnalysisError(
                f"feature '{feature.name}' would mix the points of different scales",
                remedy="Write `as: percent_of_range`.",
            )
        return points
    percent = [
        variable.find_scale(scale).percent_of_range(value)
        for scale, value in zip(scales, points, strict=True)
    ]
    return pd.Series(percent, index=points.index, dtype=float)
