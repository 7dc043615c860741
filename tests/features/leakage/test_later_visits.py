"""What was assessed after the moment of prediction, and who was still there."""

from __future__ import annotations

import numpy as np
import pandas as pd

from glabella.data.tables import PatientTables
from glabella.domain.timing import BASELINE, Moment
from glabella.features.leakage.later_visits import find_rows, list_followed, list_later

from .conftest import NAN, TRIAL, find, make_trial, refuse


def test_a_visit_by_the_clock_is_no_leak_and_a_change_across_it_is_one() -> None:
    week4 = TRIAL.scores["total"][4.0]
    assert find(week4, TRIAL, clock=Moment(4)) is None
    assert find(week4 - TRIAL.start, TRIAL, clock=Moment(4)) is None
    assert "the change of 'total' at" in refuse(TRIAL.end - week4, TRIAL, clock=Moment(4))


def test_visits_dated_by_their_day_are_compared_by_the_week() -> None:
    draw = np.random.default_rng(11)
    trial = make_trial(300)
    later = draw.integers(5, 50, 300).astype(float)
    week = 8 + draw.integers(-10, 11, 300) / 7
    trial.scores["rated"] = {0.0: draw.integers(5, 50, 300).astype(float)}
    for value in np.unique(week):
        trial.scores["rated"][float(value)] = np.where(week == value, later, NAN)
    assert "it equals 'rated' at" in refuse(later, trial)


def make_tables(*rows: tuple[str, str, float, float]) -> PatientTables:
    people = pd.DataFrame({"studyid": "t", "usubjid": ["a", "b", "c"]})
    visits = pd.DataFrame(rows, columns=["usubjid", "paramcd", "week", "aval"])
    return PatientTables(people, visits.assign(studyid="t"), "real")


VISITS = make_tables(
    ("a", "total", 0.0, 30.0),
    ("a", "total", 4.0, 12.0),
    ("a", "total", 8.0, 15.0),
    ("b", "total", 0.0, 28.0),
    ("b", "total", 4.0, 20.0),
    ("c", "total", 0.0, 25.0),
    ("z", "total", 8.0, 99.0),
)


def test_each_later_visit_is_a_column_with_the_last_the_lowest_and_the_highest() -> None:
    found = list_later(VISITS, find_rows(VISITS), BASELINE)
    values = {item.when: item.values.tolist()[:2] for item in found}
    assert values["at week 4"] == [12, 20]
    assert values["at week 8"][0] == 15
    assert values["at its last visit after baseline"] == [15, 20]
    assert values["at its lowest visit after baseline"] == [12, 20]
    assert values["at its highest visit after baseline"] == [15, 20]
    assert all(np.isnan(item.values[2]) for item in found)
    assert found[0].before[0].tolist() == [30, 28, 25]


def test_what_was_assessed_by_the_prediction_is_no_later_visit() -> None:
    found = list_later(VISITS, find_rows(VISITS), Moment(4))
    assert "at week 4" not in {item.when for item in found}
    at_baseline, at_week_4 = found[0].before
    assert at_baseline.tolist() == [30, 28, 25]
    # The last by week 4: of the third participant that is the baseline.
    assert at_week_4.tolist() == [12, 20, 25]


def test_assessments_of_no_participant_are_left_out() -> None:
    rows = find_rows(VISITS)["total"]
    assert 99.0 not in rows["aval"].tolist()
    assert rows["person"].tolist() == [0, 0, 0, 1, 1, 2]


def test_who_is_followed_at_a_week_has_a_visit_then_or_later() -> None:
    found = dict(list_followed(VISITS, find_rows(VISITS), "total", BASELINE))
    assert found["were still followed at week 4"].tolist() == [1, 1, 0]
    assert found["were still followed at week 8"].tolist() == [1, 0, 0]


def test_what_never_changes_and_was_not_assessed_before_is_static() -> None:
    people = pd.DataFrame({"studyid": "t", "usubjid": [f"p{at}" for at in range(5)]})
    rows = [(name, "height", week, 170.0) for name in people["usubjid"] for week in (4.0, 8.0)]
    visits = pd.DataFrame(rows, columns=["usubjid", "paramcd", "week", "aval"])
    tables = PatientTables(people, visits.assign(studyid="t"), "real")
    assert all(item.is_static for item in list_later(tables, find_rows(tables), BASELINE))
    visits.loc[0, "aval"] = 171.0
    changed = PatientTables(people, visits.assign(studyid="t"), "real")
    assert not any(item.is_static for item in list_later(changed, find_rows(changed), BASELINE))
