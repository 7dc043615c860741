"""A later visit's value of a variable that is assessed at visits."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from glabella.data.dictionary import Variable
from glabella.data.tables import PatientTables, find_visit_scores
from glabella.domain.timing import Moment
from glabella.features.builders.as_given import AsGiven
from glabella.features.builders.scale import convert_score
from glabella.features.feature_set import FeatureDefinition

__all__ = ["VisitScore"]


class VisitScore(AsGiven):
    """The builder ``visit_score``: the value at the visit that stands for the feature's week."""

    takes_baseline: ClassVar[bool] = False
    takes_visit: ClassVar[bool] = True

    def known_at(self, feature: FeatureDefinition, variable: Variable) -> Moment | None:
        """Say when the value is known.

        Parameters
        ----------
        feature : FeatureDefinition
            The feature.
        variable : Variable
            Its variable.

        Returns
        -------
        Moment or None
            The end of the window: until then a visit nearer to the week may still come. None if
            the variable is not assessed at visits.
        """
        return Moment(feature.visit_window.high) if variable.timing == "visit" else None

    def _label(self, feature: FeatureDefinition, variable: Variable) -> str:
        return f"{variable.label} at week {feature.visit_window.target:g}"

    def build(
        self, feature: FeatureDefinition, variable: Variable, tables: PatientTables
    ) -> pd.Series:
        """Find the values, expressed as the feature asks.

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
            NaN where no visit lies in the window.

        Raises
        ------
        AnalysisError
            If points of different scales would be mixed.
        """
        points = find_visit_scores(tables, feature.variable, feature.visit_window)
        return convert_score(points, feature, variable, tables)
