"""The chance of response given a table in which values are recorded with error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats.qmc import Sobol

from glabella.simulation.baseline import Entrants, compute_fidelity, find_value
from glabella.simulation.effects import list_terms, weigh
from glabella.simulation.scenario.definition import COVARIATES, Scenario
from glabella.simulation.scenario.trials import ScenarioArm, ScenarioTrial
from glabella.simulation.truth import ArmChances

Floats = npt.NDArray[np.float64]

# Points over which what the table does not show is averaged, as a power of 2. With 256 the chance
# is right to within about 0.002.
_POWER = 8


@dataclass(frozen=True)
class _Hidden:
    """The deviates that a table does not show, given those that it does.

    Parameters
    ----------
    names : tuple of str
        The variables.
    mean : array of float, shape (n_names, n)
        Their expected deviates.
    root : array of float, shape (n_names, n_names)
        A root of their covariance, the same for all participants.
    """

    names: tuple[str, ...]
    mean: Floats
    root: Floats


def is_hiding(scenario: Scenario, trial: ScenarioTrial) -> bool:
    """Whether a trial's table hides values that the scenario draws, agitation apart."""
    return bool(scenario.find_errors(trial))


def compute_known(
    scenario: Scenario,
    trial: ScenarioTrial,
    arm: ScenarioArm,
    entrants: Entrants,
    *,
    background: float,
    effect: float,
) -> Floats:
    """Compute the chance of response under an arm given the table alone.

    Returns
    -------
    array of float, shape (n,)
        True values are averaged over their distribution given what is recorded.
    """
    names = [*COVARIATES, *scenario.nominal]
    chances = ArmChances(scenario, trial, arm, entrants)
    hidden = _find_hidden(scenario, trial, entrants, names)
    known = np.zeros(len(entrants))
    points = _list_points(len(hidden.names))
    for point in points:
        deviates = hidden.mean + (hidden.root @ point)[:, None]
        numbers = dict(entrants.numbers)
        for name, values in zip(hidden.names, deviates, strict=True):
            numbers[name] = find_value(scenario, trial, name, values, entrants.total)[1]
        fall = background + effect + weigh(scenario, trial, numbers, "prognostic")
        if chances.has_effect:
            fall = fall + weigh(scenario, trial, numbers, "predictive")
        known += chances.given_table(fall) / len(points)
    return known


def _list_points(dimensions: int) -> Floats:
    """List standard normal points that fill space evenly, a row each."""
    if dimensions == 0:
        return np.zeros((1, 0))
    uniform = Sobol(dimensions, scramble=False).random_base2(_POWER)
    # Moved into the middle of their cells: the first would else be infinitely far away.
    return np.asarray(ndtri(uniform + 0.5 / 2**_POWER), dtype=float)


def _find_hidden(
    scenario: Scenario, trial: ScenarioTrial, entrants: Entrants, names: Sequence[str]
) -> _Hidden:
    """Condition the normal deviates that are not recorded, and matter, on those that are."""
    errors = scenario.find_errors(trial)
    unrecorded = set() if trial.has_items else {"agitation"}
    wanted = [
        at
        for at, name in enumerate(names)
        if (name in errors or name in unrecorded) and name in _list_relevant(scenario, trial)
    ]
    shown = [at for at, name in enumerate(names) if name not in unrecorded]
    recorded = np.stack([entrants.measured.get(names[at], entrants.deviates[at]) for at in shown])
    # The correlation of a recorded deviate with the true one.
    fidelity = np.array([compute_fidelity(errors.get(names[at], 0.0)) for at in shown])
    matrix = scenario.find_correlations(trial)
    among = matrix[np.ix_(shown, shown)] * np.outer(fidelity, fidelity)
    np.fill_diagonal(among, 1.0)
    between = matrix[np.ix_(wanted, shown)] * fidelity
    weights = np.linalg.solve(among, between.T).T
    left = matrix[np.ix_(wanted, wanted)] - weights @ between.T
    values, vectors = np.linalg.eigh(left)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return _Hidden(tuple(names[at] for at in wanted), weights @ recorded, root)


def _list_relevant(scenario: Scenario, trial: ScenarioTrial) -> set[str]:
    """List the variables on which the chance of response depends."""
    linear = {
        name
        for name, effect in scenario.find_effects(trial).items()
        if effect.prognostic != 0.0 or effect.predictive != 0.0
    }
    return linear.union(*(term.variables for term in list_terms(scenario, trial)))
