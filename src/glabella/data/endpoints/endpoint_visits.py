"""Reads the visits of an endpoint's variable, less what the endpoint ignores."""

from __future__ import annotations

import pandas as pd

from glabella.data.dictionary import Dictionary
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.visits import Visits
from glabella.data.overview import count_visits
from glabella.data.tables import PatientTables, find_positions
from glabella.data.totals import derive_total_without
from glabella.data.visit_weeks import find_visit_weeks, round_week
from glabella.domain.visits import Window
from glabella.errors import AnalysisError, DefinitionError

_MOST_WEEKS_LISTED = 10


def read_visits(
    tables: PatientTables, endpoint: EndpointDefinition, dictionary: Dictionary
) -> Visits:
    """Read the scores of the endpoint's variable, less what the endpoint ignores."""
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
        _check_uncovered_trials(tables, rows, endpoint.of, window)
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


def _check_uncovered_trials(
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
