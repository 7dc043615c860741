"""Simulated trials as the tables that a data team would deliver, and the truth beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glabella.simulation.baseline import draw_entrants
from glabella.simulation.effects import tabulate_terms
from glabella.simulation.generate import TrialDraw, draw_trials
from glabella.simulation.limits import (
    describe_variables,
    tabulate_arms,
    tabulate_limits,
    tabulate_sites,
)
from glabella.simulation.new_patients import make_new_patients
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.marginals import Distribution, Shares
from glabella.simulation.scenario.trials import ScenarioTrial
from glabella.simulation.streams import make_generator, make_spawn
from glabella.simulation.truth import TrialEffects

_DRAWN = (
    "age_years",
    "sex",
    "illness_months",
    "episodes",
    "antidepressant",
    "resistance",
    "expectancy",
)
_WHOLE = ("age_years", "illness_months", "episodes", "resistance", "expectancy")


@dataclass(frozen=True)
class TrialTables:
    """What an analysis reads of simulated trials.

    Parameters
    ----------
    scenario : Scenario
        What was simulated.
    participants : DataFrame
        One row a participant.
    assessments : DataFrame
        One row a participant, variable and visit.
    """

    scenario: Scenario
    participants: pd.DataFrame
    assessments: pd.DataFrame


@dataclass(frozen=True)
class Simulated(TrialTables):
    """All simulated tables, as they would be read from files.

    Parameters
    ----------
    scenario, participants, assessments
        As in `TrialTables`.
    events : DataFrame
        One row an adverse event: ``studyid``, ``usubjid``, ``event`` and ``day`` after injection.
    new_patients : DataFrame
        One row a participant to be scored, as text, some of them faulty.
    truth : DataFrame
        One row a participant: chances of response at the endpoint under the active and the
        control arm of the own cohort, ``benefit`` (their difference), the same chances to who
        knows only the baseline table, true severity in points, prognosis, and true values of
        variables that are recorded with error or missing. If values are missing by response, the
        chances given also which are missing.
    variables : DataFrame
        One row a trial and variable: whether it is prognostic, predictive or neither.
    terms : DataFrame
        One row a trial and term of the fall: its weights in that trial, as drawn.
    arms : DataFrame
        One row a trial and arm: its background and effect in that trial, the response rate that
        is expected, and how many left.
    sites : DataFrame
        One row a trial and site: its effect, and what its participants share.
    limits : DataFrame
        One row a rule and scope: the concordance that the rule can be expected to reach.
    """

    events: pd.DataFrame
    new_patients: pd.DataFrame
    truth: pd.DataFrame
    variables: pd.DataFrame
    terms: pd.DataFrame
    arms: pd.DataFrame
    sites: pd.DataFrame
    limits: pd.DataFrame


def simulate_trials(scenario: Scenario, *, seed: int, workers: int = 1) -> Simulated:
    """Simulate every trial of a scenario, as tables."""
    trials = draw_trials(scenario, seed=seed, workers=workers)
    names = [_name_participants(drawn) for drawn in trials]
    tables = _tabulate(scenario, trials, names)
    truth = pd.concat(
        [_tabulate_truth(scenario, *pair) for pair in zip(trials, names, strict=True)]
    )
    return Simulated(
        scenario=scenario,
        participants=tables.participants,
        assessments=tables.assessments,
        events=_tabulate_events(scenario, trials, names),
        new_patients=_simulate_new_patients(scenario, seed),
        truth=truth.reset_index(drop=True),
        variables=describe_variables(scenario),
        terms=tabulate_terms(scenario, [drawn.trial for drawn in trials]),
        arms=tabulate_arms(scenario, trials),
        sites=tabulate_sites(trials, [_name_sites(drawn.trial) for drawn in trials]),
        limits=tabulate_limits(trials),
    )


def simulate_tables(
    scenario: Scenario,
    *,
    seed: int,
    effects: Sequence[TrialEffects] | None = None,
    only: Collection[str] | None = None,
) -> TrialTables:
    """Simulate every trial of a scenario, and tabulate what an analysis reads."""
    trials = draw_trials(scenario, seed=seed, effects=effects, only=only)
    return _tabulate(scenario, trials, [_name_participants(drawn) for drawn in trials], only)


def _tabulate(
    scenario: Scenario,
    trials: Sequence[TrialDraw],
    names: Sequence[np.ndarray],
    only: Collection[str] | None = None,
) -> TrialTables:
    people = [_tabulate_people(scenario, *pair, only) for pair in zip(trials, names, strict=True)]
    return TrialTables(
        scenario, pd.concat(people, ignore_index=True), _tabulate_visits(trials, names, only)
    )


def _name_sites(trial: ScenarioTrial) -> list[str]:
    return [f"{trial.id}-{at + 1:02d}" for at in range(trial.sites)]


def _name_participants(drawn: TrialDraw) -> np.ndarray:
    width = max(3, len(str(len(drawn.arm))))
    ids = [f"{drawn.trial.id}-{number:0{width}d}" for number in range(1, len(drawn.arm) + 1)]
    return np.array(ids, dtype=object)


def _tabulate_people(
    scenario: Scenario, drawn: TrialDraw, names: np.ndarray, only: Collection[str] | None
) -> pd.DataFrame:
    trial = drawn.trial
    distributions = {**scenario.find_variables(trial), **scenario.find_nominal(trial)}

    def of_arm(field: str) -> np.ndarray:
        return np.array([getattr(one, field) for one in trial.arms])[drawn.arm]

    columns: dict[str, object] = {
        "studyid": trial.id,
        "usubjid": names,
        "siteid": np.array(_name_sites(trial), dtype=object)[drawn.site],
        "cohort": of_arm("cohort").astype(object),
        "arm": of_arm("code").astype(object),
        "scale": trial.scale,
    }
    for name in (*_DRAWN, *scenario.nominal):
        if only is None or name in only:
            values = _tabulate_values(name, distributions[name], drawn.values[name])
            columns[name] = _leave_out(values, drawn.missing.get(name))
    if only is None or "dose_units" in only:
        women = _as_codes(distributions["sex"], drawn.values["sex"]) == "F"
        columns["dose_units"] = np.where(women, of_arm("units_women"), of_arm("units_men"))
    for name in scenario.adverse_events:
        if only is None or name in only:
            columns[name] = np.where(drawn.events[name] > 0, "1", "0").astype(object)
    if only is None or "believed_arm" in only:
        # Asked at the endpoint, so of nobody who had left by then.
        seen = drawn.stays[:, trial.weeks.index(scenario.endpoint_week)]
        belief = pd.Series(np.where(drawn.believes, "active", "control"), dtype=object)
        columns["believed_arm"] = belief.where(seen, None)
    return pd.DataFrame(columns, index=range(len(names)))


def _leave_out(values: np.ndarray, missing: np.ndarray | None) -> np.ndarray | pd.Series:
    """Leave missing values out; whole numbers stay whole."""
    if missing is None:
        return values
    is_whole = np.issubdtype(values.dtype, np.integer)
    return pd.Series(values, dtype="Int64" if is_whole else object).mask(
        missing, pd.NA if is_whole else None
    )


def _tabulate_values(name: str, distribution: Distribution, values: np.ndarray) -> np.ndarray:
    codes = _as_codes(distribution, values)
    return codes.astype(int) if name in _WHOLE else codes


def _as_codes(distribution: Distribution, values: np.ndarray) -> np.ndarray:
    if isinstance(distribution, Shares):
        return np.asarray(np.array(distribution.codes, dtype=object)[values.astype(int)])
    return values


def _tabulate_visits(
    trials: Sequence[TrialDraw], names: Sequence[np.ndarray], only: Collection[str] | None = None
) -> pd.DataFrame:
    """Stack visits in long form; names are categories, written once and not a row."""
    scored = {name for drawn in trials for name in drawn.scores}
    parameters = sorted(scored if only is None else scored & set(only))
    parts: dict[str, list[np.ndarray]] = {
        key: [] for key in ("who", "trial", "what", "week", "aval")
    }
    offset = 0
    for at, drawn in enumerate(trials):
        for column, week in enumerate(drawn.trial.weeks):
            there = np.flatnonzero(drawn.stays[:, column])
            for name, scores in drawn.scores.items():
                if name not in parameters:
                    continue
                parts["who"].append((offset + there).astype(np.int32))
                parts["trial"].append(np.full(len(there), at, dtype=np.int16))
                parts["what"].append(np.full(len(there), parameters.index(name), dtype=np.int16))
                parts["week"].append(np.full(len(there), week))
                parts["aval"].append(scores[there, column].astype(np.int32))
        offset += len(drawn.arm)
    stacked = {key: np.concatenate(pieces) for key, pieces in parts.items()}
    ids = pd.Index([drawn.trial.id for drawn in trials], dtype=object)
    people = pd.Index(np.concatenate(list(names)), dtype=object)
    return pd.DataFrame(
        {
            "studyid": pd.Categorical.from_codes(stacked["trial"], ids),
            "usubjid": pd.Categorical.from_codes(stacked["who"], people),
            "paramcd": pd.Categorical.from_codes(
                stacked["what"], pd.Index(parameters, dtype=object)
            ),
            "week": stacked["week"],
            "aval": stacked["aval"],
        }
    )


def _tabulate_events(
    scenario: Scenario, trials: Sequence[TrialDraw], names: Sequence[np.ndarray]
) -> pd.DataFrame:
    def list_events() -> Iterator[pd.DataFrame]:
        yield pd.DataFrame({"studyid": [], "usubjid": [], "event": [], "day": []}).astype(
            {"studyid": object, "usubjid": object, "event": object, "day": int}
        )
        for drawn, of_trial in zip(trials, names, strict=True):
            for name in scenario.adverse_events:
                had = drawn.events[name] > 0
                yield pd.DataFrame(
                    {
                        "studyid": drawn.trial.id,
                        "usubjid": of_trial[had],
                        "event": name,
                        "day": drawn.events[name][had].astype(int),
                    }
                )

    return pd.concat(list_events(), ignore_index=True)


def _tabulate_truth(scenario: Scenario, drawn: TrialDraw, names: np.ndarray) -> pd.DataFrame:
    truth = drawn.truth
    distributions = {**scenario.find_variables(drawn.trial), **scenario.find_nominal(drawn.trial)}
    return pd.DataFrame(
        {
            "studyid": drawn.trial.id,
            "usubjid": names,
            "probability_active": truth["probability_active"],
            "probability_control": truth["probability_control"],
            "benefit": truth["probability_active"] - truth["probability_control"],
            "known_active": truth["known_active"],
            "known_control": truth["known_control"],
            "true_severity": truth["true_severity"],
            "prognosis": truth["prognosis"],
            **{
                f"expected_{role}": truth[f"expected_{role}"]
                for role in ("active", "control")
                if f"expected_{role}" in truth
            },
            **{
                f"true_{name}": _tabulate_values(name, distribution, truth[f"true_{name}"])
                for name, distribution in distributions.items()
                if f"true_{name}" in truth
            },
        }
    )


def _simulate_new_patients(scenario: Scenario, seed: int) -> pd.DataFrame:
    """Draw patients like those of all trials, in a mixture by size."""
    draw = make_generator(seed, "new patients", 0)
    sizes = np.array([trial.size for trial in scenario.trials], dtype=float)
    counts = draw.multinomial(scenario.new_patients.rows, sizes / sizes.sum())
    parts = []
    for trial, count in zip(scenario.trials, counts, strict=True):
        spawn = make_spawn(seed, f"new patients of {trial.id}", 0)
        entrants = draw_entrants(scenario, trial, 0.0, int(count), draw, spawn)
        distributions = {**scenario.find_variables(trial), **scenario.find_nominal(trial)}
        columns: dict[str, object] = {
            name: _as_codes(distributions[name], values) for name, values in entrants.values.items()
        }
        columns["depression_total"] = entrants.total
        columns["scale"] = trial.scale
        parts.append(pd.DataFrame(columns, index=range(int(count))))
    people = pd.concat(parts, ignore_index=True).drop(columns="agitation")
    whole = [*_WHOLE, "depression_total", "frown_max", "frown_rest"]
    return make_new_patients(
        people.astype(dict.fromkeys(whole, int)),
        scenario.new_patients.faulty,
        draw,
        further=list(scenario.nominal),
    )
