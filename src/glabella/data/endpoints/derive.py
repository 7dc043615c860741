"""Each participant's scores and response, as the endpoint declares them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.checks import Finding
from glabella.data.dictionary import Dictionary
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.endpoint_visits import read_visits
from glabella.data.endpoints.imputation import OutcomeImputation
from glabella.data.endpoints.imputation_plan import IncompleteScores
from glabella.data.endpoints.intercurrent import Intercurrent, find_intercurrent
from glabella.data.endpoints.rules.interface import RecordRule
from glabella.data.endpoints.score_rule import ScoreRule, find_margins, make_score_rule
from glabella.data.endpoints.visits import Visits
from glabella.data.tables import PatientTables
from glabella.domain.imputation import is_summary
from glabella.domain.timing import BASELINE, Moment
from glabella.domain.visits import Window
from glabella.errors import AnalysisError

Bools = npt.NDArray[np.bool_]
NO_BASELINE = "no baseline score"
ZERO_BASELINE = "a baseline of zero or below, of which a fraction means nothing"


@dataclass(frozen=True)
class Outcomes:
    """Each participant's scores and response.

    Parameters
    ----------
    frame : DataFrame
        In the order of the participants: ``baseline``, ``week`` (of the visit used), ``score``,
        ``responded`` (1, 0, or NaN where the participant is left out or the score is to be
        imputed) and ``basis``: ``observed``, ``carried_forward``, ``while_on_treatment``,
        ``counted`` (as no response), ``composite``, ``to_impute``, ``no_score`` or
        ``no_baseline``; the last two are left out.
    left_out : dict
        Reason to the number of participants left out for it.
    imputation : OutcomeImputation or None
        Where missing scores are imputed: what draws them.
    had_event : dict of int
        Intercurrent event to how many had it, where that is recorded.
    findings : tuple of Finding
        What was noted.
    margin : array of float, shape (n_participants,), or None
        How far beyond the threshold of response each score lies, as a share of the scale's range:
        not below zero for responders; NaN without a score. None where scores do not decide.
    """

    frame: pd.DataFrame
    left_out: dict[str, int]
    imputation: OutcomeImputation | None = None
    had_event: dict[str, int] | None = None
    findings: tuple[Finding, ...] = ()
    margin: npt.NDArray[np.float64] | None = None

    @property
    def is_analysed(self) -> Bools:
        """Who is analysed."""
        return np.asarray(~self.frame["basis"].isin(["no_score", "no_baseline"]), dtype=bool)


def derive_outcomes(
    tables: PatientTables,
    endpoint: EndpointDefinition,
    dictionary: Dictionary,
    *,
    clock: Moment = BASELINE,
) -> Outcomes:
    """Derive baseline, score at the endpoint and response."""
    if isinstance(endpoint.method, RecordRule):
        outcomes = _derive_from_record(tables, endpoint, endpoint.method)
    else:
        outcomes = _derive_from_scores(tables, endpoint, dictionary, clock)
    if outcomes.imputation is None:
        _check_single_class(outcomes.frame["responded"], endpoint)
    return outcomes


def _derive_from_record(
    tables: PatientTables, endpoint: EndpointDefinition, rule: RecordRule
) -> Outcomes:
    people = tables.participants
    if endpoint.of not in people:
        raise AnalysisError(
            f"no source maps '{endpoint.of}', which the endpoint needs",
            place=f"endpoint of '{endpoint.of}'",
            remedy="Name its column among the `variables:` of the participants' file.",
        )
    responded, missing = rule.judge(endpoint, people[endpoint.of]), endpoint.missing.method
    known = responded.notna().to_numpy()
    basis = np.where(known, "observed", missing.unknown_basis).astype(object)
    left_out: dict[str, int] = {}
    if missing.exclusion is not None and not known.all():
        left_out[f"no record of '{endpoint.of}'"] = int((~known).sum())
    responded = responded.where(known, missing.unknown_response)
    nothing = np.full(len(people), np.nan)
    columns = {"baseline": nothing, "week": nothing, "score": nothing, "responded": responded}
    frame = pd.DataFrame({**columns, "basis": basis}, index=people.index)
    events = find_intercurrent(people, endpoint.intercurrent)
    return Outcomes(frame, left_out, had_event=events.had)


def _derive_from_scores(
    tables: PatientTables, endpoint: EndpointDefinition, dictionary: Dictionary, clock: Moment
) -> Outcomes:
    people, variable = tables.participants, dictionary.find(endpoint.of)
    every = read_visits(tables, endpoint, dictionary)
    events = find_intercurrent(people, endpoint.intercurrent)
    visits = every.select_up_to(np.maximum(events.used_until, 0.0))
    rule = make_score_rule(endpoint.visit_rule, endpoint, variable, people)
    missing = endpoint.missing.method
    place = f"endpoint of '{endpoint.of}', missing `{endpoint.missing.strategy}`"
    findings = _note_visits(visits, endpoint) + _note_early_leavers(visits, endpoint, clock)
    baseline = visits.find_baselines(endpoint.baseline)
    chosen = visits.select_nearest(endpoint.visit_window, endpoint.ties)
    findings += _note_imputed_records(chosen, endpoint)
    basis = np.where(chosen["score"].notna(), "observed", "").astype(object)
    held = visits.select_between(clock.week, np.inf).select_last()
    window = endpoint.visit_window
    basis[_apply_last_on_treatment(chosen, held, events, window)] = "while_on_treatment"
    missing.check_visits(
        visits, people["studyid"], window, ties=endpoint.ties, clock=clock, place=place
    )
    _apply_last_observation(chosen, basis, missing.find_carried(visits, window, clock))
    frame = pd.DataFrame(
        {
            "baseline": baseline,
            "week": chosen["week"].to_numpy(dtype=float),
            "score": chosen["score"].to_numpy(dtype=float),
        },
        index=people.index,
    )
    later = _find_later(visits, held, events, endpoint, clock)
    known = _apply_rule_to_scores(frame, later, rule, visits, endpoint)
    failed = _find_composites(frame["week"].to_numpy(), basis, events, endpoint)
    known, basis = np.where(failed, 0.0, known), np.where(failed, "composite", basis)
    findings += _note_met_before(baseline, rule, endpoint)
    usable, left_out = _find_usable(frame["baseline"].to_numpy(), endpoint)
    frame["responded"], frame["basis"] = known, basis
    unknown = usable & np.isnan(known)
    imputation = missing.plan_imputation(
        endpoint.missing,
        IncompleteScores(
            tables, variable, rule, endpoint.windows, every, visits, frame, later, usable, place
        ),
    )
    if missing.exclusion is not None and unknown.any():
        left_out[missing.exclusion] = int(unknown.sum())
    frame.loc[unknown, "responded"] = missing.unknown_response
    frame.loc[unknown, "basis"] = missing.unknown_basis
    frame.loc[~usable, "responded"] = np.nan
    frame.loc[~usable, "basis"] = "no_baseline"
    # If a later visit has a say, a single score does not decide.
    decides = endpoint.is_decided_by_score
    margin = find_margins(variable, people, frame, rule) if decides else None
    return Outcomes(frame, left_out, imputation, events.had, tuple(findings), margin)


def _find_later(
    visits: Visits,
    held: pd.DataFrame,
    events: Intercurrent,
    endpoint: EndpointDefinition,
    clock: Moment,
) -> pd.DataFrame | None:
    """Find the visit of the later week through which a response must last."""
    if endpoint.sustained is None:
        return None
    window = endpoint.sustained.visit_window
    later = visits.select_nearest(window, endpoint.ties)
    _apply_last_on_treatment(later, held, events, window)
    carried = endpoint.missing.method.find_carried(visits, window, clock)
    if carried is not None:
        _complete_scores(later, carried, later["score"].isna().to_numpy())
    return later


def _apply_rule_to_scores(
    frame: pd.DataFrame,
    later: pd.DataFrame | None,
    rule: ScoreRule,
    visits: Visits,
    endpoint: EndpointDefinition,
) -> npt.NDArray[np.float64]:
    """Put every score to the rule: 1, 0, or NaN where it can't be told."""
    baseline = frame["baseline"].to_numpy()
    first = rule.judge(baseline, frame["score"].to_numpy())
    if later is None:
        return first
    scores, weeks = later["score"].to_numpy(dtype=float), later["week"].to_numpy(dtype=float)
    reached = ~np.isnan(weeks) & (weeks > endpoint.visit_window.high)
    until = np.where(reached, weeks, endpoint.last_week)
    since = np.where(np.isnan(frame["week"]), endpoint.visit_window.high, frame["week"])
    lost = rule.find_lost(baseline, visits.select_between(since, until))
    last = rule.judge(baseline, scores)
    return np.where((first == 0) | (last == 0) | lost, 0.0, first * last)


def _apply_last_on_treatment(
    chosen: pd.DataFrame, held: pd.DataFrame, events: Intercurrent, window: Window
) -> Bools:
    """Let the last score up to the end of treatment stand for a week that came after it."""
    stands = np.asarray(
        events.ended
        & (events.used_until < window.high)
        & chosen["score"].isna().to_numpy()
        & held["score"].notna().to_numpy()
    )
    _complete_scores(chosen, held, stands)
    return stands


def _apply_last_observation(
    chosen: pd.DataFrame, basis: npt.NDArray[np.object_], carried: pd.DataFrame | None
) -> None:
    if carried is None:
        return
    stands = chosen["score"].isna().to_numpy() & carried["score"].notna().to_numpy()
    _complete_scores(chosen, carried, stands)
    basis[stands] = "carried_forward"


def _complete_scores(chosen: pd.DataFrame, other: pd.DataFrame, where: Bools) -> None:
    for name in ("week", "score"):
        chosen[name] = np.where(where, other[name], chosen[name])


def _find_composites(
    week: npt.NDArray[np.float64],
    basis: npt.NDArray[np.object_],
    events: Intercurrent,
    endpoint: EndpointDefinition,
) -> Bools:
    """Find who had a composite event by the visit that stands for the endpoint.

    Where no visit in the window stands for it, the event counts until the window ends.
    """
    by = np.where(basis == "observed", week, endpoint.visit_window.high)
    if endpoint.sustained is not None:
        by = np.full(len(week), endpoint.last_week)
    return np.asarray(events.failed_from <= by)


def _note_met_before(
    baseline: npt.NDArray[np.float64], rule: ScoreRule, endpoint: EndpointDefinition
) -> list[Finding]:
    if endpoint.needs_baseline:
        return []
    already = int((rule.judge(baseline, baseline) == 1).sum())
    if not already:
        return []
    return [
        Finding(
            f"endpoint of '{endpoint.of}'",
            f"{already} participants met it at baseline already",
            "They count as they do at the endpoint; compare a fall from baseline.",
            "note",
        )
    ]


def _find_usable(
    baseline: npt.NDArray[np.float64], endpoint: EndpointDefinition
) -> tuple[Bools, dict[str, int]]:
    left_out: dict[str, int] = {}
    without = np.isnan(baseline) & endpoint.needs_baseline
    # Points can be lost from any baseline; a fraction of nothing means nothing.
    zero = (baseline <= 0) & endpoint.is_relative
    if without.any():
        left_out[NO_BASELINE] = int(without.sum())
    if zero.any():
        left_out[ZERO_BASELINE] = int(zero.sum())
    return ~without & ~zero, left_out


def _note_visits(visits: Visits, endpoint: EndpointDefinition) -> list[Finding]:
    ties = visits.count_ties(endpoint.visit_window)
    if not ties:
        return []
    window = endpoint.visit_window
    place = f"endpoint at week {window.target:g}"
    finding = f"{ties} participants have two visits equally near to week {window.target:g}"
    if endpoint.ties == "refuse":
        raise AnalysisError(
            finding, place=place, remedy="Write `ties: earlier` or `ties: later`, or a window."
        )
    return [Finding(place, f"{finding}: the {endpoint.ties} stands for it", "See `ties:`.", "note")]


def _note_early_leavers(
    visits: Visits, endpoint: EndpointDefinition, clock: Moment
) -> list[Finding]:
    """Who left before the clock lacks its features and, counted, fails: the gap tells the class."""
    if clock <= BASELINE or not endpoint.missing.method.is_no_response:
        return []
    last = visits.select_last()["week"].to_numpy(dtype=float)
    gone = int((~(last >= clock.week)).sum())
    if not gone:
        return []
    return [
        Finding(
            f"endpoint of '{endpoint.of}'",
            f"{gone} participants left before {clock} and count as no response, so that what is "
            "missing by then predicts it",
            "Write `missing: observed_only`, or a strategy that imputes.",
            "warn",
        )
    ]


def _note_imputed_records(chosen: pd.DataFrame, endpoint: EndpointDefinition) -> list[Finding]:
    """Never impute on top of what the sponsor imputed, and never take it for observed unsaid."""
    if "dtype" not in chosen:
        return []
    kinds = chosen["dtype"].fillna("").astype(str)
    kept = int(((kinds != "") & ~kinds.map(is_summary).astype(bool)).sum())
    if not kept:
        return []
    place, strategy = f"endpoint of '{endpoint.of}'", endpoint.missing.strategy
    finding = f"{kept} of the scores at the endpoint were imputed by the sponsor (DTYPE)"
    if endpoint.missing.method.uses_other_visits:
        raise AnalysisError(
            f"{finding}, and `missing: {strategy}` would impute a second time",
            place=place,
            remedy="Leave `imputed: keep` out, so that they count as missing.",
        )
    return [
        Finding(place, f"{finding} and count as observed", "Leave `imputed: keep` out.", "warn")
    ]


def _check_single_class(responded: pd.Series, endpoint: EndpointDefinition) -> None:
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
