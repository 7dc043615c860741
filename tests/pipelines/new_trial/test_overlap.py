"""Participants of training are found in a new trial, whatever their identifiers look like."""

from types import SimpleNamespace

import pandas as pd
import pytest

from glabella.errors import DataError
from glabella.pipelines.new_trial.overlap import Overlap, check_overlap, find_overlap


@pytest.fixture
def find(tmp_path):
    def ask(trained: dict[str, list[str]], *ids: list[object], **more: bool) -> Overlap:
        keys = tmp_path / "keys"
        keys.mkdir(exist_ok=True)
        pd.DataFrame(trained).to_csv(keys / "r1.csv", index=False)
        manifest = SimpleNamespace(provenance={"run": "r1"})
        project = SimpleNamespace(runs=tmp_path)
        return find_overlap([pd.Series(each) for each in ids], manifest, project, **more)

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
    with pytest.raises(
        DataError, match=r"1 of its participants have the identifiers of .* leading"
    ):
        check_overlap(overlap, "t.csv", may_overlap=False)
    check_overlap(overlap, "t.csv", may_overlap=True)


def test_the_trial_distinguishes_participants_of_one_number(find):
    assert find(TRAINED, ["b", "a"], ["1001", "1001"]) == Overlap(1, 0)
    two = {"studyid": ["a", "b"], "usubjid": ["1001", "1002"]}
    assert find(two, ["b"], ["1001"], across_trials=True) == Overlap(0, 0)


def test_a_table_whose_trial_has_another_name_is_noticed(find):
    assert find(TRAINED, ["ALPHA-2019"], ["1001"], across_trials=True) == Overlap(0, 1)


def test_without_the_trials_name_the_identifier_decides(find):
    assert find(TRAINED, [""], ["1001"]) == Overlap(1, 0)


@pytest.mark.parametrize("written", ["1e+03", "'1000", "\ufeff1000", "1000\u200b"])
def test_what_programs_make_of_an_identifier_is_noticed(find, written):
    assert find({"studyid": ["a"], "usubjid": ["1000"]}, [written]) == Overlap(0, 1)


def test_a_person_of_a_crossover_is_known_without_the_period(find):
    trained = {"studyid": ["a", "a"], "usubjid": ["5/1", "5/2"], "person": ["5", "5"]}
    assert find(trained, ["a"], [5.0]).same == 1


def test_without_the_keys_nothing_is_known(tmp_path):
    manifest = SimpleNamespace(provenance={"run": "gone"})
    project = SimpleNamespace(runs=tmp_path)
    assert find_overlap([pd.Series(["1"])], manifest, project).same is None
