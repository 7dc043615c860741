"""What missing scores are imputed from, gathered from participants and visits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.dictionary import Variable
from glabella.data.endpoints.imputation import OutcomeImputation
from glabella.data.endpoints.score_rule import ScoreRule
from glabella.data.endpoints.visits import Visits
from glabella.data.tables import PatientTables
from glabella.data.visit_weeks import RARELY
from glabella.domain.visits import Window
from glabella.errors import AnalysisError

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int_]

FEWEST_IN_A_TRIAL = 10


@dataclass(frozen=True)
class IncompleteScores:
    """The scores of an endpoint, and what missing ones can be drawn from.

    Parameters
    ----------
    tables : PatientTables
        Participants with trial, arm and scale.
    variable : Variable
        The endpoint's.
    rule : ScoreRule
        The endpoint's rule for each participant.
    windows : tuple of Window
        The weeks of the endpoint, and of the later week through which a response must last.
    every : Visits
        All visits, which say who left.
    used : Visits
        The visits whose scores are used.
    frame : DataFrame
        ``baseline``, ``score`` and ``responded`` (NaN if to be imputed) of each participant.
    later : DataFrame or None
        ``score`` at the later week through which a response must last.
    usable : array of bool, shape (n_participants,)
        Who is analysed.
    place : str
        The endpoint and the strategy, for messages.
    """

    tables: PatientTables
    variable: Variable
    rule: ScoreRule
    windows: tuple[Window, ...]
    every: Visits
    used: Visits
    frame: pd.DataFrame
    later: pd.DataFrame | None
    usable: npt.NDArray[np.bool_]
    place: str


def plan_imputation(
    scores: IncompleteScores, *, count: int, shift: npt.ArrayLike
) -> OutcomeImputation:
    """Gather what missing scores are imputed from."""
    frame, windows = scores.frame, scores.windows
    judged = [frame["score"].to_numpy(dtype=float)]
    if scores.later is not None:
        judged.append(scores.later["score"].to_numpy(dtype=float))
    people = scores.tables.participants
    trial, trials = pd.factorize(people["studyid"].astype(object))
    others = _tabulate_other_visits(scores.used, trial, windows)
    last = scores.every.select_last()["week"].to_numpy(dtype=float)
    left = [~(last >= window.low) for window in windows]
    imputation = OutcomeImputation(
        count=count,
        known=np.where(scores.usable, frame["responded"], 0.0),
        scores=np.column_stack([frame["baseline"], *judged, others]),
        n_judged=len(judged),
        shift=np.column_stack([np.where(gone, shift, 0.0) for gone in left]),
        trial=trial,
        arm=_number_arms(people),
        rule=scores.rule,
        trials=tuple(str(name) for name in trials),
    )
    _check_unsupported(imputation, scores.place)
    return imputation


def _tabulate_other_visits(used: Visits, trial: Rows, windows: tuple[Window, ...]) -> Floats:
    """Put the scheduled visits outside the endpoint's windows into columns, the nearest first."""
    rows = used.rows[used.rows["week"] > 0]
    for window in windows:
        rows = rows[~rows["week"].between(window.low, window.high)]
    of_trial = pd.Series(trial[rows["person"].to_numpy()], index=rows.index)
    seen = rows.groupby([of_trial, "week"])["person"].transform("nunique")
    rows = rows[seen >= RARELY * of_trial.map(pd.Series(trial).value_counts())]
    weeks = sorted(rows["week"].unique(), key=lambda week: (abs(week - windows[0].target), week))
    spread = rows.pivot_table(index="person", columns="week", values="aval", aggfunc="last")
    return spread.reindex(index=range(used.n), columns=weeks).to_numpy(dtype=float)


def _number_arms(people: pd.DataFrame) -> Rows:
    if "arm" not in people:
        return np.zeros(len(people), dtype=int)
    return np.asarray(pd.factorize(people["arm"].astype(object))[0], dtype=int)


def _check_unsupported(imputation: OutcomeImputation, place: str) -> None:
    others = imputation.scores[:, 1 + imputation.n_judged :]
    for code in np.unique(imputation.trial[np.isnan(imputation.known)]):
        members = np.flatnonzero(imputation.trial == code)
        name = imputation.trials[code]
        judged = imputation.scores[members, 2 : 1 + imputation.n_judged]
        if np.isnan(others[members]).all() and np.isnan(judged).all():
            raise AnalysisError(
                f"trial '{name}' has no visit after baseline other than the endpoint, so there is "
                "nothing to impute it from",
                place=place,
                remedy="Take `observed_only` or `non_responder`, or a later endpoint.",
            )
        observed = imputation.count_observed(members)
        if observed < FEWEST_IN_A_TRIAL:
            raise AnalysisError(
                f"{observed} observed scores of trial '{name}' are too few to impute the others "
                "from",
                place=place,
                remedy=f"It takes {FEWEST_IN_A_TRIAL}. Leave the trial out, or take another "
                "strategy.",
            )
