"""A variable of the participants' table as it is."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from glabella.data.dictionary import Variable
from glabella.data.tables import PatientTables
from glabella.domain.timing import Moment
from glabella.errors import AnalysisError
from glabella.features.builders.as_given import AsGiven
from glabella.features.builders.scale import convert_score
from glabella.features.feature_set import FeatureDefinition

__all__ = ["Value"]


class Value(AsGiven):
    """The builder ``value``."""

    takes_baseline: ClassVar[bool] = False
    takes_visit: ClassVar[bool] = False

    def known_at(self, feature: FeatureDefinition, variable: Variable) -> Moment | None:
        """Say when the variable is known.

        Parameters
        ----------
        feature : FeatureDefinition
            The feature.
        variable : Variable
            Its variable.

        Returns
        -------
        Moment or None
            None for what each visit assesses again.
        """
        return variable.known_at

    def _label(self, feature: FeatureDefinition, variable: Variable) -> str:
        return variable.label

    def build(
        self, feature: FeatureDefinition, variable: Variable, tables: PatientTables
    ) -> pd.Series:
        """Take the column of the participants' table.

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
        Series, shape (n_participants,)
            The values.

        Raises
        ------
        AnalysisError
            If no source maps the variable, or points of different scales would be mixed.
        """
        if feature.variable not in tables.participants:
            raise AnalysisError(
                f"feature '{feature.name}': no column is mapped to '{feature.variable}'",
                remedy="Map it under the participants' `variables:`, or leave the feature out.",
            )
        return convert_score(tables.participants[feature.variable], feature, variable, tables)
