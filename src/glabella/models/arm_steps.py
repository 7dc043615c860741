"""One number for each arm, added to predictions and attributed to the arm alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit

from glabella.features.feature_columns import FeatureColumns
from glabella.features.spec import FeatureSpec
from glabella.models.encoding import check_finite

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ArmSteps:
    """What each arm adds.

    Parameters
    ----------
    by_arm : mapping of float
        By the arm's name; empty where the analysis declares no arms.
    center : float
        The mean that an arm's attribution is a distance from, and the value of any other arm.
    """

    by_arm: Mapping[str, float]
    center: float

    def find_values(self, columns: FeatureColumns, specs: Sequence[FeatureSpec]) -> Floats:
        """Find each row's value."""
        name = find_arm(specs)
        if name is None or not self.by_arm:
            return np.full(len(columns), self.center)
        category = columns.get_category(name)
        values = [self.by_arm.get(level, self.center) for level in category.levels]
        # The last is that of missing levels, whose code is -1.
        return np.asarray(np.array([*values, self.center])[category.codes])

    def with_center(
        self, columns: FeatureColumns, specs: Sequence[FeatureSpec], weight: Floats
    ) -> ArmSteps:
        """Have attributions compared with the mean over stated rows."""
        return replace(self, center=float(weight @ self.find_values(columns, specs)))

    def to_log_odds(self) -> ArmSteps:
        """Put rates on the scale of log odds."""
        by_arm = {arm: float(logit(rate)) for arm, rate in self.by_arm.items()}
        return ArmSteps(by_arm, float(logit(self.center)))

    def add_to(
        self,
        values: Floats,
        columns: FeatureColumns,
        specs: Sequence[FeatureSpec],
        features: Sequence[str],
    ) -> Floats:
        """Add each row's distance from the center to the attributions of the arm."""
        name = find_arm(specs)
        added = values.copy()
        if name in features:
            added[:, features.index(name)] += self.find_values(columns, specs) - self.center
        return added

    def export(self) -> dict[str, Any]:
        """Write the values for JSON."""
        return {"by_arm": dict(self.by_arm), "center": self.center}

    @staticmethod
    def restore(content: Mapping[str, Any], specs: Sequence[FeatureSpec]) -> ArmSteps:
        """Read exported values back, and refuse those of an arm that the model does not know."""
        name = find_arm(specs)
        known = {level for spec in specs if spec.name == name for level in spec.levels}
        if sorted(content) != ["by_arm", "center"] or not set(content["by_arm"]) <= known:
            raise ValueError("the values of arms are not of the model's arms")
        by_arm = {arm: check_finite(value) for arm, value in content["by_arm"].items()}
        return ArmSteps(by_arm, check_finite(content["center"]))


def compute_rates(
    columns: FeatureColumns, specs: Sequence[FeatureSpec], responded: npt.NDArray[np.int_]
) -> ArmSteps:
    """Compute each arm's rate of response, so that no arm has a rate of 0 or 1."""
    counts = {"": (int(responded.sum()), len(responded))}
    name = find_arm(specs)
    if name is not None:
        arms = pd.Series(responded).groupby(columns.get_labels(name)).agg(["sum", "size"])
        known = columns.get_category(name).levels
        counts |= {arm: tuple(arms.loc[arm]) for arm in known if arm in arms.index}
    return make_rates(counts)


def make_rates(counts: Mapping[str, tuple[int, int]]) -> ArmSteps:
    """Make rates from responders and participants by arm; those of all are named ``''``."""
    rates = {arm: (hits + 0.5) / (n + 1.0) for arm, (hits, n) in counts.items()}
    return ArmSteps({arm: float(rate) for arm, rate in rates.items() if arm}, float(rates[""]))


def find_arm(specs: Sequence[FeatureSpec]) -> str | None:
    """Find the feature that is the randomised arm; None if the analysis declares no arms."""
    return next((spec.name for spec in specs if spec.part == "arm"), None)
