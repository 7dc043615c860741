"""Days in place of planned weeks invent no drop-out: visits are found, or the trial is given up."""

import numpy as np
import pandas as pd
import pytest

from glabella.data.overview import count_followed, count_visits
from glabella.data.tables import PatientTables
from glabella.data.visit_weeks import find_visit_weeks

N = 60


def make_tables(seen: dict[int, list[float]]) -> PatientTables:
    """One trial; who was seen in which weeks."""
    people = pd.DataFrame({"studyid": "t", "usubjid": [str(n) for n in range(len(seen))]})
    rows = [
        {"studyid": "t", "usubjid": str(n), "paramcd": "total", "week": week, "aval": 20.0}
        for n, weeks in seen.items()
        for week in weeks
    ]
    return PatientTables(people, pd.DataFrame(rows), "real")


def draw_days(planned: list[int], spread: int, *, leave_after: dict[int, int]) -> PatientTables:
    """Hold each visit up to so many days early or late, for all but those who left."""
    draw = np.random.default_rng(11)
    seen = {}
    for n in range(N):
        kept = [week for week in planned if week <= leave_after.get(n, 99)]
        seen[n] = [0.0] + [
            (7 * week + int(draw.integers(-spread, spread + 1))) / 7 for week in kept
        ]
    return make_tables(seen)


def test_days_within_three_of_a_planned_week_count_at_that_week() -> None:
    gone = dict.fromkeys(range(6), 4)
    tables = draw_days([2, 4, 6], 3, leave_after=gone)
    found = find_visit_weeks(tables, "total")
    assert found.rounded == ("t",)
    assert found.untold == ()
    visits = count_visits(tables, "total")
    assert visits["week"].tolist() == [0, 2, 4, 6]
    assert visits["seen"].tolist() == [N, N, N, N - 6]
    followed = count_followed(tables, "total")
    assert followed.set_index("week")["dropped"].to_dict() == pytest.approx(
        {0: 0, 2: 0, 4: 0, 6: 0.1}
    )


def test_weekly_visits_by_day_invent_no_drop_out() -> None:
    tables = draw_days([1, 2, 3, 4, 5, 6], 2, leave_after={})
    assert count_followed(tables, "total")["dropped"].tolist() == [0.0] * 7


@pytest.mark.parametrize("spread", [5, 10])
def test_where_days_spread_over_weeks_no_drop_out_is_given(spread: int) -> None:
    tables = draw_days([4, 8, 12], spread, leave_after={})
    assert find_visit_weeks(tables, "total").untold == ("t",)
    assert count_visits(tables, "total").empty
    assert count_followed(tables, "total").empty


def test_whole_weeks_of_their_own_are_no_visits_either() -> None:
    seen = {n: [0.0, 12.0 + (n % 5 == 0) - (n % 5 == 1)] for n in range(N)}
    assert find_visit_weeks(make_tables(seen), "total").untold == ("t",)


def test_weeks_after_the_last_visit_are_no_drop_out() -> None:
    # Week 12 was held a week late for one in ten: nobody left.
    seen = {n: [0.0, 6.0, 13.0 if n % 10 == 0 else 12.0] for n in range(N)}
    followed = count_followed(make_tables(seen), "total")
    assert followed["week"].tolist() == [0, 6, 12]
    assert followed["dropped"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "planned", [[0, 2, 4, 8], [0, 0.5, 1, 1.5], [0, 4.35, 8.7, 13.04], [0, 1, 2, 3]]
)
def test_planned_weeks_stay_as_they_are_though_half_leave(planned: list[float]) -> None:
    seen = {n: planned[: 1 + max(1, 3 - n % 4)] for n in range(N)}
    seen |= dict.fromkeys(range(30, N), planned)
    found = find_visit_weeks(make_tables(seen), "total")
    assert (found.rounded, found.untold) == ((), ())
    assert count_followed(make_tables(seen), "total")["week"].tolist() == planned
