"""The tables of a simulation are read through the mapping of any other source."""

from pathlib import Path

import pytest

from glabella.data.adam.source import AdamSource
from glabella.data.dictionary import Dictionary, read_dictionary
from glabella.data.mapping.sources import TrialSource
from glabella.simulation.frames import simulate_tables
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.sources import (
    ADSL,
    ADSL_COLUMNS,
    find_sources,
    list_scores,
    make_raw_tables,
    make_table_source,
    name_event,
    name_parameter,
)

from .conftest import PROJECT


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return read_dictionary(PROJECT).value


def test_names_are_those_that_adam_allows() -> None:
    for name in ADSL_COLUMNS.values():
        assert len(name) <= 8
    assert name_parameter("bdi2_total") == "BDI2"
    assert name_parameter("hamd09") == "HAMD09"
    assert name_event("injection_site_pain") == "INJECTION SITE PAIN"


def test_a_trial_rates_its_items_and_its_self_report(bont_pooled: Scenario) -> None:
    by_id = {trial.id: list_scores(trial) for trial in bont_pooled.trials}
    assert by_id["brin2020"] == ["depression_total", "frown_max", "frown_rest"]
    assert "bdi2_total" in by_id["finzi2014"]
    items = [name for name in by_id["wollmer2012"] if name.startswith("hamd")]
    assert (items[0], items[-1], len(items)) == ("hamd01", "hamd17", 17)


def test_only_what_the_dictionary_has_and_was_tabulated_is_mapped(
    bont_pooled: Scenario, dictionary: Dictionary
) -> None:
    whole = make_table_source(bont_pooled, dictionary).participants.variables
    assert set(whole) <= set(dictionary.variables)
    assert "age_years" in whole
    few = make_table_source(bont_pooled, dictionary, tabulated=["sex", "no_such"])
    assert set(few.participants.variables) == {"sex"}


def test_the_format_is_found_by_the_files_that_are_there(
    bont_pooled: Scenario, dictionary: Dictionary, tmp_path: Path
) -> None:
    [nothing] = find_sources(bont_pooled, dictionary, tmp_path)
    assert isinstance(nothing, TrialSource)
    assert nothing.participants.file == "participants.csv"
    first = bont_pooled.trials[0].id
    (tmp_path / first).mkdir()
    (tmp_path / first / ADSL).touch()
    adam = find_sources(bont_pooled, dictionary, tmp_path)
    assert [source.name for source in adam] == [trial.id for trial in bont_pooled.trials]
    assert all(isinstance(source, AdamSource) for source in adam)
    (tmp_path / "participants.parquet").touch()
    [parquet] = find_sources(bont_pooled, dictionary, tmp_path)
    assert isinstance(parquet, TrialSource)
    assert parquet.participants.file == "participants.parquet"


def test_the_tables_have_the_names_and_columns_that_the_source_maps(
    bont_pooled: Scenario, dictionary: Dictionary
) -> None:
    source = make_table_source(bont_pooled, dictionary)
    raw = make_raw_tables(simulate_tables(bont_pooled, seed=1))
    people = source.participants
    assert set(raw) == {people.file, source.assessments[0].file}
    assert set(people.variables) <= set(raw[people.file].frame.columns)
