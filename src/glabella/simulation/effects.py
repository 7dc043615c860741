"""What participants' values add to the fall: linear effects, and the terms beyond these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.simulation.scenario.definition import SEVERITY, Scenario
from glabella.simulation.scenario.marginals import Shares
from glabella.simulation.scenario.mechanism import Curve, Effect, Factor, LevelEffect, Product
from glabella.simulation.scenario.trials import ScenarioTrial

Floats = npt.NDArray[np.float64]
Numbers = Mapping[str, Floats]


@dataclass(frozen=True)
class Term:
    """A part of the fall that is not linear in one variable.

    Parameters
    ----------
    name : str
        What it is of, such as ``age_years: squared at 49``.
    variables : tuple of str
        The variables that it is computed from.
    through : str
        What carries it, such as ``a curve``.
    prognostic, predictive : float
        Its weight in every arm, and the weight added in arms that have an effect.
    compute : callable
        Numbers of the variables to what the weights multiply.
    """

    name: str
    variables: tuple[str, ...]
    through: str
    prognostic: float
    predictive: float
    compute: Callable[[Numbers], Floats]


def weigh(scenario: Scenario, trial: ScenarioTrial, numbers: Numbers, which: str) -> Floats:
    """Weigh variables into a part of the logarithm of the fall, linear effects and other terms.

    Returns
    -------
    array of float, shape (n,)
        The ``prognostic`` or the ``predictive`` part.
    """
    total = weight_effects(numbers, scenario.find_effects(trial), which)
    for term in list_terms(scenario, trial):
        weight = getattr(term, which)
        if weight != 0.0:
            total = total + weight * term.compute(numbers)
    return total


def weight_effects(numbers: Numbers, effects: Mapping[str, Effect], which: str) -> Floats:
    """Weigh covariates linearly into a part of the logarithm of the fall.

    Returns
    -------
    array of float, shape (n,)
        0 if all covariates are at their centres.

    Examples
    --------
    >>> effects = {"severity": Effect(prognostic=0.2)}
    >>> weight_effects({"severity": np.array([1.0])}, effects, "prognostic")
    array([0.2])
    """
    total = np.zeros(len(numbers[SEVERITY]))
    for name, effect in effects.items():
        weight = getattr(effect, which)
        if weight != 0.0:
            total += weight * (numbers[name] - effect.centre) / effect.unit
    return total


def list_terms(scenario: Scenario, trial: ScenarioTrial) -> list[Term]:
    """List the terms of a trial beyond linear effects."""
    curves = [
        term
        for name, effect in scenario.find_effects(trial).items()
        for term in _list_curves(name, effect)
    ]
    products = [
        _make_product(scenario, trial, product) for product in scenario.find_products(trial)
    ]
    levels = [
        _make_level(scenario, trial, name, level, effect)
        for name, nominal in scenario.nominal.items()
        for level, effect in nominal.effects.items()
    ]
    return [*curves, *products, *levels]


def _list_curves(name: str, effect: Effect) -> list[Term]:
    return [
        Term(
            name=f"{name}: {curve.shape} at {effect.find_start(curve):g}",
            variables=(name,),
            through="a curve",
            prognostic=curve.prognostic,
            predictive=curve.predictive,
            compute=partial(_compute_curve, name, effect, curve),
        )
        for curve in effect.curves
    ]


def _compute_curve(name: str, effect: Effect, curve: Curve, numbers: Numbers) -> Floats:
    return effect.find_curve(curve, numbers[name])


def _make_product(scenario: Scenario, trial: ScenarioTrial, product: Product) -> Term:
    one, other = (_make_factor(scenario, trial, factor) for factor in product.of)
    return Term(
        name=" x ".join(factor.name for factor in product.of),
        variables=tuple(factor.variable for factor in product.of),
        through="a product",
        prognostic=product.prognostic,
        predictive=product.predictive,
        compute=lambda numbers: one(numbers) * other(numbers),
    )


def _make_level(
    scenario: Scenario, trial: ScenarioTrial, name: str, level: str, effect: LevelEffect
) -> Term:
    factor = Factor(variable=name, code=level)
    return Term(
        name=factor.name,
        variables=(name,),
        through="a level",
        prognostic=effect.prognostic,
        predictive=effect.predictive,
        compute=_make_factor(scenario, trial, factor),
    )


def _make_factor(
    scenario: Scenario, trial: ScenarioTrial, factor: Factor
) -> Callable[[Numbers], Floats]:
    if factor.code is None:
        return lambda numbers: (numbers[factor.variable] - factor.centre) / factor.unit
    known = {**scenario.find_variables(trial), **scenario.find_nominal(trial)}
    distribution = known[factor.variable]
    number = distribution.find_number(factor.code) if isinstance(distribution, Shares) else np.nan
    return lambda numbers: np.asarray(numbers[factor.variable] == number, dtype=float)


def tabulate_terms(scenario: Scenario, trials: list[ScenarioTrial]) -> pd.DataFrame:
    """Tabulate the weight of every term of each trial, as drawn.

    Returns
    -------
    DataFrame
        One row a trial and term: ``studyid``, ``term`` (a variable's name if it is linear),
        ``through`` what it acts, and ``prognostic`` and ``predictive``, the weights a unit of the
        effect on the logarithm of the fall.
    """
    rows = []
    for trial in trials:
        for name, effect in scenario.find_effects(trial).items():
            rows.append((trial.id, name, "an effect", effect.prognostic, effect.predictive))
        for term in list_terms(scenario, trial):
            rows.append((trial.id, term.name, term.through, term.prognostic, term.predictive))
    return pd.DataFrame(rows, columns=["studyid", "term", "through", "prognostic", "predictive"])
