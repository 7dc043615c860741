"""Tasks run in order and give the same wherever they run."""

import os

import pytest
from joblib import delayed
from threadpoolctl import threadpool_info

from glabella.validation.fitting.workers import (
    Workers,
    keep_one_thread,
    open_workers,
    parse_workers,
)


def test_one_worker_runs_tasks_in_this_process_and_several_in_others():
    def say(number):
        return number, os.getpid()

    tasks = [delayed(say)(number) for number in range(4)]
    here = list(Workers().run(tasks))
    there = list(Workers(2).run(tasks))
    assert [number for number, _ in here] == [number for number, _ in there] == [0, 1, 2, 3]
    assert {process for _, process in here} == {os.getpid()}
    assert os.getpid() not in {process for _, process in there}


def test_workers_of_this_machine_are_as_many_as_asked_for():
    with open_workers(3, again="it") as opened:
        assert (opened.count, opened.cluster) == (3, None)


def test_a_task_keeps_to_one_thread():
    import numpy as np

    np.ones((2, 2)) @ np.ones((2, 2))
    with keep_one_thread():
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}


@pytest.mark.parametrize("text", ["0", "two", "dask://host"])
def test_what_is_neither_a_number_nor_an_address_is_refused(text):
    with pytest.raises(ValueError, match="neither a number of processes nor the address"):
        parse_workers(text)
