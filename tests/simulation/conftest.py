"""The shipped scenarios, and the tables simulated from one of them."""

from pathlib import Path

import pandas as pd
import pytest

from glabella.definitions.locate import Project
from glabella.simulation.frames import Simulated, simulate_trials
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.reading import read_scenario

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Project(definitions=ROOT, home=ROOT)
SCENARIOS = sorted(path.stem for path in (ROOT / "pipelines" / "scenarios").glob("*.yaml"))


def read(name: str) -> Scenario:
    return read_scenario(PROJECT, name).value


@pytest.fixture(scope="session")
def bont_pooled() -> Scenario:
    return read("bont_pooled")


def enlarge(scenario: Scenario, trial: str, n: int) -> Scenario:
    """Keep one trial, of another size."""
    [kept] = [one for one in scenario.trials if one.id == trial]
    return scenario.model_copy(update={"trials": (kept,)}).with_participants(n)


@pytest.fixture(scope="session")
def simulated(bont_pooled: Scenario) -> Simulated:
    return simulate_trials(bont_pooled, seed=1)


@pytest.fixture(scope="session")
def many(bont_pooled: Scenario) -> list[Simulated]:
    return [simulate_trials(bont_pooled, seed=seed) for seed in range(12)]


def spread(simulated: Simulated, variable: str = "depression_total") -> pd.DataFrame:
    """Put each participant's scores side by side, a column a week."""
    scores = simulated.assessments[simulated.assessments["paramcd"] == variable]
    scores = scores.astype({"usubjid": object})
    wide = scores.pivot(index="usubjid", columns="week", values="aval")
    return simulated.participants.join(wide, on="usubjid")
