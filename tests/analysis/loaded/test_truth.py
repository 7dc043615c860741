"""The truth of simulated participants."""

import pandas as pd
import pytest

from glabella.analysis.loaded.truth import CHANCES, find_truth
from glabella.data.tables import KEY
from glabella.definitions.locate import find_project
from glabella.errors import DataError
from glabella.simulation.frames import simulate_trials
from glabella.simulation.scenario.reading import read_scenario


@pytest.fixture(scope="module")
def scenario(checkout):
    return read_scenario(find_project(checkout), "predictive").value


def test_it_comes_in_the_order_of_the_participants(scenario):
    truth = simulate_trials(scenario, seed=3).truth
    people = truth[KEY].sample(40, random_state=1)
    found = find_truth(people, scenario, seed=3, data=None)
    assert found[KEY].to_numpy().tolist() == people.to_numpy().tolist()
    expected = truth.set_index(KEY).loc[[tuple(row) for row in people.to_numpy()]]
    for chance in CHANCES:
        assert found[f"{chance}_active"].tolist() == expected[f"{chance}_active"].tolist()


def test_that_of_other_participants_is_refused(scenario):
    people = pd.DataFrame({"studyid": ["another"], "usubjid": ["1"]})
    with pytest.raises(DataError, match="not of the same participants"):
        find_truth(people, scenario, seed=3, data=None)


def test_a_folder_without_truth_has_none(scenario, tmp_path):
    people = simulate_trials(scenario, seed=3).truth[KEY]
    assert find_truth(people, scenario, seed=3, data=tmp_path) is None
