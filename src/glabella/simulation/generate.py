"""Simulates trials in blocks of participants: the same whatever their number of workers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from glabella.simulation.baseline import Entrants, draw_entrants
from glabella.simulation.effects import weigh
from glabella.simulation.hidden import compute_expected, compute_known, draw_missing, is_hiding
from glabella.simulation.intercepts import find_intercepts
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.mechanism import Effect
from glabella.simulation.scenario.trials import ScenarioTrial
from glabella.simulation.streams import Spawn, make_generator, make_spawn
from glabella.simulation.truth import TrialEffects, compute_truth
from glabella.simulation.visits import Falls, draw_course

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Kind = TypeVar("Kind", bound=np.generic)

# Part of what a seed means: with another size the same seed gives other participants.
_BLOCK = 50_000


@dataclass(frozen=True)
class TrialDraw:
    """One simulated trial as arrays, participants in the same order in all.

    Parameters
    ----------
    trial : ScenarioTrial
        Its definition.
    effects : TrialEffects
        Its random effects.
    arm, site : array of int, shape (n,)
        Positions of each one's arm and site.
    values : dict of array, shape (n,)
        Variable to values, positions of the codes where it has codes.
    missing : dict of array of bool, shape (n,)
        Variable to whether its value is missing from the table; `values` holds it all the same.
    stays : array of bool, shape (n, n_weeks)
        Whether a participant is still there.
    scores : dict of array, shape (n, n_weeks)
        Rated variable to values, of missed visits too.
    believes : array of bool, shape (n,)
        Belief in the active arm.
    events : dict of array, shape (n,)
        Adverse event to the day on which it began, 0 for none.
    truth : dict of array, shape (n,)
        ``probability`` and ``known`` under ``active`` and ``control``, such as
        ``known_control``; ``true_severity`` in points, ``prognosis``: the logarithm of the fall
        that variables explain in every arm; ``true_`` and the name of each variable that is
        recorded with error or missing: its true values; and, if values are missing by response,
        ``expected``: the probability given also which are missing.
    """

    trial: ScenarioTrial
    effects: TrialEffects
    arm: Integers
    site: Integers
    values: dict[str, Floats]
    missing: dict[str, npt.NDArray[np.bool_]]
    stays: npt.NDArray[np.bool_]
    scores: dict[str, Floats]
    believes: npt.NDArray[np.bool_]
    events: dict[str, Integers]
    truth: dict[str, Floats]

    @property
    def is_active(self) -> npt.NDArray[np.bool_]:
        """Whether each one's arm is the active one."""
        return np.array([one.role == "active" for one in self.trial.arms])[self.arm]

    def find_seen(self, variable: str, week: float) -> Floats:
        """Give a score at a visit.

        Returns
        -------
        array of float, shape (n,)
            NaN for those who had left.
        """
        at = self.trial.weeks.index(week)
        return np.where(self.stays[:, at], self.scores[variable][:, at], np.nan)


def draw_trials(
    scenario: Scenario,
    *,
    seed: int,
    workers: int = 1,
    effects: Sequence[TrialEffects] | None = None,
    only: Collection[str] | None = None,
) -> list[TrialDraw]:
    """Simulate every trial of a scenario."""
    given = [None] * len(scenario.trials) if effects is None else effects
    return [
        draw_trial(scenario, trial, seed=seed, workers=workers, effects=mine, only=only)
        for trial, mine in zip(scenario.trials, given, strict=True)
    ]


def draw_effects(scenario: Scenario, trial: ScenarioTrial, *, seed: int) -> TrialEffects:
    """Draw what is a trial's own."""
    return _draw_effects(scenario, trial, seed, make_generator(seed, trial.id, 0))


def draw_trial(
    scenario: Scenario,
    trial: ScenarioTrial,
    *,
    seed: int,
    workers: int = 1,
    effects: TrialEffects | None = None,
    only: Collection[str] | None = None,
) -> TrialDraw:
    """Simulate one trial.

    Returns
    -------
    TrialDraw
        Arms and sites are assigned in the whole trial, everything else by blocks of
        participants, each from a seed of its own.
    """
    once = make_generator(seed, trial.id, 0)
    drawn = _draw_effects(scenario, trial, seed, once)
    effects = effects or drawn
    trial = trial.model_copy(update={"effects": {**trial.effects, **effects.weights}})
    arm = once.permutation(np.repeat(np.arange(len(trial.arms)), [one.n for one in trial.arms]))
    site = _draw_sites_of_trial(trial, arm, once)
    starts = range(0, len(arm), _BLOCK)

    def draw_block(start: int) -> TrialDraw:
        mine = slice(start, start + _BLOCK)
        number = 1 + start // _BLOCK
        draw = make_generator(seed, trial.id, number)
        spawn = make_spawn(seed, trial.id, number)
        tied = {name: deviates[site[mine]] for name, deviates in effects.tied.items()}
        return _draw_block(scenario, trial, effects, arm[mine], site[mine], tied, draw, spawn, only)

    if workers > 1 and len(starts) > 1:
        with ThreadPoolExecutor(workers) as pool:
            return _join(list(pool.map(draw_block, starts)))
    return _join([draw_block(start) for start in starts])


def _draw_effects(
    scenario: Scenario, trial: ScenarioTrial, seed: int, draw: np.random.Generator
) -> TrialEffects:
    between = scenario.between_trials
    stated = find_intercepts(scenario, trial)
    severity, background, effect = draw.standard_normal(3)
    # One deviate moves all arms that have an effect: cohorts of a trial share what is its own.
    arms = tuple(
        mean + (between.effect_sd * float(effect) if arm.role == "active" else 0.0)
        for arm, mean in zip(trial.arms, stated.arms, strict=True)
    )
    return TrialEffects(
        severity=between.severity_sd * float(severity),
        background=stated.background + between.background_sd * float(background),
        arms=arms,
        sites=_draw_sites(scenario, trial, draw),
        weights=_draw_weights(scenario, trial, seed),
        tied={
            name: make_generator(seed, f"{name} by site of {trial.id}", 0).standard_normal(
                trial.sites
            )
            for name in scenario.find_ties(trial)
        },
    )


def _draw_weights(scenario: Scenario, trial: ScenarioTrial, seed: int) -> dict[str, Effect]:
    """Draw what a unit of each variable adds in this trial, if trials differ in it."""
    between = scenario.between_trials
    if between.weights_sd == 0.0 and between.predictive_sd == 0.0:
        return {}
    prognostic = make_generator(seed, f"weights of {trial.id}", 0)
    predictive = make_generator(seed, f"interactions of {trial.id}", 0)
    return {
        name: effect.model_copy(
            update={
                "prognostic": effect.prognostic
                + between.weights_sd * float(prognostic.standard_normal()),
                "predictive": effect.predictive
                + between.predictive_sd * float(predictive.standard_normal()),
            }
        )
        for name, effect in scenario.find_effects(trial).items()
    }


def _draw_sites(scenario: Scenario, trial: ScenarioTrial, draw: np.random.Generator) -> Floats:
    deviates = draw.standard_normal(trial.sites)
    return scenario.between_sites_sd * deviates if trial.sites > 1 else np.zeros(1)


def _draw_sites_of_trial(
    trial: ScenarioTrial, arm: Integers, draw: np.random.Generator
) -> Integers:
    """Assign sites; where there are cohorts, a site belongs to one of them, as in the trial."""
    cohort = np.array([trial.cohorts.index(one.cohort) for one in trial.arms])[arm]
    blocks = np.array_split(np.arange(trial.sites), len(trial.cohorts))
    first = np.array([block[0] for block in blocks])[cohort]
    count = np.array([len(block) for block in blocks])[cohort]
    return np.asarray(first + np.floor(draw.random(len(arm)) * count), dtype=np.int64)


def _draw_block(
    scenario: Scenario,
    trial: ScenarioTrial,
    effects: TrialEffects,
    arm: Integers,
    site: Integers,
    tied: Mapping[str, Floats],
    draw: np.random.Generator,
    spawn: Spawn,
    only: Collection[str] | None,
) -> TrialDraw:
    n = len(arm)
    entrants = draw_entrants(scenario, trial, effects.severity, n, draw, spawn, at_site=tied)
    prognosis = weigh(scenario, trial, entrants.numbers, "prognostic")
    background = effects.background + prognosis
    at_site = effects.sites[site]
    chance = scenario.individual.background_sd * draw.standard_normal(n)
    spontaneous = scenario.individual.spontaneous
    chance += spontaneous.fall * (draw.random(n) < spontaneous.share)
    luck = scenario.individual.effect_sd * draw.standard_normal(n)
    has_effect = np.array([one.role == "active" or one.effect != 0 for one in trial.arms])[arm]
    interaction = weigh(scenario, trial, entrants.numbers, "predictive") + luck
    effect = np.array(effects.arms)[arm] + np.where(has_effect, interaction, 0.0)
    falls = Falls(background=background + at_site + chance, effect=effect)
    followed = draw_course(scenario, trial, entrants, arm, falls, draw, only=only)
    total = followed.scores["depression_total"]
    responds = total[:, trial.weeks.index(scenario.endpoint_week)] <= total[:, 0] / 2.0
    missing = draw_missing(scenario, trial, entrants, responds, spawn)
    truth = {}
    if only is None:
        truth = _compute_truth_of_cohort(
            scenario, trial, effects, arm, entrants, background, at_site, missing
        )
        truth["true_severity"] = np.exp(entrants.true_log)
        truth["prognosis"] = prognosis
        for name in dict.fromkeys((*entrants.true_values, *missing)):
            truth[f"true_{name}"] = entrants.true_values.get(name, entrants.values[name])
    return TrialDraw(
        trial=trial,
        effects=effects,
        arm=arm,
        site=site,
        values=entrants.values,
        missing=missing,
        stays=followed.stays,
        scores=followed.scores,
        believes=followed.believes,
        events=followed.events,
        truth=truth,
    )


def _compute_truth_of_cohort(
    scenario: Scenario,
    trial: ScenarioTrial,
    effects: TrialEffects,
    arm: Integers,
    entrants: Entrants,
    background: Floats,
    at_site: Floats,
    missing: Mapping[str, npt.NDArray[np.bool_]],
) -> dict[str, Floats]:
    """State the chances under both arms of each participant's own cohort."""
    cohort = np.array([one.cohort for one in trial.arms])[arm]
    told = {
        f"{what}_{role}": np.empty(len(arm))
        for what in ("probability", "known")
        for role in ("active", "control")
    }
    for one, effect in zip(trial.arms, effects.arms, strict=True):
        truth = compute_truth(
            scenario, trial, one, entrants, background=background, effect=effect, site=at_site
        )
        known = truth.known
        if is_hiding(scenario, trial):
            known = compute_known(
                scenario,
                trial,
                one,
                entrants,
                missing,
                background=effects.background,
                effect=effect,
            )
        mine = cohort == one.cohort
        told[f"probability_{one.role}"][mine] = truth.probability[mine]
        told[f"known_{one.role}"][mine] = known[mine]
    for role in ("active", "control"):
        expected = compute_expected(scenario, trial, entrants, told[f"probability_{role}"], missing)
        if expected is not None:
            told[f"expected_{role}"] = expected
    return told


def _join(blocks: list[TrialDraw]) -> TrialDraw:
    if len(blocks) == 1:
        return blocks[0]

    def stack(parts: Iterable[npt.NDArray[Kind]]) -> npt.NDArray[Kind]:
        return np.concatenate(list(parts))

    def stack_each(parts: Sequence[dict[str, npt.NDArray[Kind]]]) -> dict[str, npt.NDArray[Kind]]:
        return {key: stack(part[key] for part in parts) for key in parts[0]}

    return TrialDraw(
        trial=blocks[0].trial,
        effects=blocks[0].effects,
        arm=stack(block.arm for block in blocks),
        site=stack(block.site for block in blocks),
        values=stack_each([block.values for block in blocks]),
        missing=stack_each([block.missing for block in blocks]),
        stays=stack(block.stays for block in blocks),
        scores=stack_each([block.scores for block in blocks]),
        believes=stack(block.believes for block in blocks),
        events=stack_each([block.events for block in blocks]),
        truth=stack_each([block.truth for block in blocks]),
    )
