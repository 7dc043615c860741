"""Scenarios with stated keys, and whether responses are as many as the stated probabilities say."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from glabella.simulation.generate import TrialDraw, draw_trials
from glabella.simulation.limits import describe_variables
from glabella.simulation.scenario.definition import Scenario

from .conftest import read

N = 24_000
# One site each, so that no site's effect is shared: one trial with items, and one without.
WITH_ITEMS, WITHOUT_ITEMS = "magid2014", "onadep2024"


def state(trial: str, of_trial: Mapping[str, Any] | None = None, **keys: object) -> Scenario:
    """State keys in a large trial of `bont_pooled`, validated as if read from a file."""
    plain = read("bont_pooled").model_dump(mode="json")
    [kept] = [one for one in plain["trials"] if one["id"] == trial]
    scenario = {**plain, **keys, "trials": [{**kept, **(of_trial or {})}]}
    return Scenario.model_validate_json(json.dumps(scenario)).with_participants(N)


def draw(scenario: Scenario, seed: int = 5) -> TrialDraw:
    [drawn] = draw_trials(scenario, seed=seed)
    return drawn


def find_response(drawn: TrialDraw) -> np.ndarray:
    total = drawn.scores["depression_total"]
    return total[:, drawn.trial.weeks.index(6)] <= total[:, 0] / 2


def own(drawn: TrialDraw, what: str) -> np.ndarray:
    return np.where(drawn.is_active, drawn.truth[f"{what}_active"], drawn.truth[f"{what}_control"])


def check_calibration(drawn: TrialDraw, what: str, rows: np.ndarray | None = None) -> None:
    """Check that as many respond as is stated, in tenths of what is stated in each arm."""
    responded, stated = find_response(drawn), own(drawn, what)
    rows = np.ones(len(stated), dtype=bool) if rows is None else rows
    for active in (True, False):
        arm = rows & (drawn.is_active == active)
        tenth = np.digitize(stated[arm], np.quantile(stated[arm], np.linspace(0, 1, 11)[1:-1]))
        for part in np.unique(tenth):
            p, y = stated[arm][tenth == part], responded[arm][tenth == part]
            z = (y.sum() - p.sum()) / np.sqrt((p * (1 - p)).sum())
            assert abs(z) < 4.5, (what, active, part, p.mean(), y.mean())


def find_role(scenario: Scenario, variable: str) -> tuple[str, str]:
    found = describe_variables(scenario).set_index("variable").loc[variable]
    return found["role"], found["through"]


AGE = {"centre": 49, "unit": 10}


AGITATION = {"centre": 1, "unit": 1}


REGION = {
    "shares": {"north": 0.5, "south": 0.3, "west": 0.2},
    "effects": {"south": {"prognostic": 0.4}, "west": {"prognostic": -0.2, "predictive": 0.5}},
}


STRONG = {
    "agitation": {**AGITATION, "prognostic": 0.2, "predictive": 0.2},
    "age_years": {**AGE, "prognostic": 0.3},
    "expectancy": {
        "centre": 6,
        "unit": 2,
        "predictive": 0.3,
        "curves": [{"shape": "hinge", "prognostic": 0.2}],
    },
}


CORRELATED = {"agitation": {"severity": 0.3, "expectancy": 0.4}, "age_years": {"expectancy": 0.5}}
