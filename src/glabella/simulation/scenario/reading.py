"""Reads a scenario, and finds the faults that only its whole definition shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TypeVar

from glabella.definitions.locate import Project
from glabella.definitions.reader import Keys, Read
from glabella.errors import DefinitionError, describe_choices
from glabella.simulation.scenario.definition import (
    COVARIATES,
    SEVERITY,
    VARIABLES,
    Scenario,
    check_names,
    check_variables,
)
from glabella.simulation.scenario.marginals import Shares
from glabella.simulation.scenario.mechanism import RESPONSE, Effect, Factor, Missing, Nominal
from glabella.simulation.scenario.trials import ScenarioTrial

Value = TypeVar("Value")

_AT_VISITS = ("agitation", "frown_max", "frown_rest")
# Why some variables can't be recorded with error.
_EXACT = {
    SEVERITY: "the error of the baseline total is `rating_error`",
    "sex": "the dose follows it",
    "frown_max": "its grades at visits follow the true one",
    "frown_rest": "its grades at visits follow the true one",
}


def read_scenario(project: Project, name: str) -> Read[Scenario]:
    """Read a scenario by its name.

    Parameters
    ----------
    project : Project
        The definitions.
    name : str
        A name in ``pipelines/scenarios``.

    Returns
    -------
    Read
        The scenario with its origin.

    Raises
    ------
    DefinitionError
        If there is none, or a parameter is impossible.
    """
    read = project.read("pipelines/scenarios", name, Scenario)
    for keys, finding in _find_faults(read.value):
        raise DefinitionError(finding, place=read.origin.name_place(*keys))
    return read


def _find_faults(scenario: Scenario) -> Iterator[tuple[Keys, str]]:
    """What only the whole definition shows."""
    seen: set[str] = set()
    yield from _find_wrong(("variables",), scenario.variables, check_variables)
    yield from _find_wrong(("missing",), scenario.missing, partial(_check_missing, scenario))
    yield from _find_wrong(("measurement_error",), scenario.measurement_error, _check_measured)
    yield from _find_wrong(("tied_to_site",), scenario.tied_to_site, partial(_check_tied, scenario))
    for at, trial in enumerate(scenario.trials):
        keys = ("trials", at)
        if trial.id in seen:
            yield (*keys, "id"), f"two trials are called '{trial.id}'"
        seen.add(trial.id)
        if scenario.endpoint_week not in trial.weeks:
            yield (
                (*keys, "weeks"),
                f"there is no visit at the endpoint, week {scenario.endpoint_week:g}",
            )
        if scenario.rating_error >= trial.severity.log_sd:
            yield (
                (*keys, "severity"),
                f"a `rating_error` of {scenario.rating_error:g} leaves no true difference in "
                f"severity, whose logarithm has a standard deviation of {trial.severity.log_sd:.2g}"
                " in all",
            )
        yield from _find_wrong((*keys, "variables"), trial.variables, check_variables)
        yield from _find_wrong((*keys, "effects"), trial.effects, _check_effects)
        yield from _find_wrong(
            (*keys, "tied_to_site"), trial.tied_to_site, partial(_check_tied, scenario)
        )
        yield from _find_wrong(
            (*keys, "measurement_error"), trial.measurement_error, _check_measured
        )
        yield from _find_wrong((*keys, "missing"), trial.missing, partial(_check_missing, scenario))
        yield from _find_wrong(
            (*keys, "nominal"), trial.nominal, partial(_check_levels, scenario.nominal)
        )
        for number, arm in enumerate(trial.arms):
            for event in arm.adverse_events:
                if event not in scenario.adverse_events:
                    choices = describe_choices(event, list(scenario.adverse_events))
                    yield (
                        (*keys, "arms", number, "adverse_events"),
                        f"there is no adverse event '{event}'. {choices}",
                    )
        if (
            trial.asks_for_rates
            and scenario.individual.background_sd == 0.0 == scenario.rating_error
        ):
            yield (
                keys,
                "a `response_rate` can't be solved for if nothing is left to chance. Give "
                "`individual` a `background_sd` above 0, or state a `rating_error`",
            )
        for number, product in enumerate(scenario.find_products(trial)):
            own = keys if trial.products is not None else ()
            for factor in product.of:
                yield from _check_factor(scenario, trial, factor, (*own, "products", number))
    for name in scenario.nominal:
        if name in scenario.adverse_events:
            yield ("nominal", name), f"'{name}' is the name of an adverse event too. Rename one"
    for part in ("background", "effect", "belief"):
        if scenario.course.find_share(part, scenario.endpoint_week) != 1.0:
            yield (
                ("course", part),
                f"a course must be 1 at the endpoint, week {scenario.endpoint_week:g}",
            )


def _check_factor(
    scenario: Scenario, trial: ScenarioTrial, factor: Factor, keys: Keys
) -> Iterator[tuple[Keys, str]]:
    try:
        check_names([factor.variable], [*COVARIATES, *scenario.nominal])
    except ValueError as error:
        yield keys, str(error)
        return
    if factor.code is None:
        if factor.variable in scenario.nominal:
            yield keys, f"the levels of '{factor.variable}' have no order. Name one as its `code`"
        return
    known = {**scenario.find_variables(trial), **scenario.find_nominal(trial)}
    given = known.get(factor.variable)
    if not isinstance(given, Shares):
        yield keys, f"'{factor.variable}' has no codes. Give its `centre` and `unit` instead"
    elif factor.code not in given.codes:
        choices = describe_choices(factor.code, given.codes)
        yield keys, f"'{factor.variable}' has no code '{factor.code}' in {trial.id}. {choices}"


def _find_wrong(
    keys: Keys, given: Mapping[str, Value], check: Callable[[dict[str, Value]], None]
) -> Iterator[tuple[Keys, str]]:
    """Check entries one by one, so that each is refused at its own line."""
    for name, value in given.items():
        try:
            check({name: value})
        except ValueError as error:
            yield (*keys, name), str(error)


def _check_tied(scenario: Scenario, given: Iterable[str]) -> None:
    if SEVERITY in given:
        raise ValueError(
            f"'{SEVERITY}' can't be tied to sites: the threshold of entry is one for all. Name "
            "another variable"
        )
    check_names(given, [*VARIABLES, *scenario.nominal])


def _check_measured(given: Iterable[str]) -> None:
    for name in given:
        if name in _EXACT:
            raise ValueError(f"'{name}' is recorded without error: {_EXACT[name]}. Leave it out")
    check_names(given, [name for name in VARIABLES if name not in _EXACT])


def _check_missing(scenario: Scenario, given: Mapping[str, Missing]) -> None:
    for name, how in given.items():
        if name in (SEVERITY, *_AT_VISITS):
            raise ValueError(
                f"'{name}' is rated at visits, and only what is asked once can be missing. Name a "
                "variable of the table of participants"
            )
        once = [name for name in VARIABLES if name not in _AT_VISITS]
        check_names([name], [*once, *scenario.nominal])
        for cause in how.on:
            if cause in scenario.nominal:
                raise ValueError(
                    f"'{name}' can't be missing by '{cause}', whose levels have no order. Name "
                    "another variable"
                )
            check_names([cause], [*COVARIATES, RESPONSE])


def _check_levels(nominal: Mapping[str, Nominal], given: Mapping[str, Shares]) -> None:
    check_names(given, list(nominal))
    for name, shares in given.items():
        if shares.codes != nominal[name].codes:
            levels = ", ".join(nominal[name].codes)
            raise ValueError(f"'{name}' needs the shares of {levels}, in this order")


def _check_effects(effects: Mapping[str, Effect]) -> None:
    check_names(effects, COVARIATES)
