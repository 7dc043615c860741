"""From scores to response: baseline, the visit that stands for the endpoint, missing outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import model_validator

from glabella.data.tables import PatientTables, find_baselines, find_positions
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
        ``response``: a fall from baseline of a score; ``flag``: a code of a variable that is
        recorded once, such as a diagnosis or an adverse event.
    of : str
        The variable: one that is assessed at visits for a response, a category for a flag.
    fraction : float, optional
        Of a response: the fraction of the baseline, inside (0, 1]; one half where neither this
        nor `points` is given.
    points : float, optional
        Of a response: the points of the scale.
    code : str, optional
        Of a flag: the code that counts.
    week : float, optional
        Of a response: the week that is meant, after baseline.
    window : tuple of float, optional
        Of a response: the first and last week in which a visit may stand for it.
    missing : str
        ``observed_only`` or ``non_responder``.
    """

    rule: Literal["response", "flag"]
    of: str
    fraction: float | None = None
    points: float | None = None
    code: str | None = None
    week: float | None = None
    window: tuple[float, float] | None = None
    missing: Literal["observed_only", "non_responder"]

    @model_validator(mode="after")
    def _is_possible(self) -> EndpointDefinition:
        if self.rule == "flag":
            if self.code is None:
                raise ValueError("a flag needs the `code` that counts")
            named = [
                name
                for name in ("fraction", "points", "week", "window")
                if getattr(self, name) is not None
            ]
            if named:
                raise ValueError(f"`{named[0]}` goes with the rule `response`, not with a flag")
            return self
        if self.code is not None:
            raise ValueError("`code` goes with the rule `flag`, not with a response")
        if self.week is None or self.window is None:
            raise ValueError("a response needs its `week` and `window`")
        self.response_rule  # noqa: B018
        if self.window[0] <= 0:
            raise ValueError("the endpoint's window must begin after baseline (week 0)")
        Window(self.week, *self.window)
        return self

    @property
    def response_rule(self) -> ResponseRule:
        """The rule of a response."""
        by_default = 0.5 if self.fraction is None and self.points is None else self.fraction
        return ResponseRule(by_default, self.points)

    @property
    def is_relative(self) -> bool:
        """Whether it is a fraction of the baseline, which of a baseline of zero means nothing."""
        return self.rule == "response" and self.points is None

    @property
    def visit_window(self) -> Window:
        """The weeks in which a visit may stand for the endpoint of a response."""
        if self.week is None or self.window is None:
            raise ValueError("a flag has no window of visits")
        return Window(self.week, *self.window)

    def describe(self) -> str:
        """Say the endpoint in words.

        Returns
        -------
        str
            For the report and the manifest.
        """
        missing = MISSING_STRATEGIES[self.missing]
        if self.rule == "flag":
            return f"'{self.of}' is '{self.code}'; {missing.replace('a score in the window', 'it')}"
        window = self.visit_window
        return (
            f"{self.response_rule.describe()} at week {window.target:g} "
            f"(window {window.low:g} to {window.high:g}); {missing}"
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
    if endpoint.rule == "flag":
        frame, left_out = _read_flag(tables, endpoint)
    else:
        frame, left_out = _derive_response(tables, endpoint)
    _refuse_single_class(frame["responded"], endpoint)
    return Outcomes(frame=frame, left_out=left_out)


def _read_flag(
    tables: PatientTables, endpoint: EndpointDefinition
) -> tuple[pd.DataFrame, dict[str, int]]:
    people = tables.participants
    if endpoint.of not in people:
        raise AnalysisError(
            f"no source maps '{endpoint.of}', which the endpoint needs",
            place=f"endpoint of '{endpoint.of}'",
            remedy="Name its column among the `variables:` of the participants' file.",
        )
    codes = people[endpoint.of]
    responded = (codes == endpoint.code).astype(float).where(codes.notna())
    left_out: dict[str, int] = {}
    unknown = int(responded.isna().sum())
    if endpoint.missing == "non_responder":
        responded = responded.fillna(0.0)
    elif unknown:
        left_out[f"no record of '{endpoint.of}'"] = unknown
    nothing = np.full(len(people), np.nan)
    columns = {"baseline": nothing, "week": nothing, "score": nothing, "responded": responded}
    return pd.DataFrame(columns, index=people.index), left_out


def _derive_response(
    tables: PatientTables, endpoint: EndpointDefinition
) -> tuple[pd.DataFrame, dict[str, int]]:
    window = endpoint.visit_window
    rows = tables.assessments[tables.assessments["paramcd"] == endpoint.of]
    rows = rows.assign(person=find_positions(rows, tables.participants))
    _refuse_uncovered_trials(tables, rows, endpoint.of, window)
    chosen = _choose_visits(rows, window).reindex(range(tables.n))
    frame = pd.DataFrame(
        {
            "baseline": find_baselines(tables, endpoint.of).to_numpy(dtype=float),
            "week": chosen["week"].to_numpy(dtype=float),
            "score": chosen["aval"].to_numpy(dtype=float),
        },
        index=tables.participants.index,
    )
    frame["responded"], left_out = _decide(frame, endpoint)
    return frame, left_out


def _refuse_single_class(responded: pd.Series, endpoint: EndpointDefinition) -> None:
    counts = responded.value_counts()
    if len(counts) >= 2:
        return
    only = "no participant" if counts.empty else f"every one of {int(counts.iloc[0])}"
    outcome = "has an outcome" if counts.empty else _name_class(float(counts.index[0]))
    at = "" if endpoint.week is None else f" at week {endpoint.week:g}"
    raise AnalysisError(
        f"{only} {outcome}: nothing can be told apart",
        place=f"endpoint of '{endpoint.of}'{at}",
        remedy="Change the endpoint's rule, week or window.",
    )


def _name_class(responded: float) -> str:
    return "responded" if responded == 1 else "did not respond"


def _refuse_uncovered_trials(
    tables: PatientTables, rows: pd.DataFrame, variable: str, window: Window
) -> None:
    for trial in dict.fromkeys(tables.participants["studyid"]):
        weeks = np.unique(rows.loc[rows["studyid"] == trial, "week"])
        if not ((weeks >= window.low) & (weeks <= window.high)).any():
            listed = ", ".join(f"{week:g}" for week in weeks[:20]) or "none at all"
            raise AnalysisError(
                f"no visit of trial '{trial}' with '{variable}' lies in weeks "
                f"{window.low:g} to {window.high:g}",
                place=f"endpoint at week {window.target:g}",
                remedy=f"Its visits are at weeks: {listed}. Change `week` and `window`, "
                "or leave the trial out.",
            )


def _choose_visits(rows: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Choose each participant's visit: nearest to the target, of two equally near the earlier."""
    inside = rows[(rows["week"] >= window.low) & (rows["week"] <= window.high)]
    ordered = inside.assign(distance=(inside["week"] - window.target).abs()).sort_values(
        ["distance", "week"], kind="stable"
    )
    return ordered.drop_duplicates("person").set_index("person")[["week", "aval"]]


def _decide(frame: pd.DataFrame, endpoint: EndpointDefinition) -> tuple[pd.Series, dict[str, int]]:
    rule = endpoint.response_rule
    left_out: dict[str, int] = {}
    without = frame["baseline"].isna()
    # Points can be lost from any baseline; a fraction of nothing means nothing.
    zero = (frame["baseline"] <= 0) & (rule.points is None)
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
