"""Missing scores are drawn, and made worse for those who left."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.endpoints.imputation_plan import IncompleteScores
from glabella.data.endpoints.strategies.interface import MissingSettings
from glabella.data.endpoints.strategies.multiple_imputation import MultipleImputation
from glabella.errors import AnalysisError


class Delta(MultipleImputation):
    """The strategy ``delta``: multiple imputation with a shift for those who left."""

    words: ClassVar[str] = (
        "missing scores are imputed by trial and arm from the scores of other visits, and made "
        "worse for those who left"
    )
    settings: ClassVar[tuple[str, ...]] = ("imputations", "points", "percent_of_range")
    needs_settings: ClassVar[bool] = True

    def check(self, stated: MissingSettings) -> None:
        """Refuse no shift, and two."""
        if (stated.points is None) == (stated.percent_of_range is None):
            raise ValueError("`delta` needs the shift, as `points` or as `percent_of_range`")

    def make_name(self, stated: MissingSettings) -> str:
        """Name the strategy with its shift."""
        if stated.points is not None:
            return f"delta {stated.points:+g} points"
        return f"delta {stated.percent_of_range:+g} % of range"

    def describe(self, stated: MissingSettings) -> str:
        """Say in words what the strategy does, with its shift."""
        shift = (
            f"{stated.points:g} points"
            if stated.points is not None
            else f"{stated.percent_of_range:g} % of the scale's range"
        )
        return f"{self.words} by {shift} ({stated.imputations} imputations)"

    def find_shift(self, stated: MissingSettings, scores: IncompleteScores) -> npt.ArrayLike:
        """Find the shift in points of each participant's scale."""
        variable, named = scores.variable, scores.tables.participants.get("scale")
        if stated.percent_of_range is None:
            if variable.scale == "by_trial" and named is not None and named.nunique() > 1:
                raise AnalysisError(
                    "a delta in points would be added to totals of different scales",
                    place=scores.place,
                    remedy="Write `percent_of_range` in its place.",
                )
            return stated.points or 0.0
        scales = [None] * scores.tables.n if named is None else list(named)
        widths = {
            name: variable.find_scale(None if pd.isna(name) else str(name)).width
            for name in dict.fromkeys(scales)
        }
        return np.array([stated.percent_of_range / 100.0 * widths[name] for name in scales])
