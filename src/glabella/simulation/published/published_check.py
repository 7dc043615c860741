"""Holds simulated trials against published figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.data.evidence import Evidence, PublishedFinding
from glabella.simulation.generate import TrialDraw, draw_trials
from glabella.simulation.items import AGITATION
from glabella.simulation.scenario.definition import Scenario

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_CENTRAL = (0.05, 0.95)
# With fewer no variance is left once some have gone.
_FEWEST = 5
_COLUMNS = [
    "what",
    "published",
    "mean",
    "low",
    "high",
    "standard_error",
    "verdict",
    "why",
    "source",
]


@dataclass(frozen=True)
class Selected:
    """The participants of one trial that a figure is of.

    Parameters
    ----------
    drawn : TrialDraw
        The trial.
    mine : array of bool, shape (n,)
        Who.
    week : float
        When.
    """

    drawn: TrialDraw
    mine: Bools
    week: float

    @property
    def baseline(self) -> Floats:
        """Totals at baseline of those with a score at the week."""
        return self.take(self.drawn.scores["depression_total"][:, 0])

    @property
    def later(self) -> Floats:
        """Their totals at the week."""
        return self.take(self.drawn.find_seen("depression_total", self.week))

    @property
    def _seen(self) -> Bools:
        return self.mine & self.drawn.stays[:, self.drawn.trial.weeks.index(self.week)]

    def of_role(self, role: str) -> Selected:
        """Narrow down to one role."""
        return Selected(
            self.drawn, self.mine & (self.drawn.is_active == (role == "active")), self.week
        )

    def take(self, values: Floats) -> Floats:
        """Give values of those with a score at the week."""
        return np.asarray(values[self._seen], dtype=float)


def calibrate(
    scenario: Scenario,
    evidence: Evidence,
    *,
    seed: int,
    replicates: int,
    progress: Callable[[str, int, int], None] | None = None,
) -> pd.DataFrame:
    """Simulate a scenario many times and hold it against every published figure.

    Returns
    -------
    DataFrame
        One row a figure: ``what``, ``published``, ``mean``, ``low`` and ``high`` (the central
        90 % of the simulated distribution), ``standard_error`` (the published one, else the
        simulated standard deviation), ``verdict`` and ``why``. Shares are in percent. Empty
        where nothing was published on any of the trials.
    """
    ids = {trial.id for trial in scenario.trials}
    findings = [item for item in evidence.findings if set(item.trials) <= ids]
    if not findings:
        return pd.DataFrame(columns=_COLUMNS)
    reasons = [item.remark or _explain_absence(item, scenario) for item in findings]
    simulated: list[list[float]] = [[] for _ in findings]
    for replicate in range(replicates):
        if progress is not None:
            progress("simulating", replicate, replicates)
        drawn = {one.trial.id: one for one in draw_trials(scenario, seed=seed + replicate)}
        for item, values, reason in zip(findings, simulated, reasons, strict=True):
            if not reason:
                values.append(measure(item, drawn))
    rows = [
        _compare(item, np.array(values), reason)
        for item, values, reason in zip(findings, simulated, reasons, strict=True)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _explain_absence(item: PublishedFinding, scenario: Scenario) -> str:
    """Say why a scenario holds nothing that a figure could be measured in."""
    for trial in scenario.trials:
        if trial.id not in item.trials:
            continue
        if item.week not in trial.weeks:
            return f"{trial.id} has no visit at week {item.week:g}"
        if item.cohort is not None and item.cohort not in trial.cohorts:
            return f"{trial.id} has no cohort {item.cohort}"
        if item.of == "best_item_auc" and not trial.has_items:
            return f"{trial.id} is not simulated by item"
        if item.of == "self_report_response" and trial.self_report is None:
            return f"{trial.id} has no self-report"
        if item.of == "remission" and trial.rating.remission_at_most is None:
            return f"the scale of {trial.id} has no cut for remission"
        if min(arm.n for arm in trial.arms) < _FEWEST:
            return f"an arm of {trial.id} has under {_FEWEST} participants"
    if item.of == "any_event" and not scenario.adverse_events:
        return "there are no adverse events"
    return ""


def _compare(item: PublishedFinding, simulated: Floats, reason: str) -> dict[str, object]:
    percent = 100.0 if item.of in _SHARES else 1.0
    row: dict[str, object] = {"what": describe(item), "published": item.figure * percent}
    row["source"] = item.source + ("" if item.confidence == "read" else f" [{item.confidence}]")
    known = simulated[~np.isnan(simulated)]
    if reason or not len(known):
        why = reason or "it could be measured in no replicate"
        return {**row, "verdict": "not simulated", "why": why}
    low = float(np.quantile(known, _CENTRAL[0], method="lower"))
    high = float(np.quantile(known, _CENTRAL[1], method="higher"))
    mean, error = float(known.mean()), item.error or float(known.std(ddof=1))
    inside = low <= item.figure <= high
    apart = abs(mean - item.figure) / error if error > 0 else 0.0
    close = not item.pooled or apart <= 0.5
    agrees = inside and close
    if item.confidence == "recalled":
        verdict, why = "not held against", "recalled, not checked against its source"
    else:
        verdict = "agrees" if agrees else "differs"
        why = "" if inside else "outside the central 90 %"
        if not close:
            why = "; ".join(filter(None, (why, f"the mean is {apart:.1f} standard errors away")))
    why = "; ".join(filter(None, (why, item.conflict and f"conflict: {item.conflict}")))
    scaled = {
        name: value * percent
        for name, value in (("mean", mean), ("low", low), ("high", high), ("standard_error", error))
    }
    return {**row, **scaled, "verdict": verdict, "why": why}


def describe(item: PublishedFinding) -> str:
    """Say in words what a figure is of."""
    of = item.of
    who = {True: " of responders", False: " of others", None: ""}[item.responders]
    arm = f", {item.arm}" if item.arm else ""
    cohort = f", {item.cohort}" if item.cohort else ""
    return f"{_WORDS[of]}{who}, {' + '.join(item.trials)}{cohort}{arm}, week {item.week:g}"


def measure(item: PublishedFinding, drawn: Mapping[str, TrialDraw]) -> float:
    """Measure in simulated trials what was published."""
    parts = [_select(item, drawn[name]) for name in item.trials]
    return _MEASURES[item.of](item, parts)


def _select(item: PublishedFinding, drawn: TrialDraw) -> Selected:
    cohorts = np.array([one.cohort for one in drawn.trial.arms])[drawn.arm]
    mine = np.ones(len(drawn.arm), dtype=bool)
    if item.cohort is not None:
        mine &= cohorts == item.cohort
    if item.arm is not None:
        mine &= drawn.is_active == (item.arm == "active")
    return Selected(drawn, mine, item.week)


def _compute_mean(parts: Iterable[Floats | Bools]) -> float:
    values = np.concatenate([np.asarray(part, dtype=float) for part in parts])
    return float(values.mean()) if len(values) else float("nan")


def _compute_response(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    return _compute_mean(one.later <= one.baseline / 2 for one in parts)


def _compute_partial_response(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    return _compute_mean(one.later < 0.75 * one.baseline for one in parts)


def _compute_remission(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    return _compute_mean(
        one.later <= (one.drawn.trial.rating.remission_at_most or 0) for one in parts
    )


def _compute_self_report_response(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    def compute_response(one: Selected) -> Bools:
        report = one.drawn.trial.self_report
        if report is None:
            return np.zeros(0, dtype=bool)
        before = one.take(one.drawn.scores[report.variable][:, 0])
        after = one.take(one.drawn.find_seen(report.variable, one.week))
        return np.asarray(after <= before / 2)

    return _compute_mean(compute_response(one) for one in parts)


def _compute_fall_percent(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    return 100.0 * _compute_mean(1.0 - one.later / one.baseline for one in parts)


def _compute_falls(one: Selected) -> tuple[Floats, Floats]:
    active, control = one.of_role("active"), one.of_role("control")
    return active.baseline - active.later, control.baseline - control.later


def _compute_difference_points(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    def compare_arms(one: Selected) -> tuple[float, float]:
        active, control = _compute_falls(one)
        if min(len(active), len(control)) < 2:
            return float("nan"), float("nan")
        variance = active.var(ddof=1) / len(active) + control.var(ddof=1) / len(control)
        return float(active.mean() - control.mean()), float(variance)

    return _pool([compare_arms(one) for one in parts])


def _compute_difference_percent(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    by_role = [[one.of_role(role) for one in parts] for role in ("active", "control")]
    return _compute_fall_percent(item, by_role[0]) - _compute_fall_percent(item, by_role[1])


def _standardise(one: Selected) -> tuple[float, float]:
    """Cohen's d of the fall in one trial, and its variance in large samples."""
    active, control = _compute_falls(one)
    n, m = len(active), len(control)
    if min(n, m) < 2:
        return float("nan"), float("nan")
    spread = ((n - 1) * active.var(ddof=1) + (m - 1) * control.var(ddof=1)) / (n + m - 2)
    d = float((active.mean() - control.mean()) / np.sqrt(spread))
    return d, (n + m) / (n * m) + d**2 / (2 * (n + m))


def _compute_standardised_difference(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    return _standardise(parts[0])[0]


def _split_cohorts(parts: Sequence[Selected]) -> list[Selected]:
    """Take each cohort as a comparison of its own, as the published figures do."""
    split = []
    for one in parts:
        cohorts = np.array([arm.cohort for arm in one.drawn.trial.arms])[one.drawn.arm]
        for cohort in one.drawn.trial.cohorts:
            split.append(Selected(one.drawn, one.mine & (cohorts == cohort), one.week))
    return split


def _compute_pooled_difference(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    return _pool([_standardise(one) for one in parts])


def _pool(estimates: Sequence[tuple[float, float]]) -> float:
    """Random effects by DerSimonian and Laird over trials, a trial's cohorts together."""
    value, variance = np.array(estimates).T
    if len(value) == 1 or np.isnan(variance).any():
        return float(value[0]) if len(value) == 1 else float("nan")
    weight = 1.0 / variance
    fixed = weight @ value / weight.sum()
    excess = weight @ (value - fixed) ** 2 - (len(value) - 1)
    between = max(0.0, excess / (weight.sum() - weight @ weight / weight.sum()))
    weight = 1.0 / (variance + between)
    return float(weight @ value / weight.sum())


def _compute_between_trials_sd(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    return float(np.std([_standardise(one)[0] for one in _split_cohorts(parts)], ddof=1))


def _compute_baseline_mean(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    return _compute_mean(one.baseline for one in parts)


def _compute_women(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    return _compute_mean(one.take(one.drawn.values["sex"]) for one in parts)


def _select_ages(parts: Sequence[Selected]) -> Floats:
    return np.concatenate([one.take(one.drawn.values["age_years"]) for one in parts])


def _compute_age_mean(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    return _compute_mean([_select_ages(parts)])


def _compute_age_sd(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    return float(_select_ages(parts).std(ddof=1))


def _select_left(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    return _compute_mean(
        ~one.drawn.stays[one.mine, one.drawn.trial.weeks.index(one.week)] for one in parts
    )


def _compute_any_event(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    return _compute_mean(
        np.any([days[one.mine] > 0 for days in one.drawn.events.values()], axis=0) for one in parts
    )


def _compute_agitation_mean(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    def select_grades(one: Selected) -> Floats:
        responded = one.later <= one.baseline / 2
        grades = one.take(one.drawn.values["agitation"])
        return np.asarray(grades[responded == item.responders])

    return _compute_mean(select_grades(one) for one in parts)


def _compute_best_item_auc(item: PublishedFinding, parts: Sequence[Selected]) -> float:
    """The best that any item does, in either direction: so the published item was chosen."""
    one = parts[0]
    responded = one.later <= one.baseline / 2
    if responded.all() or not responded.any():
        return float("nan")
    best = 0.0
    for number in range(len(one.drawn.trial.rating.item_maxima)):
        grades = one.take(one.drawn.scores[f"hamd{number + 1:02d}"][:, 0])
        apart = grades[responded][:, None] - grades[~responded][None, :]
        auc = float((apart > 0).mean() + (apart == 0).mean() / 2)
        best = max(best, auc, 1.0 - auc)
    return best


_SHARES = frozenset(
    {
        "response",
        "partial_response",
        "remission",
        "self_report_response",
        "women",
        "left",
        "any_event",
    }
)
_WORDS = {
    "response": "Response, %",
    "partial_response": "Fall by over 25 %, %",
    "remission": "Remission, %",
    "self_report_response": "Response by self-report, %",
    "fall_percent": "Mean fall, % of baseline",
    "difference_points": "Difference in fall, points",
    "difference_percent": "Difference in fall, % of baseline",
    "standardised_difference": "Difference in fall, standardised",
    "pooled_difference": "Difference in fall, standardised and pooled",
    "between_trials_sd": "Its standard deviation between comparisons",
    "baseline_mean": "Mean total at baseline, points",
    "women": "Women, %",
    "age_mean": "Mean age, years",
    "age_sd": "Standard deviation of age, years",
    "left": "Left, %",
    "any_event": "Any adverse event, %",
    "agitation_mean": f"Mean agitation (item {AGITATION + 1})",
    "best_item_auc": "AUC of the best item",
}
_MEASURES: dict[str, Callable[[PublishedFinding, Sequence[Selected]], float]] = {
    "response": _compute_response,
    "partial_response": _compute_partial_response,
    "remission": _compute_remission,
    "self_report_response": _compute_self_report_response,
    "fall_percent": _compute_fall_percent,
    "difference_points": _compute_difference_points,
    "difference_percent": _compute_difference_percent,
    "standardised_difference": _compute_standardised_difference,
    "pooled_difference": _compute_pooled_difference,
    "between_trials_sd": _compute_between_trials_sd,
    "baseline_mean": _compute_baseline_mean,
    "women": _compute_women,
    "age_mean": _compute_age_mean,
    "age_sd": _compute_age_sd,
    "left": _select_left,
    "any_event": _compute_any_event,
    "agitation_mean": _compute_agitation_mean,
    "best_item_auc": _compute_best_item_auc,
}
