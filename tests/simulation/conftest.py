"""The shipped scenarios, and a trial in which every part of the model is at work."""

from pathlib import Path

import pytest

from glabella.definitions.locate import Project
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
