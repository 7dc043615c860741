"""What candidates are tuned on: whole persons, and no more than are needed."""

import numpy as np

from glabella.models.candidate import Candidate
from glabella.validation.fitting import inner_folds
from glabella.validation.fitting.inner_folds import has_inner_folds, split_inner


def test_only_what_is_learnt_from_inner_folds_needs_them():
    def needs(**stated):
        made = {"kind": "candidate", "description": "x", "estimator": "ridge", **stated}
        return has_inner_folds(Candidate(**made))

    calibrated = {"calibration": "logistic"}
    assert not needs(calibration="none")
    assert needs(**calibrated)
    assert not needs(role="reference", **calibrated)
    assert needs(calibration="none", search={"c": {"choice": (0.1, 1.0)}}, draws=2)
    assert not needs(calibration="none", search={"c": {"choice": (0.1, 1.0)}}, draws=1)


def test_there_are_no_inner_folds_if_a_class_has_one_participant(make_sample):
    sample = make_sample(40)
    rows = np.arange(40)
    outcome = np.zeros(40, dtype=np.int8)
    outcome[0] = 1
    asked = {"folds": 3, "unit": "participant", "state": 1}
    assert split_inner(sample, rows, outcome, **asked) == []
    outcome[1] = 1
    assert len(split_inner(sample, rows, outcome, **asked)) == 2


def test_whole_persons_are_drawn_to_tune_on(monkeypatch):
    monkeypatch.setattr(inner_folds, "MOST_TUNED", 40)
    people = np.repeat(np.arange(50), 2)[np.random.default_rng(1).permutation(100)]
    drawn = inner_folds.draw_tuned(people, 3)
    assert len(drawn) == 40
    assert (np.bincount(people[drawn])[np.unique(people[drawn])] == 2).all()
    np.testing.assert_array_equal(drawn, inner_folds.draw_tuned(people, 3))
    assert not np.array_equal(drawn, inner_folds.draw_tuned(people, 4))
