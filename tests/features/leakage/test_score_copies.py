"""A later score or change is recognised under any other name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.features.leakage.later_visits import LaterVisit
from glabella.features.leakage.score_copies import list_targets

from .conftest import CHANGE, EARLY_CHANGE, LOST, NAN, TRIAL, find, flag, make_trial, refuse


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (TRIAL.end, "it equals 'total' at the endpoint"),
        (CHANGE, "it equals the change of 'total' at the endpoint"),
        (-CHANGE, "it equals the change of 'total' at the endpoint"),
        # By the rule of the endpoint, half of the baseline, these decide the outcome as well.
        (np.round(100 * CHANGE / TRIAL.start, 1), "it decides the outcome"),
        (CHANGE / TRIAL.start, "it decides the outcome"),
        (-EARLY_CHANGE, "it equals the relative change of 'total' at week 4"),
        (np.round(100 * EARLY_CHANGE, 1), "it equals the relative change of 'total' at week 4"),
        (np.round(-100 * EARLY_CHANGE), "it equals the relative change of 'total' at week 4"),
        (TRIAL.scores["total"][4.0], "it equals 'total' at week 4"),
        (TRIAL.scores["total"][4.0] - TRIAL.start, "it equals the change of 'total' at week 4"),
        (TRIAL.scores["anxiety"][4.0], "it equals 'anxiety' at week 4"),
        (np.sqrt(TRIAL.end) * 3 + 1, "it follows from 'total' at the endpoint"),
        (np.digitize(TRIAL.end, [8, 14, 24]) + 0 * TRIAL.end, "it follows from 'total' at the"),
        (
            np.where(LOST, TRIAL.scores["total"][4.0], TRIAL.end),
            "it equals 'total' at",
        ),
    ],
    ids=[
        "score",
        "change",
        "improvement",
        "percent",
        "fraction",
        "fraction at week 4",
        "percent at week 4",
        "whole percent of improvement at week 4",
        "week 4",
        "change to week 4",
        "another variable",
        "transformed",
        "bands",
        "last value",
    ],
)
def test_a_later_score_or_change_under_another_name_is_refused(
    values: np.ndarray, words: str
) -> None:
    assert words in refuse(values, TRIAL)


def test_a_category_with_one_code_for_each_score_is_refused() -> None:
    trial = make_trial(400, seed=2)
    bands = np.where(np.isnan(trial.end), None, np.where(trial.end % 3 == 0, "a", "b"))
    assert "it follows from 'total' at the endpoint" in refuse(bands, trial, kind="category")


def test_a_copy_with_a_few_corrections_is_refused() -> None:
    copy = TRIAL.end.copy()
    copy[np.flatnonzero(~LOST)[:3]] += 1
    assert "'total' at the endpoint in 10" in refuse(copy, TRIAL)


def test_response_at_another_visit_is_refused() -> None:
    early = TRIAL.scores["total"][4.0] <= 0.7 * TRIAL.start
    words = refuse(flag(early), TRIAL, kind="category")
    assert "it follows from the relative change of 'total' at week 4" in words


def test_an_improvement_rated_only_after_treatment_is_refused() -> None:
    draw = np.random.default_rng(9)
    trial = make_trial()
    rating = draw.integers(1, 8, (2, 120)).astype(float)
    trial.scores["improvement"] = {4.0: rating[0], 8.0: rating[1]}
    assert "it equals 'improvement' at week 8" in refuse(rating[1], trial)


def test_a_height_measured_again_later_is_warned_of_at_most() -> None:
    height = np.round(np.random.default_rng(10).normal(170, 10, 120))
    trial = make_trial()
    trial.scores["height"] = {4.0: height, 8.0: height}
    found = find(height, trial)
    assert found is not None and found.severity == "warn"


@given(st.integers(40, 200), st.integers(0, 2**31), st.integers(0, 4))
def test_a_copy_of_the_end_is_always_refused(n: int, seed: int, shape: int) -> None:
    trial = make_trial(n, seed)
    change = trial.end - trial.start
    shapes = [trial.end, change, -change, 100 * change / trial.start, trial.end**2]
    assert refuse(shapes[shape], trial)


def test_a_visit_gives_its_score_and_each_change_with_what_it_may_be_multiplied_by() -> None:
    later = np.array([10.0, 20.0, NAN, 12.0])
    before = np.array([20.0, 20.0, 30.0, 0.0])
    visit = LaterVisit("total", "at week 8", later, (before,))
    score, change, relative = list_targets(visit)
    assert [item.words for item in (score, change, relative)] == [
        "'total' at week 8",
        "the change of 'total' at week 8",
        "the relative change of 'total' at week 8",
    ]
    np.testing.assert_array_equal(change.values, [-10, 0, NAN, 12])
    # Nothing is relative to a baseline of 0.
    np.testing.assert_array_equal(relative.values, [-0.5, 0, NAN, NAN])
    assert score.changed.tolist() == change.changed.tolist() == [True, False, False, True]
    assert relative.changed.tolist() == [True, False, False, False]
    assert relative.multiples == (1, -1, 100, -100)


def test_a_score_in_which_nobody_changed_has_nothing_to_copy() -> None:
    same = np.array([10.0, 20.0])
    assert not list(list_targets(LaterVisit("total", "at week 8", same, (same,))))
