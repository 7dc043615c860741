"""The baseline of a variable that is assessed at visits."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from glabella.data.dictionary import Variable
from glabella.data.tables import PatientTables, find_baselines
from glabella.domain.timing import BASELINE, Moment
from glabella.features.builders.as_given import AsGiven
from glabella.features.builders.scale import convert_score
from glabella.features.feature_set import FeatureDefinition

__all__ = ["BaselineScore"]


class BaselineScore(AsGiven):
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

    def _label(self, feature: FeatureDefinition, variable: Variable) -> str:
        return f"{variable.label} at baseline"

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
        return convert_score(find_baselines(tables, feature.variable), feature, variable, tables)
