"""Solves for the backgrounds and effects that give the response rates that a scenario asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from scipy.optimize import brentq

from glabella.simulation.baseline import draw_entrants
from glabella.simulation.effects import weigh
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.trials import ScenarioArm, ScenarioTrial
from glabella.simulation.streams import make_spawn
from glabella.simulation.truth import ArmChances

# The rate of so many participants is that of all to within about 0.002.
_PARTICIPANTS = 50_000
# A part of the logarithm of the fall that no effect of a scenario can outweigh.
_FAR = 60.0


@dataclass(frozen=True)
class Intercepts:
    """What a trial adds to the fall of participants whose variables are all at their centres.

    Parameters
    ----------
    background : float
        In every arm.
    arms : tuple of float
        Each arm's effect.
    """

    background: float
    arms: tuple[float, ...]


def find_intercepts(scenario: Scenario, trial: ScenarioTrial) -> Intercepts:
    """Give a trial's background and effects, as stated or solved for."""
    if trial.background is not None and not trial.asks_for_rates:
        return Intercepts(trial.background, tuple(arm.effect for arm in trial.arms))
    # The rate does not depend on how many there are, nor on what the trial is called.
    arms = tuple(arm.model_copy(update={"n": 1}) for arm in trial.arms)
    alone = trial.model_copy(update={"id": "trial", "arms": arms})
    return _solve(scenario.model_copy(update={"trials": (alone,)}).model_dump_json())


@lru_cache(maxsize=256)
def _solve(text: str) -> Intercepts:
    """Solve for a scenario of one trial, by participants that are the same whatever the seed."""
    scenario = Scenario.model_validate_json(text)
    [trial] = scenario.trials
    draw = np.random.default_rng(0)
    spawn = make_spawn(0, "intercepts", 0)
    entrants = draw_entrants(scenario, trial, 0.0, _PARTICIPANTS, draw, spawn)
    prognosis = weigh(scenario, trial, entrants.numbers, "prognostic")
    deviates = draw.standard_normal(_PARTICIPANTS)
    prognosis = prognosis + (scenario.between_sites_sd if trial.sites > 1 else 0.0) * deviates

    interaction = weigh(scenario, trial, entrants.numbers, "predictive")

    def compute_rate(arm: ScenarioArm, background: float, effect: float) -> float:
        chances = ArmChances(scenario, trial, arm, entrants)
        fall = background + prognosis + effect + (interaction if chances.has_effect else 0.0)
        return float(chances.given_all(fall).mean())

    def compute_by_background(arm: ScenarioArm, value: float) -> float:
        return compute_rate(arm, value, arm.effect)

    background = trial.background
    for arm in trial.arms:
        if arm.role == "control" and arm.response_rate is not None:
            background = _find_root(partial(compute_by_background, arm), arm.response_rate)
    if background is None:
        raise ValueError("a trial needs a `background` or the `response_rate` of a control arm")
    effects = [
        _find_root(partial(compute_rate, arm, background), arm.response_rate)
        if arm.role == "active" and arm.response_rate is not None
        else arm.effect
        for arm in trial.arms
    ]
    return Intercepts(background, tuple(effects))


def _find_root(compute_rate: Callable[[float], float], rate: float) -> float:
    return float(brentq(lambda value: compute_rate(value) - rate, -_FAR, _FAR, xtol=1e-9))
