"""Tasks are run once: what was kept is found to the last digit, and nothing else is."""

import pytest
from joblib import delayed

from glabella.models.candidate import Candidate
from glabella.validation.fitting.checkpoint import Checkpoint
from glabella.validation.fitting.keeper import Keeper
from glabella.validation.fitting.runner import Runner, Task
from glabella.validation.fitting.workers import Workers

RIDGE = Candidate(kind="candidate", description="x", estimator="ridge")


@pytest.fixture
def checkpoint(tmp_path):
    return Checkpoint(tmp_path / "unfinished", {"numpy": "2"})


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


def test_stages_take_the_name_that_they_are_given_and_everything_else_stays(checkpoint):
    said = []
    runner = Runner(Workers(2), lambda *stage: said.append(stage), checkpoint)
    named = runner.name_stage("refitting ridge")
    named.note_done("refitting", 3, 7)
    named.name_stage("again").note_done("refitting")
    assert said == [("refitting ridge", 3, 7), ("refitting ridge", 0, 0)]
    assert (named.workers, named.checkpoint) == (runner.workers, checkpoint)
    Runner().note_done("nobody listens")


def test_without_a_checkpoint_nothing_is_kept(checkpoint):
    assert Runner().make_keeper(lambda checkpoint: "scope", float, float) is None
    keeper = Runner(checkpoint=checkpoint).make_keeper(lambda checkpoint: "scope", float, float)
    keeper.keep(1.5, "a")
    assert Keeper(checkpoint, "scope", float, float).find("a") == 1.5
