"""Which visits stand for the baseline, the endpoint and a later week, by participant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.dictionary import Dictionary
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.overview import count_visits
from glabella.data.tables import PatientTables, find_positions
from glabella.data.totals import derive_total_without
from glabella.data.visit_weeks import find_visit_weeks, round_week
from glabella.domain.visits import TIE_DECIMALS, Window
from glabella.errors import AnalysisError, DefinitionError

Floats = npt.NDArray[np.float64]
_MOST_WEEKS_LISTED = 10


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

    def up_to(self, week: Floats) -> Visits:
        """Leave out what came after a week of each participant's own.

        Parameters
        ----------
        week : array of float, shape (n_participants,)
            The last week that counts.

        Returns
        -------
        Visits
            The rest.
        """
        kept = self.rows["week"].to_numpy() <= week[self.rows["person"].to_numpy()]
        return Visits(self.rows[kept], self.n)

    def between(self, after: float | Floats, before: float | Floats) -> Visits:
        """Take what lies strictly between two weeks.

        Parameters
        ----------
        after, before : float or array of float, shape (n_participants,)
            The weeks, both excluded.

        Returns
        -------
        Visits
            The rest.
        """
        person, week = self.rows["person"].to_numpy(), self.rows["week"].to_numpy()
        low, high = (np.broadcast_to(bound, self.n)[person] for bound in (after, before))
        return Visits(self.rows[(week > low) & (week < high)], self.n)

    def find_baselines(self, rule: Literal["last", "first", "mean"]) -> Floats:
        """Find each participant's value at or before week 0.

        Parameters
        ----------
        rule : str
            Of several, the ``last``, the ``first`` or their ``mean``.

        Returns
        -------
        array of float, shape (n_participants,)
            NaN where there is none.
        """
        early = self.rows[self.rows["week"] <= 0]
        values = early.groupby("person")["aval"].agg(rule)
        return values.reindex(range(self.n)).to_numpy(dtype=float)

    def last(self) -> pd.DataFrame:
        """Take each participant's last visit.

        Returns
        -------
        DataFrame, shape (n_participants, 2)
            ``week`` and ``score``; NaN where there is none.
        """
        return self._spread(self.rows.drop_duplicates("person", keep="last"))

    def nearest(self, window: Window, ties: str) -> pd.DataFrame:
        """Take each participant's visit nearest to a week, inside its window.

        Parameters
        ----------
        window : Window
            The week that is meant and those around it.
        ties : str
            Of two equally near, the ``earlier`` or the ``later``.

        Returns
        -------
        DataFrame, shape (n_participants, 2)
            ``week`` and ``score``; NaN where there is none.
        """
        week = self.rows["week"]
        inside = self.rows[(week >= window.low) & (week <= window.high)]
        if not inside["person"].duplicated().any():
            return self._spread(inside)
        first = inside["week"] if ties != "later" else -inside["week"]
        ordered = inside.assign(
            distance=_measure_distance(inside["week"], window), first=first
        ).sort_values(["distance", "first"], kind="stable")
        return self._spread(ordered.drop_duplicates("person"))

    def count_ties(self, window: Window) -> int:
        """Count the participants with two visits equally near to a week.

        Parameters
        ----------
        window : Window
            The week that is meant and those around it.

        Returns
        -------
        int
            How many.
        """
        week = self.rows["week"]
        inside = self.rows[(week >= window.low) & (week <= window.high)]
        if not inside["person"].duplicated().any():
            return 0
        distance = _measure_distance(inside["week"], window)
        nearest = distance.groupby(inside["person"]).transform("min")
        return int(inside[distance == nearest]["person"].duplicated().sum())

    def _spread(self, one_each: pd.DataFrame) -> pd.DataFrame:
        columns = ["week", "aval", *(["dtype"] if "dtype" in one_each else [])]
        spread = one_each.set_index("person")[columns].reindex(range(self.n))
        return spread.rename(columns={"aval": "score"})


def _measure_distance(week: pd.Series, window: Window) -> pd.Series:
    return (week - window.target).abs().round(TIE_DECIMALS)


def read_visits(
    tables: PatientTables, endpoint: EndpointDefinition, dictionary: Dictionary
) -> Visits:
    """Read the scores of the endpoint's variable, less what the endpoint ignores.

    Parameters
    ----------
    tables : PatientTables
        The tables.
    endpoint : EndpointDefinition
        The endpoint.
    dictionary : Dictionary
        The variables; says which items make up the total.

    Returns
    -------
    Visits
        All visits, those before treatment included.

    Raises
    ------
    AnalysisError
        If no visit of some trial lies in the endpoint's windows.
    DefinitionError
        If an item is left out of a total that is not made of it.
    """
    if endpoint.without:
        found = _read_total_without(tables, endpoint, dictionary)
    else:
        found = tables.assessments[tables.assessments["paramcd"] == endpoint.of]
    columns = ["week", "aval", *(["dtype"] if "dtype" in found else [])]
    rows = found[columns].assign(
        person=find_positions(found, tables.participants)
        if endpoint.without
        else tables.positions[(tables.assessments["paramcd"] == endpoint.of).to_numpy()],
        studyid=found["studyid"].astype(object),
    )
    rows = rows[rows["person"] >= 0]
    if endpoint.unscheduled == "ignore":
        rows = _drop_unscheduled(rows, tables, endpoint)
    windows = [endpoint.visit_window]
    if endpoint.sustained is not None:
        windows.append(endpoint.sustained.visit_window)
    for window in windows:
        _refuse_uncovered_trials(tables, rows, endpoint.of, window)
    ordered = rows.drop(columns="studyid").sort_values(["person", "week"], kind="stable")
    return Visits(ordered.reset_index(drop=True), tables.n)


def _read_total_without(
    tables: PatientTables, endpoint: EndpointDefinition, dictionary: Dictionary
) -> pd.DataFrame:
    try:
        return derive_total_without(tables, dictionary, endpoint.of, endpoint.without)
    except DefinitionError as error:
        raise DefinitionError(
            error.finding, place=error.place or "endpoint.without", remedy=error.remedy
        ) from None


def _drop_unscheduled(
    rows: pd.DataFrame, tables: PatientTables, endpoint: EndpointDefinition
) -> pd.DataFrame:
    told = find_visit_weeks(tables, endpoint.of)
    if told.untold:
        raise AnalysisError(
            f"the weeks of trial '{told.untold[0]}' are days, spread so widely that visits can't "
            "be told apart, and so neither can unscheduled ones",
            place=f"endpoint of '{endpoint.of}'",
            remedy="Map the planned week of each visit, or leave `unscheduled: ignore` out.",
        )
    visits = count_visits(tables, endpoint.of)
    scheduled = visits.loc[visits["scheduled"], ["trial", "week"]]
    known = pd.MultiIndex.from_frame(scheduled)
    is_rounded = rows["studyid"].isin(told.rounded)
    week = rows["week"].mask(is_rounded, round_week(rows["week"]))
    there = pd.MultiIndex.from_arrays([rows["studyid"], week])
    return rows[there.isin(known) | (rows["week"] <= 0).to_numpy()]


def _refuse_uncovered_trials(
    tables: PatientTables, rows: pd.DataFrame, variable: str, window: Window
) -> None:
    covered = set(rows.loc[rows["week"].between(window.low, window.high), "studyid"].unique())
    for trial in tables.participants["studyid"].unique():
        if trial not in covered:
            weeks = rows.loc[rows["studyid"] == trial, "week"]
            raise AnalysisError(
                f"no visit of trial '{trial}' with '{variable}' lies in weeks "
                f"{window.low:g} to {window.high:g}",
                place=f"endpoint at week {window.target:g}",
                remedy=f"{_describe_visits(tables, trial, variable, weeks)} Change `week` and "
                "`window`, or leave the trial out.",
            )


def _describe_visits(tables: PatientTables, trial: str, variable: str, weeks: pd.Series) -> str:
    """List a trial's visits, but no weeks that may be scores because a mapping is wrong."""
    if weeks.empty:
        return "Its visits are at weeks: none at all."
    visits = count_visits(tables, variable)
    is_listed = (visits["trial"] == trial) & visits["scheduled"] & visits["week"].isin(weeks)
    planned = visits.loc[is_listed, "week"]
    if planned.empty:
        return "Its weeks are of no schedule: is `week:` the column of the week?"
    listed = ", ".join(f"{week:g}" for week in planned[:_MOST_WEEKS_LISTED])
    more = ", ..." if len(planned) > _MOST_WEEKS_LISTED else ""
    return f"Its visits are at weeks: {listed}{more}."
