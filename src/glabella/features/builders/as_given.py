"""What builders share whose column is what the dictionary says of the variable."""

from __future__ import annotations

from abc import ABC, abstractmethod

from glabella.data.dictionary import Variable
from glabella.features.builders.scale import find_kind, find_levels, find_unit
from glabella.features.feature_set import FeatureDefinition
from glabella.features.spec import FeatureSpec


class AsGiven(ABC):
    """Describes a column by its variable's dictionary entry; only the label differs."""

    def describe(self, feature: FeatureDefinition, variable: Variable) -> FeatureSpec:
        """Describe the column by its dictionary entry."""
        return FeatureSpec(
            name=feature.name,
            label=feature.label or self._label(feature, variable),
            kind=find_kind(feature, variable),
            levels=find_levels(feature, variable),
            unit=find_unit(feature, variable),
        )

    @abstractmethod
    def _label(self, feature: FeatureDefinition, variable: Variable) -> str:
        """Name the column where the feature does not."""
