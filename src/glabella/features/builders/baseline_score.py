"""The baseline of a variable that is assessed at visits."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from glabella.data.dictionary import Variable
from glabella.data.tables import PatientTables, find_baselines
from glabella.domain.timing import BASELINE, Moment
from glabella.features.builders.scale import (
    express_score,
    find_kind,
    find_levels,
    find_unit,
)
from glabella.features.feature_set import FeatureDefinition
from glabella.features.spec import FeatureSpec


class BaselineScore:
    """The builder ``baseline_score``: the last value at or before week 0."""

    takes_baseline: ClassVar[bool] = True
    takes_visit: ClassVar[bool] = False

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
        return FeatureSpec(
            name=feature.name,
            label=feature.label or f"{variable.label} at baseline",
            kind=find_kind(feature, variable),
            levels=find_levels(feature, variable),
            unit=find_unit(feature, variable),
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
            If points of different scales would be mixed.
        """
        return express_score(find_baselines(tables, feature.variable), feature, variable, tables)
