"""Trials drawn anew for a repeat of a rehearsal, and participants to learn from and measure on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from glabella.analysis.loaded.load import LoadedAnalysis, load_sample, load_tables_of
from glabella.analysis.loaded.tables import map_simulated
from glabella.analysis.resolve import ResolvedAnalysis
from glabella.simulation.frames import simulate_tables
from glabella.simulation.generate import draw_effects
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.trials import Dropout
from glabella.simulation.sources import list_scores
from glabella.simulation.truth import TrialEffects
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.seeds import derive_seed, draw_state
from glabella.validation.folds.splits import Fold, Rows

Estimand = Literal["analysis", "followed"]

# Drawn afresh in each repeat, to measure on. The expected value is a mean over repeats; a new
# trial's own figure must hold in a single one, so its concordance is told to within 0.01.
FRESH_PARTICIPANTS = 1_000
FRESH_TRIAL = 4_000


@dataclass(frozen=True)
class RehearsalPlan:
    """What is repeated.

    Parameters
    ----------
    resolved : ResolvedAnalysis
        The analysis, of simulated data.
    scenario : Scenario
        The trials to be redrawn, of the size asked for.
    truth : str
        ``analysis``: of the analysis's own outcome, so that where missing scores count as no
        response who left is no responder; ``followed``: of the score that would have been seen,
        had nobody left. The same where missing scores are imputed or left out.
    """

    resolved: ResolvedAnalysis
    scenario: Scenario
    truth: Estimand

    @property
    def seed(self) -> int:
        """The analysis's seed, from which each repeat's is derived."""
        return self.resolved.analysis.value.seed


def load_rehearsed(plan: RehearsalPlan, number: int, *, is_held: bool = False) -> LoadedAnalysis:
    """Draw the trials of a repeat.

    Returns
    -------
    LoadedAnalysis
        With a seed of its own, from which everything random in it is derived.
    """
    read = plan.resolved.analysis
    seed = _derive_seed_of_repeat(plan, number)
    resolved = replace(
        plan.resolved,
        analysis=replace(read, value=read.value.model_copy(update={"seed": seed})),
    )
    simulated = simulate_tables(plan.scenario, seed=seed, only=list_used(resolved, plan.scenario))
    return load_tables_of(resolved, map_simulated(resolved, simulated), is_held=is_held)


def draw_tested(plan: RehearsalPlan, number: int) -> Sample:
    """Draw participants of the trials of a repeat to measure on."""
    scenario = _find_tested_scenario(plan)
    return draw_same_trials(plan, number, scenario, FRESH_PARTICIPANTS, "test")


def draw_same_trials(
    plan: RehearsalPlan, number: int, scenario: Scenario, size: int, purpose: str
) -> Sample:
    """Draw other participants of the trials of a repeat, with the effects that these have in it."""
    seed = _derive_seed_of_repeat(plan, number)
    effects = [draw_effects(plan.scenario, trial, seed=seed) for trial in plan.scenario.trials]
    fresh_seed = draw_state(derive_seed(plan.seed, "fresh", purpose, number))
    return _load(plan, scenario.with_participants(size), fresh_seed, effects)


def split_into_halves(sample: Sample, seed: np.random.SeedSequence) -> tuple[Rows, Rows]:
    """Deal participants out by trial and arm into two halves that are made up alike."""
    shuffled = np.random.default_rng(seed).permutation(sample.n)
    cells = pd.factorize(sample.strata[shuffled])[0]
    dealt = shuffled[np.argsort(cells, kind="stable")]
    return np.sort(dealt[0::2]), np.sort(dealt[1::2])


def draw_trial(plan: RehearsalPlan, number: int, fold: Fold) -> Sample:
    """Draw a large trial: the one validated inside, or another of the kind of the one left out."""
    fresh_seed = draw_state(derive_seed(plan.seed, "fresh", fold.design, number))
    [mine] = [trial for trial in _find_tested_scenario(plan).trials if trial.id == fold.group]
    alone = plan.scenario.model_copy(update={"trials": (mine,)}).with_participants(FRESH_TRIAL)
    own = None
    if fold.design == "inside":
        own = [draw_effects(plan.scenario, mine, seed=_derive_seed_of_repeat(plan, number))]
    return _load(plan, alone, fresh_seed, own)


def list_used(resolved: ResolvedAnalysis, scenario: Scenario) -> set[str]:
    """Name the variables that an analysis reads, directly or by a total's items."""
    known = resolved.dictionary.value.variables
    analysis = resolved.analysis.value
    # Whatever a definition says that is a variable's name counts as one.
    said = set(_list_words(analysis.endpoint.model_dump()))
    said |= set(_list_words(resolved.feature_set.value.model_dump()))
    used = said & set(known)
    recorded = {name for trial in scenario.trials for name in list_scores(trial)}
    for name in sorted(used):
        total = known[name].total
        # A recorded total is not added up again, unless an item is to be left out of it.
        if total is not None and (name not in recorded or analysis.endpoint.without):
            used |= set(total.items)
    return used


def _list_words(part: object) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from _list_words(key)
            yield from _list_words(value)
    elif isinstance(part, Collection):
        for value in part:
            yield from _list_words(value)


def _is_counting_missing(resolved: ResolvedAnalysis) -> bool:
    return resolved.analysis.value.endpoint.missing.method.is_no_response


def simulate_all_followed(scenario: Scenario) -> Scenario:
    """Give the same scenario without drop-out, in any arm."""
    nobody = Dropout(share=0.0, by_week=1.0)
    trials = tuple(
        trial.model_copy(
            update={
                "dropout": nobody,
                "arms": tuple(arm.model_copy(update={"dropout": None}) for arm in trial.arms),
            }
        )
        for trial in scenario.trials
    )
    return scenario.model_copy(update={"trials": trials})


def _derive_seed_of_repeat(plan: RehearsalPlan, number: int) -> int:
    return draw_state(derive_seed(plan.seed, "rehearse", number))


def _load(
    plan: RehearsalPlan, scenario: Scenario, seed: int, effects: Sequence[TrialEffects] | None
) -> Sample:
    used = list_used(plan.resolved, scenario)
    drawn = simulate_tables(scenario, seed=seed, effects=effects, only=used)
    return load_sample(plan.resolved, map_simulated(plan.resolved, drawn))


def _find_tested_scenario(plan: RehearsalPlan) -> Scenario:
    if plan.truth == "followed" or not _is_counting_missing(plan.resolved):
        return simulate_all_followed(plan.scenario)
    return plan.scenario
