"""The tables of an analysis, from files and from the simulator."""

import pandas as pd
import pytest

from glabella.analysis.loaded.tables import load_tables, map_simulated
from glabella.analysis.resolve import resolve_analysis
from glabella.definitions.locate import find_project
from glabella.errors import GlabellaError
from glabella.simulation.frames import simulate_tables


def test_files_are_read_from_the_project_or_from_a_named_folder(small_project, tmp_path):
    project = find_project(small_project)
    resolved = resolve_analysis("small", project)
    at_home = load_tables(resolved, None, project)
    assert (at_home.n, at_home.origin) == (120, "real")
    for name in ("participants.csv", "assessments.csv"):
        (small_project / name).rename(tmp_path / name)
    named = load_tables(resolved, tmp_path, project)
    pd.testing.assert_frame_equal(named.participants, at_home.participants)
    with pytest.raises(GlabellaError, match=r"participants\.csv"):
        load_tables(resolved, None, project)


def test_a_scenario_is_simulated_from_the_seed_of_the_analysis(checkout):
    project = find_project(checkout)
    resolved = resolve_analysis("predictive", project)
    tables = load_tables(resolved, None, project)
    seed = resolved.analysis.value.seed
    again = map_simulated(resolved, simulate_tables(resolved.scenario.value, seed=seed))
    other = map_simulated(resolved, simulate_tables(resolved.scenario.value, seed=seed + 1))
    assert tables.origin == "simulated"
    pd.testing.assert_frame_equal(tables.participants, again.participants)
    assert not tables.participants.equals(other.participants)
