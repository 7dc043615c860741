"""From scores to response: baseline, the visit that stands for the endpoint, missing outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import model_validator

from glabella.data.tables import KEY, PatientTables, find_baselines
from glabella.definitions.reader import Definition
from glabella.domain.endpoints import ResponseRule
from glabella.domain.visits import Window
from glabella.errors import AnalysisError

MISSING_STRATEGIES = {
    "observed_only": "participants without a score in the window are left out",
    "non_responder": "participants without a score in the window count as non-responders",
}


class EndpointDefinition(Definition):
    """The endpoint: a rule, the variable it is of, the week, and what a missing score means.

    Parameters
    ----------
    rule : str
        ``response``: a fall of at least `fraction` of the baseline.
    of : str
        The variable, one that is assessed at visits.
    fraction : float
        Inside (0, 1].
    week : float
        The week that is meant, after baseline.
    window : tuple of float
        The first and last week in which a visit may stand for it.
    missing : str
        ``observed_only`` or ``non_responder``.
    """

    rule: Literal["response"]
    of: str
    fraction: float = 0.5
    week: float
    window: tuple[float, float]
    missing: Literal["observed_only", "non_responder"]

    @model_validator(mode="after")
    def _is_possible(self) -> EndpointDefinition:
        ResponseRule(self.fraction)
        if self.window[0] <= 0:
            raise ValueError("the endpoint's window must begin after baseline (week 0)")
        Window(self.week, *self.window)
        return self

    def describe(self) -> str:
        """Say the endpoint in words.

        Returns
        -------
        str
            For the report and the manifest.
        """
        return (
            f"{ResponseRule(self.fraction).describe()} at week {self.week:g} "
            f"(window {self.window[0]:g} to {self.window[1]:g}); "
            f"{MISSING_STRATEGIES[self.missing]}"
        )


@dataclass(frozen=True)
class Outcomes:
    """Each participant's scores and response.

    Parameters
    ----------
    frame : DataFrame
        In the order of the participants: ``baseline``, ``week`` (of the visit used), ``score``,
        ``responded`` (1, 0, or NaN where the participant is left out).
    left_out : dict
        Reason to the number of participants left out for it.
    """

    frame: pd.DataFrame
    left_out: dict[str, int]


def derive_outcomes(tables: PatientTables, endpoint: EndpointDefinition) -> Outcomes:
    """Derive baseline, score at the endpoint and response.

    Parameters
    ----------
    tables : PatientTables
        The tables.
    endpoint : EndpointDefinition
        The endpoint.

    Returns
    -------
    Outcomes
        Scores and responses, with the count of those left out.

    Raises
    ------
    AnalysisError
        If no visit of some trial lies in the window, or all remaining outcomes are of one class.
    """
    window = Window(endpoint.week, *endpoint.window)
    rows = tables.assessments[tables.assessments["paramcd"] == endpoint.of]
    _refuse_uncovered_trials(tables, rows, endpoint)
    at_endpoint = _choose_visits(rows, window)
    keys = pd.MultiIndex.from_frame(tables.participants[KEY])
    chosen = at_endpoint.reindex(keys)
    frame = pd.DataFrame(
        {
            "baseline": find_baselines(tables, endpoint.of).to_numpy(dtype=float),
            "week": chosen["week"].to_numpy(dtype=float),
            "score": chosen["aval"].to_numpy(dtype=float),
        },
        index=tables.participants.index,
    )
    frame["responded"], left_out = _decide(frame, endpoint)
    counts = frame["responded"].value_counts()
    if len(counts) < 2:
        only = "no participant" if counts.empty else f"every one of {int(counts.iloc[0])}"
        outcome = "has an outcome" if counts.empty else _name_class(float(counts.index[0]))
        raise AnalysisError(
            f"{only} {outcome}: nothing can be told apart",
            place=f"endpoint of '{endpoint.of}' at week {endpoint.week:g}",
            remedy="Change the endpoint's rule, week or window.",
        )
    return Outcomes(frame=frame, left_out=left_out)


def _name_class(responded: float) -> str:
    return "responded" if responded == 1 else "did not respond"


def _refuse_uncovered_trials(
    tables: PatientTables, rows: pd.DataFrame, endpoint: EndpointDefinition
) -> None:
    low, high = endpoint.window
    for trial in dict.fromkeys(tables.participants["studyid"]):
        weeks = np.unique(rows.loc[rows["studyid"] == trial, "week"])
        if not ((weeks >= low) & (weeks <= high)).any():
            listed = ", ".join(f"{week:g}" for week in weeks[:20]) or "none at all"
            raise AnalysisError(
                f"no visit of trial '{trial}' with '{endpoint.of}' lies in weeks "
                f"{low:g} to {high:g}",
                place=f"endpoint at week {endpoint.week:g}",
                remedy=f"Its visits are at weeks: {listed}. Change `week` and `window`, "
                "or leave the trial out.",
            )


def _choose_visits(rows: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Choose each participant's visit: nearest to the target, of two equally near the earlier."""
    inside = rows[(rows["week"] >= window.low) & (rows["week"] <= window.high)]
    ordered = inside.assign(distance=(inside["week"] - window.target).abs()).sort_values(
        ["distance", "week"], kind="stable"
    )
    return ordered.drop_duplicates(KEY).set_index(KEY)[["week", "aval"]]


def _decide(frame: pd.DataFrame, endpoint: EndpointDefinition) -> tuple[pd.Series, dict[str, int]]:
    rule = ResponseRule(endpoint.fraction)
    left_out: dict[str, int] = {}
    without = frame["baseline"].isna()
    zero = frame["baseline"] <= 0
    if without.any():
        left_out["no baseline score"] = int(without.sum())
    if zero.any():
        left_out["a baseline of zero, of which a fraction means nothing"] = int(zero.sum())
    usable = ~without & ~zero
    seen = usable & frame["score"].notna()
    responded = pd.Series(
        [
            float(rule.is_response(baseline, score)) if is_seen else np.nan
            for baseline, score, is_seen in zip(
                frame["baseline"], frame["score"], seen, strict=True
            )
        ],
        index=frame.index,
    )
    unseen = usable & frame["score"].isna()
    if endpoint.missing == "non_responder":
        responded[unseen] = 0.0
    elif unseen.any():
        left_out["no score in the endpoint's window"] = int(unseen.sum())
    return responded, left_out
