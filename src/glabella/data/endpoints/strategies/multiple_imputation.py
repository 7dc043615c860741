"""Missing scores are drawn several times from the scores of other visits."""

from __future__ import annotations

from typing import ClassVar

import numpy.typing as npt

from glabella.data.endpoints.imputation import OutcomeImputation
from glabella.data.endpoints.imputation_plan import IncompleteScores, plan_imputation
from glabella.data.endpoints.strategies.interface import MissingSettings, MissingStrategy


class MultipleImputation(MissingStrategy):
    """The strategy ``multiple_imputation``: scores are drawn by trial and arm.

    One that draws otherwise overrides `find_shift`, or `plan_imputation`.
    """

    words: ClassVar[str] = (
        "missing scores are imputed by trial and arm from the scores of other visits"
    )
    settings: ClassVar[tuple[str, ...]] = ("imputations",)
    uses_other_visits: ClassVar[bool] = True
    unknown_basis: ClassVar[str] = "to_impute"
    exclusion: ClassVar[str | None] = None

    def describe(self, stated: MissingSettings) -> str:
        """Say in words what the strategy does, with the number of imputations."""
        return f"{self.words} ({stated.imputations} imputations)"

    def find_shift(self, stated: MissingSettings, scores: IncompleteScores) -> npt.ArrayLike:
        """Find what is added to the imputed scores of those who left.

        Returns
        -------
        float or array of float, shape (n_participants,)
            Points of each participant's scale.
        """
        return 0.0

    def plan_imputation(
        self, stated: MissingSettings, scores: IncompleteScores
    ) -> OutcomeImputation | None:
        """Plan draws within trial and arm."""
        return plan_imputation(
            scores, count=stated.imputations, shift=self.find_shift(stated, scores)
        )
