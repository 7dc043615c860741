"""What a builder must offer."""

from __future__ import annotations

from typing import ClassVar, Protocol

import pandas as pd

from glabella.data.dictionary import Variable
from glabella.data.tables import PatientTables
from glabella.domain.timing import Moment
from glabella.features.feature_set import FeatureDefinition
from glabella.features.spec import FeatureSpec

__all__ = ["Builder"]


class Builder(Protocol):
    """Derives one feature from the tables; learns nothing, so that scoring replays it."""

    # What it takes of a variable that is assessed at visits. The clock's words and the columns of a
    # table to be scored follow from it.
    takes_baseline: ClassVar[bool]
    takes_visit: ClassVar[bool]

    def known_at(self, feature: FeatureDefinition, variable: Variable) -> Moment | None:
        """Say when the feature is known.

        Parameters
        ----------
        feature : FeatureDefinition
            The feature.
        variable : Variable
            The variable it is built from.

        Returns
        -------
        Moment or None
            None if the builder would need visits it has no rule for.
        """
        ...

    def describe(self, feature: FeatureDefinition, variable: Variable) -> FeatureSpec:
        """Describe the column that will be built.

        Parameters
        ----------
        feature : FeatureDefinition
            The feature.
        variable : Variable
            The variable it is built from.

        Returns
        -------
        FeatureSpec
            Its kind, levels and words.
        """
        ...

    def build(
        self, feature: FeatureDefinition, variable: Variable, tables: PatientTables
    ) -> pd.Series:
        """Build the column.

        Parameters
        ----------
        feature : FeatureDefinition
            The feature.
        variable : Variable
            The variable it is built from.
        tables : PatientTables
            Participants and assessments.

        Returns
        -------
        Series, shape (n_participants,)
            Floats, or codes for a category; missing where the source is.
        """
        ...
