"""Draws participants as they enter: severity above the threshold, and what goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from glabella.simulation.items import AGITATION
from glabella.simulation.scenario.definition import (
    COVARIATES,
    SEVERITY,
    VARIABLES,
    Scenario,
    make_correlation_matrix,
)
from glabella.simulation.scenario.marginals import Shares
from glabella.simulation.scenario.trials import ScenarioTrial, Severity
from glabella.simulation.streams import Spawn

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Entrants:
    """Participants at baseline.

    Parameters
    ----------
    total : array of float, shape (n,)
        The rated baseline total, whole points.
    true_log : array of float, shape (n,)
        The logarithm of true severity, without the error of that rating.
    expected_true_log : array of float, shape (n,)
        What the total says of it.
    values : dict of array
        Variable to values as recorded, positions of the codes where it has codes.
    true_values : dict of array
        The true values of variables that are recorded with error.
    numbers : dict of array
        Covariate to the numbers that effects weigh, those of true values, `severity` among them.
    agitation_chances : array of float, shape (n, 5)
        The chance of each grade of agitation given every other variable.
    deviates : array of float, shape (n_names, n)
        The standard normal deviates behind the values, in the order of `COVARIATES` and of nominal
        variables after them.
    measured : dict of array
        Variable that is recorded with error to the deviates behind its recorded values.
    """

    total: Floats
    true_log: Floats
    expected_true_log: Floats
    values: dict[str, Floats]
    true_values: dict[str, Floats]
    numbers: dict[str, Floats]
    agitation_chances: Floats
    deviates: Floats
    measured: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.total)

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Entrants:
        """Keep some participants, or repeat them."""

        def take_each(arrays: dict[str, Floats]) -> dict[str, Floats]:
            return {name: values[rows] for name, values in arrays.items()}

        return Entrants(
            total=self.total[rows],
            true_log=self.true_log[rows],
            expected_true_log=self.expected_true_log[rows],
            values=take_each(self.values),
            true_values=take_each(self.true_values),
            numbers=take_each(self.numbers),
            agitation_chances=self.agitation_chances[rows],
            deviates=self.deviates[:, rows],
            measured=take_each(self.measured),
        )


def draw_entrants(
    scenario: Scenario,
    trial: ScenarioTrial,
    severity_shift: float,
    n: int,
    draw: np.random.Generator,
    spawn: Spawn,
    *,
    at_site: Mapping[str, Floats] | None = None,
) -> Entrants:
    """Draw participants of a trial.

    Parameters
    ----------
    scenario, trial : Scenario, ScenarioTrial
        Their definitions.
    severity_shift : float
        The trial's random effect on severity.
    n : int
        How many.
    draw : Generator
        The stream of what every scenario draws.
    spawn : callable
        Gives a separate stream to each mechanism that only some scenarios have.
    at_site : mapping of array, shape (n,), optional
        Variable that is tied to sites to the deviate of each one's site; by default each
        participant is at another site.

    Returns
    -------
    Entrants
        The rating is drawn first, cut at entry; true severity given the rating, so that those
        rated high regress to the mean; then the other variables given severity.
    """
    total = _draw_totals(trial.severity, severity_shift, draw.random(n))
    mean, sd = trial.severity.log_mean + severity_shift, trial.severity.log_sd
    rated = np.log(total)
    error = scenario.rating_error
    reliability = 1.0 - (error / sd) ** 2
    expected = mean + reliability * (rated - mean)
    true_log = expected + error * np.sqrt(reliability) * draw.standard_normal(n)

    normal = _draw_normal(scenario, (rated - mean) / sd, draw)
    nominal = scenario.find_nominal(trial)
    deviates = [spawn(f"nominal {name}").standard_normal(n) for name in nominal]
    normal = np.vstack([normal, *deviates])
    _tie_to_sites(scenario, trial, normal, at_site, spawn)
    values, numbers = {}, {SEVERITY: normal[0]}
    for name, found in zip((*VARIABLES, *nominal), normal[1:], strict=True):
        values[name], numbers[name] = find_value(scenario, trial, name, found, total)
    # Lines that show at rest show at maximum frown.
    values["frown_rest"] = np.minimum(values["frown_rest"], values["frown_max"])
    rest = scenario.find_variables(trial)["frown_rest"]
    numbers["frown_rest"] = rest.as_numbers(values["frown_rest"])
    true_values, measured = {}, {}
    for name, error in scenario.find_errors(trial).items():
        noise = error * spawn(f"measurement of {name}").standard_normal(n)
        true = normal[COVARIATES.index(name)]
        measured[name] = (true + noise) * compute_fidelity(error)
        true_values[name] = values[name]
        values[name] = find_value(scenario, trial, name, measured[name], total)[0]
    chances = _find_agitation_chances(scenario, trial, normal[: len(COVARIATES)])
    return Entrants(
        total=total,
        true_log=true_log,
        expected_true_log=expected,
        values=values,
        true_values=true_values,
        numbers=numbers,
        agitation_chances=chances,
        deviates=normal,
        measured=measured,
    )


def find_value(
    scenario: Scenario, trial: ScenarioTrial, name: str, deviates: Floats, total: Floats
) -> tuple[Floats, Floats]:
    """Give the values of a variable at deviates, and the numbers that effects weigh."""
    distribution = (
        scenario.find_nominal(trial)[name]
        if name in scenario.nominal
        else scenario.find_variables(trial)[name]
    )
    values = distribution.find_values(deviates)
    if name == "agitation" and trial.has_items:
        # Item 9 is part of the total: near its ends not every grade leaves room for the others.
        room = sum(trial.rating.item_maxima) - trial.rating.item_maxima[AGITATION]
        values = np.clip(values, total - room, total)
    return values, distribution.as_numbers(values)


def compute_fidelity(error: float) -> float:
    """Compute the correlation of a recorded deviate with the true one, from the error's deviation.

    Examples
    --------
    >>> compute_fidelity(0.75)
    0.8
    """
    return float(1.0 / np.sqrt(1.0 + error**2))


def _draw_totals(severity: Severity, shift: float, uniform: Floats) -> Floats:
    """Draw whole totals between the ends, from a lognormal distribution that is cut there."""
    mean, sd = severity.log_mean + shift, severity.log_sd
    low, high = ndtr((np.log([severity.low - 0.5, severity.high + 0.5]) - mean) / sd)
    inside = np.exp(mean + sd * ndtri(low + (high - low) * uniform))
    return np.asarray(np.clip(np.round(inside), severity.low, severity.high), dtype=float)


def _draw_normal(scenario: Scenario, severity: Floats, draw: np.random.Generator) -> Floats:
    """Draw the deviates of all covariates given that of severity, a row each."""
    matrix = make_correlation_matrix(scenario.correlations)
    slope = matrix[1:, 0]
    left = matrix[1:, 1:] - np.outer(slope, slope)
    rest = np.linalg.cholesky(left) @ draw.standard_normal((len(slope), len(severity)))
    return np.vstack([severity, slope[:, None] * severity + rest])


def _tie_to_sites(
    scenario: Scenario,
    trial: ScenarioTrial,
    normal: Floats,
    at_site: Mapping[str, Floats] | None,
    spawn: Spawn,
) -> None:
    """Replace a part of deviates, in their place, by what participants of a site share."""
    names = [*COVARIATES, *scenario.nominal]
    for name, tie in scenario.find_ties(trial).items():
        shared = (
            spawn(f"{name} by site").standard_normal(normal.shape[1])
            if at_site is None
            else at_site[name]
        )
        row = names.index(name)
        normal[row] = np.sqrt(1.0 - tie) * normal[row] + np.sqrt(tie) * shared


def _find_agitation_chances(scenario: Scenario, trial: ScenarioTrial, normal: Floats) -> Floats:
    at = COVARIATES.index("agitation")
    others = np.arange(len(COVARIATES)) != at
    matrix = scenario.find_correlations(trial)[: len(COVARIATES), : len(COVARIATES)]
    weights = np.linalg.solve(matrix[np.ix_(others, others)], matrix[others, at])
    sd = float(np.sqrt(1.0 - weights @ matrix[others, at]))
    shares = scenario.find_variables(trial)["agitation"]
    if not isinstance(shares, Shares):
        raise TypeError("agitation has shares")
    return shares.find_chances(weights @ normal[others], sd)
