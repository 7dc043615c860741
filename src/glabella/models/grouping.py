"""Features that are explained together: an item, say, with the total that contains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from glabella.features.spec import FeatureSpec
from glabella.models.estimators.contributions import Contributions, Interactions

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Grouping:
    """What is shown as one.

    Parameters
    ----------
    groups : dict of tuple of str
        The words of each group, and its features. A feature is in one group at most; those in none
        stand alone.
    """

    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def name_shown(self, features: tuple[str, ...]) -> tuple[str, ...]:
        """Name what is shown, a group in the place of its first feature."""
        owner = {name: words for words, names in self.groups.items() for name in names}
        return tuple(dict.fromkeys(owner.get(name, name) for name in features))

    def list_members(self, shown: str) -> tuple[str, ...]:
        """List the features of what is shown."""
        return tuple(self.groups.get(shown, (shown,)))

    def sum_values(self, found: Contributions) -> Contributions:
        """Sum contributions to what is shown."""
        if not self.groups:
            return found
        belongs, shown = self._find_owners(found.features)
        values = np.zeros((len(found.values), len(shown)))
        # One after the other: a product of matrices rounds by the number of rows.
        for at, owner in enumerate(belongs.argmax(axis=1)):
            values[:, owner] += found.values[:, at]
        return Contributions(shown, values, found.base, found.scale)

    def sum_pairs(self, found: Interactions) -> Interactions:
        """Sum interaction values to pairs of what is shown."""
        if not self.groups:
            return found
        belongs, shown = self._find_owners(found.features)
        return Interactions(shown, belongs.T @ found.values @ belongs, found.scale)

    def describe(self, specs: tuple[FeatureSpec, ...]) -> dict[str, FeatureSpec]:
        """Describe what is shown.

        Returns
        -------
        dict of FeatureSpec
            By name; a group is a category without levels: it has no order of its own.
        """
        known = {spec.name: spec for spec in specs}
        for words, names in self.groups.items():
            first = known[names[0]]
            known[words] = FeatureSpec(words, words, "category", part=first.part)
        return known

    def _find_owners(self, features: tuple[str, ...]) -> tuple[Floats, tuple[str, ...]]:
        shown = self.name_shown(features)
        owner = {name: words for words, names in self.groups.items() for name in names}
        belongs = np.zeros((len(features), len(shown)))
        for at, name in enumerate(features):
            belongs[at, shown.index(owner.get(name, name))] = 1.0
        return belongs, shown
