"""Participants of training are found in a new trial, whatever their identifiers look like."""

from types import SimpleNamespace

import pandas as pd
import pytest

from glabella.errors import DataError
from glabella.pipelines.overlap import Overlap, find_overlap, refuse_overlap


@pytest.fixture
def find(tmp_path):
    def ask(trained: dict[str, list[str]], *ids: list[object]) -> Overlap:
        keys = tmp_path / "keys"
        keys.mkdir(exist_ok=True)
        pd.DataFrame(trained).to_csv(keys / "r1.csv", index=False)
        manifest = SimpleNamespace(provenance={"run": "r1"})
        return find_overlap(
            [pd.Series(each) for each in ids], manifest, SimpleNamespace(runs=tmp_path)
        )

    return ask


TRAINED = {"studyid": ["a", "a", "a"], "usubjid": ["1001", "007", "NA"]}


@pytest.mark.parametrize("ids", [[1001, 7], [1001.0, 5.0], ["1001.0", "x"], [" 1001", "1002"]])
def test_a_number_is_the_same_participant_in_every_type(find, ids):
    assert find(TRAINED, ids).same == 1


def test_an_identifier_that_reads_as_missing_is_one(find):
    assert find(TRAINED, ["NA"]).same == 1


def test_lost_leading_zeros_are_counted_apart_and_refused(find):
    overlap = find(TRAINED, [7, 8])
    assert overlap == Overlap(0, 1)
    with pytest.raises(DataError, match=r"1 of its participants have identifiers of .* leading"):
        refuse_overlap(overlap, "t.csv", may_overlap=False)
    refuse_overlap(overlap, "t.csv", may_overlap=True)


def test_the_trial_tells_participants_of_one_number_apart(find):
    assert find(TRAINED, ["b", "a"], ["1001", "1001"]).same == 1


def test_a_person_of_a_crossover_is_known_without_the_period(find):
    trained = {"studyid": ["a", "a"], "usubjid": ["5/1", "5/2"], "person": ["5", "5"]}
    assert find(trained, ["a"], [5.0]).same == 1


def test_without_the_keys_nothing_is_known(tmp_path):
    manifest = SimpleNamespace(provenance={"run": "gone"})
    project = SimpleNamespace(runs=tmp_path)
    assert find_overlap([pd.Series(["1"])], manifest, project).same is None
