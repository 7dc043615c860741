"""Trainings on the same outcome and data are counted, whatever they are called."""

import json

import pytest

from glabella.definitions.locate import find_project
from glabella.tracking.history import (
    DATA_TAG,
    DEFINITIONS_TAG,
    OUTCOME_TAG,
    History,
    find_history,
    write_definitions_tag,
)
from glabella.tracking.runs import open_run
from glabella.tracking.store import open_store

FIRST = {"pipelines/a.yaml": "1" * 64, "features/x.yaml": "2" * 64}


def make_tags(data="d", outcome="o", **changed):
    definitions = {**FIRST, **changed}
    return {
        DATA_TAG: data * 64,
        OUTCOME_TAG: outcome * 64,
        DEFINITIONS_TAG: write_definitions_tag(definitions),
    }


@pytest.fixture
def store(small_project):
    return open_store(find_project(small_project), create=True)


def finish(store, tags, analysis="a"):
    with open_run(store, analysis=analysis, run_name=analysis, tags=tags) as run:
        return run.run_id


def test_the_first_training_says_so(store):
    history = find_history(make_tags())
    assert history == History(1)
    assert history.describe() == (
        "This is the first finished training on this outcome and these data."
    )


def test_later_trainings_are_counted_and_say_what_changed(store):
    first = finish(store, make_tags())
    finish(store, make_tags(**{"features/x.yaml": "3" * 64}), analysis="another")
    later = make_tags(**{"features/x.yaml": "3" * 64, "models/new.yaml": "4" * 64})
    history = find_history(later)
    assert (history.number, history.first_run) == (3, first)
    assert history.changed == ("features/x.yaml", "models/new.yaml")
    assert "training number 3 on this outcome" in history.describe()
    assert "features/x.yaml, models/new.yaml changed" in history.describe()
    assert json.loads(json.dumps(history.as_json()))["changed"] == list(history.changed)


def test_a_training_on_other_data_or_another_outcome_does_not_count(store):
    finish(store, make_tags(data="e"))
    finish(store, make_tags(outcome="p"))
    assert find_history(make_tags()).number == 1


def test_a_training_that_failed_showed_no_figure_and_does_not_count(store):
    with pytest.raises(RuntimeError), open_run(store, analysis="a", run_name="a", tags=make_tags()):
        raise RuntimeError
    assert find_history(make_tags()).number == 1


def test_the_same_definitions_again_are_named_as_unchanged(store):
    finish(store, make_tags())
    assert "since the first, no definition changed" in find_history(make_tags()).describe()
