"""Tasks are run once: what was kept is found to the last digit, and nothing else is."""

import numpy as np
import pytest
from joblib import delayed

from glabella.models.candidate import Candidate
from glabella.validation.fitting.checkpoint import Checkpoint, FitKey
from glabella.validation.fitting.keeper import Keeper
from glabella.validation.fitting.runner import Runner, Task
from glabella.validation.fitting.workers import Workers

RIDGE = Candidate(kind="candidate", description="x", estimator="ridge")


@pytest.fixture
def checkpoint(tmp_path):
    return Checkpoint(tmp_path / "unfinished", {"numpy": "2"})


def test_any_plain_content_comes_back_as_it_was(checkpoint):
    content = {
        "floats": [1 / 3, float("inf"), -0.0],
        "none": None,
        "nested": {"files": {"model.json": b"\x00\xff{}"}, "array": np.array([[np.nan, 1 / 3]])},
        "empty": [],
    }
    checkpoint.keep_plain(FitKey("a"), content)
    found = checkpoint.find_plain(FitKey("a"))
    assert found["floats"] == content["floats"]
    assert (found["none"], found["empty"]) == (None, [])
    assert found["nested"]["files"] == content["nested"]["files"]
    np.testing.assert_array_equal(found["nested"]["array"], content["nested"]["array"])
    assert checkpoint.find_plain(FitKey("b")) is None
    assert checkpoint.count() == 1


def test_what_was_not_written_whole_is_not_found(checkpoint):
    checkpoint.keep_plain(FitKey("a"), [1.0])
    path = checkpoint.folder / "a.npz"
    path.write_bytes(path.read_bytes()[:-40])
    assert checkpoint.find_plain(FitKey("a")) is None


def test_tasks_that_are_kept_are_not_run_again_and_the_order_is_that_of_the_tasks(checkpoint):
    ran = []

    def square(number):
        ran.append(number)
        return None if number == 3 else float(number**2)

    keeper = Keeper(checkpoint, "scope", float, float)

    def run(numbers, kept=keeper):
        tasks = [Task((number,), delayed(square)(number)) for number in numbers]
        return list(Runner().run_kept(tasks, kept))

    assert run([2, 4]) == [4.0, 16.0]
    assert run([1, 2, 3, 4, 5]) == [1.0, 4.0, None, 16.0, 25.0]
    assert ran == [2, 4, 1, 3, 5]
    # What failed is tried again, another scope finds nothing, and without a keeper all are run.
    assert run([3]) == [None]
    assert run([2], Keeper(checkpoint, "other", float, float)) == [4.0]
    assert run([2], None) == [4.0]
    assert ran == [2, 4, 1, 3, 5, 3, 2, 2]


def test_whatever_draws_depend_on_changes_the_scope(checkpoint, make_sample, tmp_path):
    from dataclasses import replace

    sample = make_sample(20)
    first = checkpoint.make_scope({"ridge": RIDGE}, sample, 1)
    assert checkpoint.make_scope({"ridge": RIDGE}, sample, 1) == first
    flipped = sample.outcomes.copy()
    flipped[0, 0] = 1 - flipped[0, 0]
    cohort = sample.cohort.astype("<U2").copy()
    cohort[0] = "b"
    others = [
        checkpoint.make_scope({"ridge": RIDGE}, sample, 2),
        checkpoint.make_scope({"other": RIDGE}, sample, 1),
        checkpoint.make_scope({"ridge": RIDGE}, replace(sample, outcomes=flipped), 1),
        checkpoint.make_scope({"ridge": RIDGE}, replace(sample, cohort=cohort), 1),
        checkpoint.make_scope({"ridge": RIDGE}, replace(sample, active=~sample.active), 1),
        checkpoint.make_scope({"ridge": RIDGE}, replace(sample, background=30), 1),
        Checkpoint(tmp_path, {"numpy": "3"}).make_scope({"ridge": RIDGE}, sample, 1),
    ]
    assert len({first, *others}) == 1 + len(others)


def test_stages_take_the_name_that_they_are_given_and_everything_else_stays(checkpoint):
    said = []
    runner = Runner(Workers(2), lambda *stage: said.append(stage), checkpoint)
    named = runner.name_stage("refitting ridge")
    named.report("refitting", 3, 7)
    named.name_stage("again").report("refitting")
    assert said == [("refitting ridge", 3, 7), ("refitting ridge", 0, 0)]
    assert (named.workers, named.checkpoint) == (runner.workers, checkpoint)
    Runner().report("nobody listens")


def test_without_a_checkpoint_nothing_is_kept(checkpoint):
    assert Runner().make_keeper(lambda checkpoint: "scope", float, float) is None
    keeper = Runner(checkpoint=checkpoint).make_keeper(lambda checkpoint: "scope", float, float)
    keeper.keep(1.5, "a")
    assert Keeper(checkpoint, "scope", float, float).find("a") == 1.5
