"""The page on the simulator is about the scenario and the figures that are shipped."""

import re

import pandas as pd
import pytest

from glabella.data.evidence import Evidence
from glabella.definitions.locate import find_project
from glabella.simulation.published.published_check import describe
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.reading import read_scenario
from glabella.simulation.scenario.trials import ScenarioTrial


@pytest.fixture(scope="module")
def page(checkout):
    return (checkout / "docs" / "simulation.md").read_text(encoding="utf-8")


def test_every_parameter_has_its_source_or_is_assumed(page, checkout):
    table = page.split("## Parameters of")[1].split("## Calibration")[0]
    named = set(re.findall(r"`([a-z_.]+)`", table)) | {"scale", "weeks", "sites", "n", "units"}
    told = {name.split(".")[0] for name in named}
    scenario = read_scenario(find_project(checkout), "bont_pooled").value
    told |= {"variables", "kind", "description", "trials", "new_patients", "id", "items", "arms"}
    stated = scenario.model_fields_set.union(*(trial.model_fields_set for trial in scenario.trials))
    assert stated <= told | {"effects"}
    assert set(scenario.variables) <= named
    for name in scenario.effects:
        assert f"`{name}`" in table or f"of {name}" in table
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert all(line.split("|")[3].strip() for line in rows)


def test_every_key_that_the_shipped_scenario_does_not_state_is_explained(page, checkout):
    scenario = read_scenario(find_project(checkout), "bont_pooled").value
    stated = scenario.model_fields_set.union(*(trial.model_fields_set for trial in scenario.trials))
    section = page.split("## Further mechanisms")[1].split("## The truth")[0]
    for name in (set(Scenario.model_fields) | set(ScenarioTrial.model_fields)) - stated:
        assert name == "items" or f"`{name}`" in section, name


def test_every_scenario_has_its_line(page, checkout):
    told = set(re.findall(r"^\| `(\w+)` \|", page.split("## The model")[0], flags=re.MULTILINE))
    shipped = {path.stem for path in (checkout / "pipelines" / "scenarios").glob("*.yaml")}
    assert told == shipped


def test_the_table_is_of_the_figures_that_are_shipped(page, checkout):
    written = pd.read_csv(checkout / "docs" / "simulation" / "calibration.csv")
    findings = find_project(checkout).read("features", "evidence", Evidence).value.findings
    ids = {trial.id for trial in read_scenario(find_project(checkout), "bont_pooled").value.trials}
    expected = [describe(item) for item in findings if set(item.trials) <= ids]
    assert written["what"].tolist() == expected
    counts = written["verdict"].value_counts()
    assert f"Of {len(written)} figures {counts['agrees']} agree" in page
    assert counts["differs"] == 3


def test_its_pictures_are_there(page, checkout):
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", page):
        assert (checkout / "docs" / picture).read_text(encoding="utf-8").count("<svg") == 1
