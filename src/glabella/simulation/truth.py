"""What is true of a simulated participant: the chance of response under each arm."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from glabella.simulation.baseline import Entrants
from glabella.simulation.effects import list_terms, weigh
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.mechanism import Effect
from glabella.simulation.scenario.trials import ScenarioArm, ScenarioTrial

Floats = npt.NDArray[np.float64]

# Response is a fall by half, at least: of the logarithm, by this much.
HALF = math.log(2.0)


@dataclass(frozen=True)
class TrialEffects:
    """A trial's random effects, drawn once.

    Parameters
    ----------
    severity, background : float
        On the logarithms of severity at entry and of the fall in every arm.
    arms : tuple of float
        Each arm's effect, its random part included.
    sites : array of float, shape (n_sites,)
        On the logarithm of the fall in every arm.
    weights : dict of Effect
        Variable to its effect in this trial, where trials differ in it; empty where they do not.
    tied : dict of array of float, shape (n_sites,)
        Variable that is tied to sites to the deviate that participants of a site share.
    """

    severity: float
    background: float
    arms: tuple[float, ...]
    sites: Floats
    weights: dict[str, Effect] = field(default_factory=dict)
    tied: dict[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class Truth:
    """Each participant's chance of response at the endpoint under one arm.

    Parameters
    ----------
    probability : array of float, shape (n,)
        Given everything that sets participants apart but chance: true severity, variables, site
        and trial.
    known : array of float, shape (n,)
        Given only what a model may know: the baseline table, and the trial's own means. True
        severity, the site's effect and, in a trial without items, agitation are averaged over.
    """

    probability: Floats
    known: Floats


@dataclass(frozen=True)
class ArmChances:
    """Turns participants' falls under an arm into chances of response.

    The logarithm of the score at the endpoint is normal given variables, belief in the active arm
    and spontaneous recovery, so response is a normal probability, averaged over these two.

    Parameters
    ----------
    scenario, trial, arm : Scenario, ScenarioTrial, ScenarioArm
        Their definitions.
    entrants : Entrants
        The participants.
    """

    scenario: Scenario
    trial: ScenarioTrial
    arm: ScenarioArm
    entrants: Entrants

    @property
    def has_effect(self) -> bool:
        """Whether the arm has an effect that variables may modify."""
        return self.arm.role == "active" or self.arm.effect != 0

    @cached_property
    def _belief(self) -> Floats:
        return find_belief_chance(self.scenario, self.arm, self.entrants)

    @cached_property
    def _log_total(self) -> Floats:
        return np.log(self.entrants.total)

    @property
    def _variance(self) -> float:
        variance = self.scenario.individual.background_sd**2 + self.scenario.rating_error**2
        if self.has_effect:
            variance += self.scenario.individual.effect_sd**2
        return variance

    @property
    def _hidden_variance(self) -> float:
        """The same with that of true severity given the rating, and of sites."""
        log_sd, error = self.trial.severity.log_sd, self.scenario.rating_error
        hidden = self._variance + error**2 * (1 - (error / log_sd) ** 2)
        return hidden + (self.scenario.between_sites_sd**2 if self.trial.sites > 1 else 0.0)

    def given_all(self, fall: Floats) -> Floats:
        """Give the chance of a fall, the site's effect included, given true severity."""
        gain = self._log_total - self.entrants.true_log
        return _average(self.scenario, fall + gain, self._variance, self._belief)

    def given_table(self, fall: Floats, moved: Floats | float = 0.0) -> Floats:
        """Give the chance of a fall, without the site's effect, given rated severity.

        What is `moved` is added to the fall.
        """
        shrunk = self._log_total - self.entrants.expected_true_log
        return _average(self.scenario, fall + shrunk + moved, self._hidden_variance, self._belief)


def compute_truth(
    scenario: Scenario,
    trial: ScenarioTrial,
    arm: ScenarioArm,
    entrants: Entrants,
    *,
    background: Floats,
    effect: float,
    site: Floats,
) -> Truth:
    """Compute chances of response under an arm, exactly."""
    chances = ArmChances(scenario, trial, arm, entrants)
    effects = scenario.find_effects(trial)
    fall = background + effect
    if chances.has_effect:
        fall = fall + weigh(scenario, trial, entrants.numbers, "predictive")
    probability = chances.given_all(fall + site)

    weight = effects.get("agitation", Effect())
    slope = (weight.prognostic + (weight.predictive if chances.has_effect else 0.0)) / weight.unit
    terms = [term for term in list_terms(scenario, trial) if "agitation" in term.variables]
    if trial.has_items or (slope == 0.0 and not terms):
        return Truth(probability, chances.given_table(fall))
    known = np.zeros(len(entrants))
    for grade in range(entrants.agitation_chances.shape[1]):
        moved = slope * (grade - entrants.numbers["agitation"])
        at_grade = {**entrants.numbers, "agitation": np.full(len(entrants), float(grade))}
        for term in terms:
            size = term.prognostic + (term.predictive if chances.has_effect else 0.0)
            moved += size * (term.compute(at_grade) - term.compute(entrants.numbers))
        known += entrants.agitation_chances[:, grade] * chances.given_table(fall, moved)
    return Truth(probability, known)


def _average(scenario: Scenario, gain: Floats, variance: float, belief: Floats) -> Floats:
    """Average the normal probability of a fall by half over belief and spontaneous recovery."""
    sd, spontaneous = math.sqrt(variance), scenario.individual.spontaneous

    def compute_exceedance(mean: Floats) -> Floats:
        if sd == 0.0:
            return (mean >= HALF).astype(float)
        return np.asarray(ndtr((mean - HALF) / sd), dtype=float)

    def compute_belief(mean: Floats) -> Floats:
        added = scenario.unblinding.effect
        if added == 0.0:
            return compute_exceedance(mean)
        return (1.0 - belief) * compute_exceedance(mean) + belief * compute_exceedance(mean + added)

    if spontaneous.share == 0.0:
        return compute_belief(gain)
    recovered = compute_belief(gain + spontaneous.fall)
    return (1.0 - spontaneous.share) * compute_belief(gain) + spontaneous.share * recovered


def find_belief_chance(scenario: Scenario, arm: ScenarioArm, entrants: Entrants) -> Floats:
    """Give each participant's chance of believing in the active arm.

    Returns
    -------
    array of float, shape (n,)
        Over the grades that may relax.
    """
    if arm.guess is not None:
        return np.full(len(entrants), arm.guess)
    return scenario.unblinding.find_chance(entrants.values["frown_max"], relaxes=arm.relaxes_frown)
