import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.domain.visits import Window


@pytest.mark.parametrize(
    ("weeks", "chosen"),
    [
        ([0, 4, 6, 8], 2),
        ([0, 4, 8], 1),
        ([8, 4, 0], 1),
        ([8, 5.5, 6.5], 1),
        ([3.99, 8.01], None),
        ([], None),
        ([4], 0),
        ([8], 0),
        ([math.nan, 7], 1),
        ([7, 7], 0),
    ],
    ids=[
        "exact",
        "tie_goes_to_the_earlier",
        "tie_in_any_order",
        "tie_of_halves",
        "just_outside",
        "no_visit",
        "low_end_included",
        "high_end_included",
        "unknown_week",
        "the_same_week_twice",
    ],
)
def test_the_nearest_visit_inside_the_window_is_chosen(
    weeks: list[float], chosen: int | None
) -> None:
    assert Window(6, 4, 8).choose(weeks) == chosen


@given(
    st.lists(st.integers(-4, 30), max_size=8),
    st.integers(1, 20),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_no_other_visit_in_the_window_is_nearer_or_as_near_and_earlier(
    weeks: list[int], target: int, before: int, after: int
) -> None:
    window = Window(target, target - before, target + after)
    position = window.choose(weeks)
    inside = [week for week in weeks if target - before <= week <= target + after]
    if position is None:
        assert inside == []
        return
    chosen = weeks[position]
    assert chosen in inside
    for week in inside:
        assert (abs(week - target), week) >= (abs(chosen - target), chosen)


@pytest.mark.parametrize("weeks", [[3.9, 4.1], [4.1, 3.9], [27 / 7, 29 / 7], [3.999, 4.001]])
def test_a_tie_is_a_tie_in_decimals_and_days_too(weeks: list[float]) -> None:
    assert Window(4, 3, 5).choose(weeks) == weeks.index(min(weeks))


@pytest.mark.parametrize(
    ("target", "low", "high"), [(3, 4, 8), (9, 4, 8), (6, 8, 4), (6, math.nan, 8)]
)
def test_a_target_outside_its_window_is_refused(target: float, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="the target week lies outside its window"):
        Window(target, low, high)
