"""The scores of a variable by participant and week, and which of them counts for a week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.domain.visits import TIE_DECIMALS, Window

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Visits:
    """The scores of a variable, by participant and week.

    Parameters
    ----------
    rows : DataFrame
        ``person`` (position among the participants), ``week``, ``aval`` and where a source kept
        imputed records ``dtype``; ordered by person and week.
    n : int
        The number of participants.
    """

    rows: pd.DataFrame
    n: int

    def select_up_to(self, week: Floats) -> Visits:
        """Leave out what came after a week of each participant's own."""
        kept = self.rows["week"].to_numpy() <= week[self.rows["person"].to_numpy()]
        return Visits(self.rows[kept], self.n)

    def select_between(self, after: float | Floats, before: float | Floats) -> Visits:
        """Take what lies strictly between two weeks."""
        person, week = self.rows["person"].to_numpy(), self.rows["week"].to_numpy()
        low, high = (np.broadcast_to(bound, self.n)[person] for bound in (after, before))
        return Visits(self.rows[(week > low) & (week < high)], self.n)

    def find_baselines(self, rule: Literal["last", "first", "mean"]) -> Floats:
        """Find each participant's value at or before week 0.

        Returns
        -------
        array of float, shape (n_participants,)
            NaN where there is none.
        """
        early = self.rows[self.rows["week"] <= 0]
        values = early.groupby("person")["aval"].agg(rule)
        return values.reindex(range(self.n)).to_numpy(dtype=float)

    def select_last(self) -> pd.DataFrame:
        """Take each participant's last visit.

        Returns
        -------
        DataFrame, shape (n_participants, 2)
            ``week`` and ``score``; NaN where there is none.
        """
        return self._make_one_each(self.rows.drop_duplicates("person", keep="last"))

    def select_nearest(self, window: Window, ties: str) -> pd.DataFrame:
        """Take each participant's visit nearest to a week, inside its window.

        Returns
        -------
        DataFrame, shape (n_participants, 2)
            ``week`` and ``score``; NaN where there is none.
        """
        week = self.rows["week"]
        inside = self.rows[(week >= window.low) & (week <= window.high)]
        if not inside["person"].duplicated().any():
            return self._make_one_each(inside)
        first = inside["week"] if ties != "later" else -inside["week"]
        ordered = inside.assign(
            distance=_measure_distance(inside["week"], window), first=first
        ).sort_values(["distance", "first"], kind="stable")
        return self._make_one_each(ordered.drop_duplicates("person"))

    def count_ties(self, window: Window) -> int:
        """Count the participants with two visits equally near to a week."""
        week = self.rows["week"]
        inside = self.rows[(week >= window.low) & (week <= window.high)]
        if not inside["person"].duplicated().any():
            return 0
        distance = _measure_distance(inside["week"], window)
        nearest = distance.groupby(inside["person"]).transform("min")
        return int(inside[distance == nearest]["person"].duplicated().sum())

    def _make_one_each(self, one_each: pd.DataFrame) -> pd.DataFrame:
        columns = ["week", "aval", *(["dtype"] if "dtype" in one_each else [])]
        spread = one_each.set_index("person")[columns].reindex(range(self.n))
        return spread.rename(columns={"aval": "score"})


def _measure_distance(week: pd.Series, window: Window) -> pd.Series:
    return (week - window.target).abs().round(TIE_DECIMALS)
