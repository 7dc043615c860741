"""Draws what happens after baseline: scores, frown lines, belief, self-report, leaving, events."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glabella.simulation.baseline import Entrants
from glabella.simulation.items import draw_baseline_items, draw_later_items
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.trials import USUAL_FALL, Dropout, ScenarioTrial
from glabella.simulation.truth import find_belief_chance

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Followed:
    """What is seen of participants at visits and after.

    Parameters
    ----------
    stays : array of bool, shape (n, n_weeks)
        Whether a participant is still there.
    scores : dict of array, shape (n, n_weeks)
        Variable to values; also of visits that were missed.
    believes : array of bool, shape (n,)
        Belief in the active arm.
    events : dict of array
        Adverse event to the day after injection on which it began, 0 for none.
    """

    stays: Bools
    scores: dict[str, Floats]
    believes: Bools
    events: dict[str, Integers]


@dataclass(frozen=True)
class Falls:
    """What a participant's fall is made of, on the logarithm.

    Parameters
    ----------
    background, effect : array of float, shape (n,)
        The part that every arm has, site and chance included, and the part of the own arm.
    """

    background: Floats
    effect: Floats


def draw_course(
    scenario: Scenario,
    trial: ScenarioTrial,
    entrants: Entrants,
    arm: Integers,
    falls: Falls,
    draw: np.random.Generator,
    *,
    only: Collection[str] | None = None,
) -> Followed:
    """Draw everything after baseline."""
    n = len(entrants)
    relaxes = np.array([one.relaxes_frown for one in trial.arms])[arm]
    lost, until = _draw_relaxation(scenario, entrants, relaxes, draw)
    believes = _draw_belief(scenario, trial, entrants, arm, lost, draw)
    true = _find_true_scores(scenario, trial, entrants, falls, believes)
    total = _compute_rate(scenario, trial, entrants, true, draw)
    stays = _draw_stays(trial, total, arm, draw)
    scores = {"depression_total": total}
    scores["frown_max"], scores["frown_rest"] = _apply_relaxation(trial, entrants, lost, until)
    if trial.self_report is not None:
        report = trial.self_report
        error = report.error * draw.standard_normal(true.shape)
        error[:, 1:] -= report.belief * believes[:, None]
        points = np.maximum(report.intercept + report.slope * true, 0.0) * np.exp(error)
        scores[report.variable] = np.clip(np.round(points), 0, report.rating.maximum)
    has_events = only is None or any(name in only for name in scenario.adverse_events)
    if trial.has_items and (has_events or any(name in _name_items(trial) for name in only or ())):
        scores |= _draw_items(trial, entrants, total, draw)
    if not has_events:
        return Followed(stays, scores, believes, {})
    units = np.where(
        entrants.numbers["sex"] == 1.0,
        np.array([one.units_women for one in trial.arms])[arm],
        np.array([one.units_men for one in trial.arms])[arm],
    )
    events = {}
    for name, event in scenario.adverse_events.items():
        stated = np.array([one.adverse_events.get(name, np.nan) for one in trial.arms])[arm]
        chance = np.where(np.isnan(stated), event.find_chance(units), stated)
        happens = draw.random(n) < chance
        events[name] = np.where(happens, draw.integers(1, 15, n), 0)
    return Followed(stays, scores, believes, events)


def _draw_relaxation(
    scenario: Scenario, entrants: Entrants, relaxes: Bools, draw: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw the grades that relax and the week until which they do."""
    grades = np.searchsorted(
        np.cumsum(scenario.unblinding.relaxation)[:-1], draw.random(len(entrants)), side="right"
    )
    lost = np.where(relaxes, np.minimum(grades, entrants.values["frown_max"]), 0.0)
    return lost, draw.uniform(*scenario.unblinding.lasts, len(entrants))


def _draw_belief(
    scenario: Scenario,
    trial: ScenarioTrial,
    entrants: Entrants,
    arm: Integers,
    lost: Floats,
    draw: np.random.Generator,
) -> Bools:
    chance = np.asarray(scenario.unblinding.guess)[lost.astype(int)]
    for at, one in enumerate(trial.arms):
        if one.guess is not None:
            own = arm == at
            chance[own] = find_belief_chance(scenario, one, entrants)[own]
    return np.asarray(draw.random(len(entrants)) < chance)


def _find_true_scores(
    scenario: Scenario, trial: ScenarioTrial, entrants: Entrants, falls: Falls, believes: Bools
) -> Floats:
    parts = {
        "background": falls.background,
        "effect": falls.effect,
        "belief": scenario.unblinding.effect * believes,
    }
    true = np.empty((len(entrants), len(trial.weeks)))
    for at, week in enumerate(trial.weeks):
        log = entrants.true_log.copy()
        for part, fall in parts.items():
            log -= scenario.course.find_share(part, week) * fall
        true[:, at] = np.exp(log)
    return true


def _compute_rate(
    scenario: Scenario,
    trial: ScenarioTrial,
    entrants: Entrants,
    true: Floats,
    draw: np.random.Generator,
) -> Floats:
    """Rate true scores in whole points.

    At the endpoint nobody is rounded over the border of response, so that the stated probability
    of a fall by half is exactly that of the whole points.
    """
    rated = true * np.exp(scenario.rating_error * draw.standard_normal(true.shape))
    whole = np.clip(np.round(rated), 0, trial.rating.maximum)
    whole[:, 0] = entrants.total
    at = trial.weeks.index(scenario.endpoint_week)
    half = entrants.total / 2.0
    fell = np.minimum(whole[:, at], np.floor(half))
    stayed = np.maximum(whole[:, at], np.floor(half) + 1.0)
    whole[:, at] = np.where(rated[:, at] <= half, fell, stayed)
    return np.asarray(whole, dtype=float)


def _draw_stays(
    trial: ScenarioTrial, total: Floats, arm: Integers, draw: np.random.Generator
) -> Bools:
    fall = np.log(np.maximum(total, 0.5) / total[:, :1]) + USUAL_FALL
    stays = np.ones(total.shape, dtype=bool)
    for at in range(1, total.shape[1]):
        weeks = trial.weeks[at] - trial.weeks[at - 1]
        rate = np.empty(len(total))
        for number, one in enumerate(trial.arms):
            mine = arm == number
            rate[mine] = _find_leaving_rate(one.dropout or trial.dropout, total, fall, at)[mine]
        leaves = draw.random(len(total)) < -np.expm1(-rate * weeks)
        stays[:, at] = stays[:, at - 1] & ~leaves
    return stays


def _find_leaving_rate(dropout: Dropout, total: Floats, fall: Floats, at: int) -> Floats:
    """Give each participant's rate of leaving, a week, between a visit and the one before."""
    # At the visit before, baseline counts as the usual fall: nothing was seen yet.
    seen = fall[:, at - 1] if at > 1 else 0.0
    rate = dropout.rate * np.exp(dropout.seen * seen + dropout.unseen * fall[:, at])
    if dropout.well is not None:
        does_well = total[:, at - 1] <= (1.0 - dropout.well.fall) * total[:, 0]
        rate = rate + dropout.well.rate * does_well
    return np.asarray(rate)


def _apply_relaxation(
    trial: ScenarioTrial, entrants: Entrants, lost: Floats, until: Floats
) -> tuple[Floats, Floats]:
    weeks = np.asarray(trial.weeks)[None, :]
    gone = np.where((weeks > 0) & (weeks < until[:, None]), lost[:, None], 0.0)
    largest = entrants.values["frown_max"][:, None] - gone
    return largest, np.minimum(entrants.values["frown_rest"][:, None], largest)


def _draw_items(
    trial: ScenarioTrial, entrants: Entrants, total: Floats, draw: np.random.Generator
) -> dict[str, Floats]:
    maxima = trial.rating.item_maxima
    baseline = draw_baseline_items(entrants.total, entrants.values["agitation"], maxima, draw)
    by_visit = [baseline]
    for at in range(1, len(trial.weeks)):
        by_visit.append(draw_later_items(baseline, total[:, at], maxima, draw))
    stacked = np.stack(by_visit, axis=1).astype(float)
    return {name: stacked[:, :, item] for item, name in enumerate(_name_items(trial))}


def _name_items(trial: ScenarioTrial) -> list[str]:
    return [f"hamd{item + 1:02d}" for item in range(len(trial.rating.item_maxima))]
