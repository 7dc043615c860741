"""The last score before the window is carried forward."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from glabella.data.endpoints.strategies.interface import MissingStrategy
from glabella.data.endpoints.visits import Visits
from glabella.domain.timing import Moment
from glabella.domain.visits import Window
from glabella.errors import AnalysisError


class LastObservation(MissingStrategy):
    """The strategy ``last_observation``: the last score after the moment of prediction is used."""

    words: ClassVar[str] = (
        "the last score before the window stands for a missing one; participants without any "
        "are left out"
    )
    uses_other_visits: ClassVar[bool] = True
    exclusion: ClassVar[str | None] = "no score to carry forward"

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
        """Refuse a trial with missing scores and without an earlier visit."""
        earlier = visits.select_between(clock.week, window.low).rows["person"].to_numpy()
        names = trials.to_numpy()
        with_visits = set(names[np.unique(earlier)])
        seen = visits.select_nearest(window, ties)["score"].notna().to_numpy()
        for trial in dict.fromkeys(names):
            if trial not in with_visits and not seen[names == trial].all():
                raise AnalysisError(
                    f"trial '{trial}' has no visit between {clock} and week {window.low:g}, so "
                    "there is no observation to carry forward",
                    place=place,
                    remedy="Take another strategy, or a later endpoint.",
                )

    def find_carried(self, visits: Visits, window: Window, clock: Moment) -> pd.DataFrame | None:
        """Find the last score between the moment of prediction and the window."""
        return visits.select_between(clock.week, window.low).select_last()
