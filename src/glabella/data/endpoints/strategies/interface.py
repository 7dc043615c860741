"""What a strategy for missing outcomes must say and do."""

from __future__ import annotations

import math
from typing import ClassVar

import pandas as pd
from pydantic import Field

from glabella.data.endpoints.imputation import OutcomeImputation
from glabella.data.endpoints.imputation_plan import IncompleteScores
from glabella.data.endpoints.visits import Visits
from glabella.definitions.reader import Definition
from glabella.domain.timing import Moment
from glabella.domain.visits import Window

NO_SCORE = "no score in the endpoint's window"


class MissingSettings(Definition):
    """What a strategy for missing outcomes is stated by.

    Parameters
    ----------
    strategy : str
        A registered strategy: ``observed_only``, ``non_responder``, ``last_observation``,
        ``multiple_imputation`` or ``delta``.
    imputations : int
        Of a strategy that imputes: how many times a missing score is drawn.
    points : float, optional
        Of ``delta``: the points added to the imputed scores of those who left; below zero makes
        them better.
    percent_of_range : float, optional
        Of ``delta``: the same in percent of the scale's range, if trials differ in scale.
    """

    strategy: str
    imputations: int = Field(default=20, ge=2, le=100)
    points: float | None = None
    percent_of_range: float | None = None


class MissingStrategy:
    """Says what a missing score means; by default the participant is excluded.

    A strategy is declared by its class attributes, and overrides the methods in which it differs.

    Attributes
    ----------
    words : str
        What it does, for the report and the manifest.
    settings : tuple of str
        The keys, beside its name, that it takes.
    needs_settings : bool
        Whether its name alone does not say enough.
    uses_other_visits : bool
        Whether it needs scores of other visits; an endpoint that is recorded once has none.
    unknown_response : float
        The response of a participant without a score: 1, 0, or NaN if it stays unknown.
    unknown_basis : str
        What such a participant's response is based on: ``no_score`` excludes the participant,
        ``to_impute`` has it drawn.
    exclusion : str or None
        Why participants without a score are excluded; None if they are not.
    """

    words: ClassVar[str]
    settings: ClassVar[tuple[str, ...]] = ()
    needs_settings: ClassVar[bool] = False
    uses_other_visits: ClassVar[bool] = False
    unknown_response: ClassVar[float] = math.nan
    unknown_basis: ClassVar[str] = "no_score"
    exclusion: ClassVar[str | None] = NO_SCORE

    @property
    def is_no_response(self) -> bool:
        """Whether a missing score counts as no response."""
        return self.unknown_response == 0.0

    def check(self, stated: MissingSettings) -> None:
        """Refuse settings that are impossible."""

    def make_name(self, stated: MissingSettings) -> str:
        """Name the strategy with what distinguishes it from others of its kind."""
        return stated.strategy

    def describe(self, stated: MissingSettings) -> str:
        """Say in words what the strategy does."""
        return self.words

    def check_visits(
        self,
        visits: Visits,
        trials: pd.Series,
        window: Window,
        *,
        ties: str,
        clock: Moment,
        place: str,
    ) -> None:
        """Refuse data that can't support the strategy."""

    def find_carried(self, visits: Visits, window: Window, clock: Moment) -> pd.DataFrame | None:
        """Find the scores that are used in place of missing ones."""
        return None

    def plan_imputation(
        self, stated: MissingSettings, scores: IncompleteScores
    ) -> OutcomeImputation | None:
        """Plan how missing scores are drawn."""
        return None
