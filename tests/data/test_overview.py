"""Visits and drop-out, counted by hand on a trial of four."""

import pandas as pd

from glabella.data.overview import count_followed, count_visits
from glabella.data.tables import PatientTables

PEOPLE = pd.DataFrame(
    {
        "studyid": ["b", "b", "b", "b", "a"],
        "usubjid": ["1", "2", "3", "4", "1"],
        "arm": ["x", "x", "y", "y", "x"],
    }
)
SEEN = {("b", "1"): [0, 2, 6], ("b", "2"): [0, 6], ("b", "3"): [0, 2], ("b", "4"): [0]}


def make_tables() -> PatientTables:
    rows = [
        {"studyid": trial, "usubjid": name, "paramcd": "total", "week": float(week), "aval": 1.0}
        for (trial, name), weeks in SEEN.items()
        for week in weeks
    ]
    rows.append({"studyid": "a", "usubjid": "1", "paramcd": "other", "week": 0.0, "aval": 1.0})
    return PatientTables(PEOPLE, pd.DataFrame(rows), "real")


def test_visits_are_counted_by_trial_and_week() -> None:
    visits = count_visits(make_tables(), "total")
    assert visits["trial"].tolist() == ["b"] * 3
    assert visits["week"].tolist() == [0, 2, 6]
    assert visits["seen"].tolist() == [4, 2, 2]
    assert visits["share"].tolist() == [1.0, 0.5, 0.5]
    assert visits["scheduled"].all()


def test_a_week_at_which_hardly_anybody_was_seen_is_off_schedule() -> None:
    people = pd.DataFrame({"studyid": "t", "usubjid": [str(n) for n in range(40)]})
    rows = people.assign(paramcd="total", week=0.0, aval=1.0)
    odd = rows.iloc[:1].assign(week=3.5)
    tables = PatientTables(people, pd.concat([rows, odd], ignore_index=True), "real")
    visits = count_visits(tables, "total")
    assert dict(zip(visits["week"], visits["scheduled"], strict=True)) == {0.0: True, 3.5: False}
    assert count_followed(tables, "total")["week"].tolist() == [0.0]


def test_a_missed_visit_between_two_is_no_drop_out() -> None:
    followed = count_followed(make_tables(), "total")
    counts = followed.set_index(["arm", "week"])["followed"].to_dict()
    assert counts == {
        ("x", 0.0): 2,
        ("x", 2.0): 2,
        ("x", 6.0): 2,
        ("y", 0.0): 2,
        ("y", 2.0): 1,
        ("y", 6.0): 0,
    }
    assert followed["dropped"].tolist() == [0, 0, 0, 0, 0.5, 1.0]


def test_a_variable_that_nobody_was_assessed_with_has_no_visits() -> None:
    assert count_visits(make_tables(), "nothing").empty
    assert count_followed(make_tables(), "nothing").empty
