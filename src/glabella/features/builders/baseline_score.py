"""The baseline of a variable that is assessed at visits."""

from __future__ import annotations

import pandas as pd

from glabella.data.dictionary import Variable
from glabella.data.tables import PatientTables, find_baselines
from glabella.domain.timing import BASELINE, Moment
from glabella.errors import AnalysisError
from glabella.features.feature_set import FeatureDefinition
from glabella.features.spec import FeatureSpec


class BaselineScore:
    """The builder ``baseline_score``: the last value at or before week 0."""

    def known_at(self, feature: FeatureDefinition, variable: Variable) -> Moment | None:
        """Say when the baseline is known.

        Parameters
        ----------
        feature : FeatureDefinition
            The feature.
        variable : Variable
            Its variable.

        Returns
        -------
        Moment or None
            Baseline; None if the variable is not assessed at visits and so has no baseline visit.
        """
        return BASELINE if variable.timing == "visit" else None

    def describe(self, feature: FeatureDefinition, variable: Variable) -> FeatureSpec:
        """Describe the column by its dictionary entry.

        Parameters
        ----------
        feature : FeatureDefinition
            The feature.
        variable : Variable
            Its variable.

        Returns
        -------
        FeatureSpec
            Its kind, levels and words.
        """
        unit = variable.unit
        if variable.type == "score":
            in_percent = feature.expressed_as == "percent_of_range"
            unit = "% of the scale's range" if in_percent else "points"
        return FeatureSpec(
            name=feature.name,
            label=feature.label or f"{variable.label} at baseline",
            kind="number" if variable.type == "score" else variable.type,
            levels=dict(variable.codes),
            unit=unit,
        )

    def build(
        self, feature: FeatureDefinition, variable: Variable, tables: PatientTables
    ) -> pd.Series:
        """Find the baselines, in points or in percent of each trial's scale.

        Parameters
        ----------
        feature : FeatureDefinition
            The feature.
        variable : Variable
            Its variable.
        tables : PatientTables
            Participants and assessments.

        Returns
        -------
        Series of float, shape (n_participants,)
            NaN where no baseline was recorded.

        Raises
        ------
        AnalysisError
            If no participant has a baseline, or points of different scales would be mixed.
        """
        points = find_baselines(tables, feature.variable)
        if points.isna().all():
            raise AnalysisError(
                f"feature '{feature.name}': no participant has a baseline of '{feature.variable}'",
                remedy="Map a visit at week 0, or leave the feature out.",
            )
        if variable.type != "score":
            return points
        named = tables.participants.get("scale")
        scales = [None] * len(points) if named is None else list(named)
        if feature.expressed_as == "points":
            if variable.scale == "by_trial" and len(set(scales)) > 1:
                raise AnalysisError(
                    f"feature '{feature.name}' would mix the points of different scales",
                    remedy="Write `as: percent_of_range`.",
                )
            return points
        percent = [
            variable.find_scale(scale).percent_of_range(value)
            for scale, value in zip(scales, points, strict=True)
        ]
        return pd.Series(percent, index=points.index)
