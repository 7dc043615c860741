"""Every rule of an endpoint on participants worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glabella.data.dictionary import Dictionary
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.derive import Outcomes, derive_outcomes
from glabella.data.tables import PatientTables
from glabella.domain.timing import BASELINE, Moment
from glabella.errors import AnalysisError, DefinitionError

NAN = math.nan
ITEMS = [f"item_{number}" for number in range(1, 11)]
DICTIONARY = Dictionary.model_validate(
    {
        "kind": "dictionary",
        "description": "Variables of the tests",
        "variables": {
            "total": {"label": "Total", "type": "score", "scale": "by_trial", "timing": "visit"},
            "madrs": {
                "label": "MADRS",
                "type": "score",
                "scale": "madrs",
                "timing": "visit",
                "total": {"items": tuple(ITEMS), "missing_at_most": 1},
            },
            "grade": {"label": "Grade", "type": "ordinal", "range": (0, 4), "timing": "visit"},
            "rescue_week": {"label": "Rescue", "type": "number", "range": (0, 52)},
            "swapped": {
                "label": "Swapped",
                "type": "category",
                "codes": {"Y": "yes", "N": "no"},
            },
            **{
                item: {"label": item, "type": "ordinal", "range": (0, 6), "timing": "visit"}
                for item in ITEMS
            },
        },
    }
)


def make_tables(
    scores: dict[str, dict[float, float]], variable: str = "madrs", **columns: Any
) -> PatientTables:
    rows = [
        ("t", who, variable, float(week), float(score))
        for who, by_week in scores.items()
        for week, score in by_week.items()
    ]
    return PatientTables(
        participants=pd.DataFrame({"studyid": "t", "usubjid": list(scores), **columns}),
        assessments=pd.DataFrame(rows, columns=["studyid", "usubjid", "paramcd", "week", "aval"]),
        origin="real",
    )


def derive(tables: PatientTables, *, clock: Moment = BASELINE, **settings: Any) -> Outcomes:
    fields = {
        "rule": "response",
        "of": "madrs",
        "week": 6.0,
        "window": (4.0, 8.0),
        "missing": "observed_only",
    } | settings
    return derive_outcomes(tables, EndpointDefinition(**fields), DICTIONARY, clock=clock)


def responded(tables: PatientTables, **settings: Any) -> list[float]:
    return derive(tables, **settings).frame["responded"].tolist()


def test_remission_is_by_the_cut_of_each_trials_own_scale() -> None:
    # HAM-D17: at most 7; MADRS: at most 10 (domain/scales.py gives the sources).
    tables = make_tables(
        {"a": {0: 20, 6: 7}, "b": {0: 20, 6: 8}, "c": {0: 30, 6: 10}, "d": {0: 30, 6: 11}},
        "total",
        scale=["hamd17", "hamd17", "madrs", "madrs"],
    )
    assert responded(tables, rule="remission", of="total") == [1, 0, 1, 0]


def test_a_scale_without_a_cut_has_no_remission() -> None:
    tables = make_tables({"a": {0: 20, 6: 7}, "b": {0: 20, 6: 9}}, "total", scale=["madrs", "bdi"])
    with pytest.raises(AnalysisError) as caught:
        derive(tables, rule="remission", of="total")
    assert str(caught.value) == (
        "endpoint of 'total': no cut for remission is published for Beck Depression Inventory\n"
        "  Take `rule: threshold` with the cut that you mean, or leave the trial out."
    )


def test_a_grade_is_no_scale_with_a_cut() -> None:
    tables = make_tables({"a": {0: 3, 6: 0}, "b": {0: 3, 6: 3}}, "grade")
    with pytest.raises(AnalysisError, match="'grade' is not the total of a rating scale"):
        derive(tables, rule="remission", of="grade")


@pytest.mark.parametrize(
    ("rule", "wanted"), [({"at_most": 1.0}, [1, 0, 1]), ({"at_least": 2.0}, [0, 1, 0])]
)
def test_a_threshold_looks_at_the_later_score_alone(rule, wanted) -> None:
    # The last has no baseline, which a threshold does not need.
    tables = make_tables({"a": {0: 3, 6: 1}, "b": {0: 3, 6: 2}, "c": {6: 0}}, "grade")
    assert responded(tables, rule="threshold", of="grade", **rule) == wanted


@pytest.mark.parametrize("rule", [{"rule": "threshold", "at_most": 9.0}, {"points": 4.0}])
def test_points_of_different_scales_are_not_compared(rule) -> None:
    tables = make_tables({"a": {0: 20, 6: 7}, "b": {0: 20, 6: 9}}, "total", scale=["madrs", "bdi"])
    with pytest.raises(AnalysisError, match="points would be compared between totals of different"):
        derive(tables, of="total", **rule)


SUSTAINED = {
    "kept": {0: 20, 6: 10, 9: 8, 12: 10},
    "lost_late": {0: 20, 6: 10, 9: 8, 12: 11},
    "lost_between": {0: 20, 6: 10, 9: 11, 12: 10},
    "missed_between": {0: 20, 6: 10, 12: 10},
    "never": {0: 20, 6: 11, 9: 8, 12: 8},
    "never_and_gone": {0: 20, 6: 11},
    "gone": {0: 20, 6: 10, 9: 8},
    "lost_then_gone": {0: 20, 6: 10, 9: 11},
    "first_missed": {0: 20, 9: 8, 12: 8},
    "first_missed_lost": {0: 20, 9: 8, 12: 11},
    "after_it": {0: 20, 6: 10, 12: 10, 20: 30},
    "missed_and_back": {0: 20, 6: 10, 9: 8, 20: 30},
    "in_the_window": {0: 20, 6: 10, 7: 19, 12: 9},
}


@pytest.mark.parametrize(("missing", "unknown"), [("observed_only", NAN), ("non_responder", 0.0)])
def test_a_response_is_sustained_where_it_lasts(missing: str, unknown: float) -> None:
    found = responded(
        make_tables(SUSTAINED), missing=missing, sustained={"week": 12.0, "window": (11.0, 13.0)}
    )
    wanted = [1, 0, 0, 1, 0, 0, unknown, 0, unknown, 0, 1, unknown, 0]
    np.testing.assert_array_equal(found, wanted)


def test_a_sustained_response_carries_each_score_forward() -> None:
    found = responded(
        make_tables({**SUSTAINED, "early": {0: 20, 2: 9}, "none": {0: 20}}),
        missing="last_observation",
        sustained={"week": 12.0, "window": (11.0, 13.0)},
    )
    # Of who missed the first only what came before it could stand for it, and there is nothing.
    np.testing.assert_array_equal(found, [1, 0, 0, 1, 0, 0, 1, 0, NAN, 0, 1, 1, 0, 1, NAN])


TIED = {"a": {0: 20, 5: 10, 7: 20}, "b": {0: 20, 5.9: 20, 6.1: 8}, "c": {0: 20, 6: 3}}


@pytest.mark.parametrize(("ties", "wanted"), [("earlier", [1, 0, 1]), ("later", [0, 1, 1])])
def test_of_two_visits_equally_near_the_stated_one_stands(ties: str, wanted: list[int]) -> None:
    outcomes = derive(make_tables(TIED), ties=ties)
    assert outcomes.frame["responded"].tolist() == wanted
    [finding] = outcomes.findings
    assert finding.finding == (
        f"2 participants have two visits equally near to week 6: the {ties} stands for it"
    )


def test_ties_are_refused_on_request() -> None:
    with pytest.raises(AnalysisError, match="2 participants have two visits equally near to week"):
        derive(make_tables(TIED), ties="refuse")


def test_unscheduled_visits_are_ignored_on_request() -> None:
    scores = {f"p{number}": {0: 20, 8: 5 + 10 * (number % 2)} for number in range(40)}
    scores["p1"] = {0: 20, 6: 5, 8: 15}
    tables = make_tables(scores)
    assert responded(tables)[1] == 1
    assert responded(tables, unscheduled="ignore")[1] == 0


def test_visits_on_days_around_a_week_are_not_unscheduled() -> None:
    scores = {
        f"p{number}": {0: 20, 6 + (number % 7 - 3) / 7: 5 + 10 * (number % 2)}
        for number in range(70)
    }
    scores["p1"] = {0: 20, 4: 5}
    tables = make_tables(scores)
    assert responded(tables)[1] == 1
    found = responded(tables, unscheduled="ignore")
    assert math.isnan(found[1])
    assert not np.isnan(np.delete(found, 1)).any()


def test_unscheduled_visits_can_not_be_told_where_visits_can_not() -> None:
    scores = {
        f"p{number}": {0: 20, 6 + (number % 29 - 14) / 7: 5 + 10 * (number % 2)}
        for number in range(87)
    }
    with pytest.raises(AnalysisError, match="so neither can unscheduled ones") as caught:
        derive(make_tables(scores), unscheduled="ignore")
    assert "or leave `unscheduled: ignore` out" in str(caught.value)


@pytest.mark.parametrize(
    ("baseline", "values"), [("last", [20, 24]), ("first", [30, 24]), ("mean", [25, 24])]
)
def test_the_baseline_is_what_its_rule_says(baseline: str, values: list[float]) -> None:
    tables = make_tables({"a": {-2: 30, 0: 20, 6: 12}, "b": {-1: 24, 6: 24}})
    outcomes = (
        derive(tables, baseline=baseline, fraction=0.45)
        if baseline != "last"
        else derive(tables, fraction=0.4)
    )
    assert outcomes.frame["baseline"].tolist() == values


def make_items(grades: dict[str, dict[float, list[float | None]]]) -> PatientTables:
    rows = [
        ("t", who, item, float(week), float(grade))
        for who, by_week in grades.items()
        for week, answers in by_week.items()
        for item, grade in zip(ITEMS, answers, strict=True)
        if grade is not None
    ]
    return PatientTables(
        participants=pd.DataFrame({"studyid": "t", "usubjid": list(grades)}),
        assessments=pd.DataFrame(rows, columns=["studyid", "usubjid", "paramcd", "week", "aval"]),
        origin="real",
    )


def test_an_item_is_left_out_at_baseline_and_after_it() -> None:
    # Without item 1 (6 of 24 points) the fall is from 18 to 9; the recorded total does not help.
    tables = make_items(
        {
            "a": {0: [6] + [2] * 9, 6: [6] + [1] * 9},
            "b": {0: [0] + [2] * 9, 6: [6] + [2] * 9},
            "c": {0: [3] + [2] * 9, 6: [3, 1, None] + [1] * 7},
            "d": {0: [3] + [2] * 9, 6: [3, None, None] + [1] * 7},
        }
    )
    frame = derive(tables, without=("item_1",)).frame
    assert frame["baseline"].tolist() == [18, 18, 18, 18]
    np.testing.assert_array_equal(frame["score"], [9, 18, 9, NAN])
    np.testing.assert_array_equal(frame["responded"], [1, 0, 1, NAN])


@pytest.mark.parametrize(
    ("settings", "finding"),
    [
        ({"of": "grade", "without": ("item_1",)}, "'grade' is no total of items"),
        ({"without": ("item_11",)}, "'item_11' is no item of 'madrs'"),
        ({"without": tuple(ITEMS[:9])}, "too few items of 'madrs' are left"),
    ],
)
def test_what_can_not_be_left_out_is_refused(settings, finding) -> None:
    tables = make_tables({"a": {0: 3, 6: 1}, "b": {0: 3, 6: 2}}, settings.get("of", "madrs"))
    with pytest.raises(DefinitionError, match=finding):
        derive(tables, **settings)


CARRIED = {
    "seen": {0: 20, 2: 20, 6: 10},
    "last": {0: 20, 2: 9, 3: 20},
    "one": {0: 20, 2: 9},
    "none": {0: 20},
    "only_later": {0: 20, 12: 9},
}


def test_the_last_score_before_the_window_is_carried_forward() -> None:
    outcomes = derive(make_tables(CARRIED), missing="last_observation")
    frame = outcomes.frame
    np.testing.assert_array_equal(frame["responded"], [1, 0, 1, NAN, NAN])
    np.testing.assert_array_equal(frame["week"], [6, 3, 2, NAN, NAN])
    np.testing.assert_array_equal(frame["score"], [10, 20, 9, NAN, NAN])
    assert frame["basis"].tolist() == [
        "observed", "carried_forward", "carried_forward", "no_score", "no_score",
    ]  # fmt: skip
    assert outcomes.left_out == {"no score to carry forward": 2}


def test_what_was_known_at_the_clock_is_not_carried_forward() -> None:
    frame = derive(make_tables(CARRIED), missing="last_observation", clock=Moment(2.0)).frame
    np.testing.assert_array_equal(frame["responded"], [1, 0, NAN, NAN, NAN])


def test_a_trial_without_a_visit_to_carry_forward_is_refused() -> None:
    tables = make_tables({"a": {0: 20, 6: 5}, "b": {0: 20, 6: 20}, "c": {0: 20}})
    with pytest.raises(AnalysisError) as caught:
        derive(tables, missing="last_observation")
    assert str(caught.value) == (
        "endpoint of 'madrs', missing `last_observation`: trial 't' has no visit between baseline "
        "and week 4, so there is no observation to carry forward\n"
        "  Take another strategy, or a later endpoint."
    )


RESCUED = {
    "before": {0: 20, 2: 9, 6: 5},
    "same_week": {0: 20, 2: 19, 6: 5},
    "after": {0: 20, 2: 19, 6: 5},
    "without": {0: 20, 2: 19, 6: 19},
    "missing": {0: 20, 2: 9},
    "at_once": {0: 20, 6: 5},
}
WEEKS = [3, 6, 7, NAN, 5, 1]


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        ("treatment_policy", [1, 1, 1, 0, NAN, 1]),
        # By the visit of week 6; the fifth has none, and its event lies within the window.
        ("composite", [0, 0, 1, 0, 0, 0]),
        ("while_on_treatment", [1, 1, 1, 0, 1, NAN]),
        ("hypothetical", [NAN, 1, 1, 0, NAN, NAN]),
    ],
)
def test_an_intercurrent_event_is_handled_as_declared(strategy: str, wanted: list[float]) -> None:
    tables = make_tables(RESCUED, rescue_week=WEEKS)
    event = {"strategy": strategy, "of": "rescue_week"}
    outcomes = derive(tables, intercurrent={"rescue": event})
    np.testing.assert_array_equal(outcomes.frame["responded"], wanted)
    assert outcomes.had_event == {"rescue": 5}


def test_a_composite_may_go_by_a_code() -> None:
    tables = make_tables(RESCUED, swapped=["Y", "N", None, "Y", "N", "N"])
    event = {"strategy": "composite", "of": "swapped", "code": "Y"}
    found = responded(tables, intercurrent={"changed_antidepressant": event})
    np.testing.assert_array_equal(found, [0, 1, 1, 0, NAN, 1])


def test_the_strictest_of_several_events_holds() -> None:
    tables = make_tables(RESCUED, rescue_week=WEEKS, swapped=["N"] * 4 + ["Y", "N"])
    found = responded(
        tables,
        intercurrent={
            "rescue": {"strategy": "hypothetical", "of": "rescue_week"},
            "changed_antidepressant": {"strategy": "composite", "of": "swapped", "code": "Y"},
        },
    )
    np.testing.assert_array_equal(found, [NAN, 1, 1, 0, 0, NAN])


def test_an_event_that_no_source_maps_is_refused() -> None:
    event = {"strategy": "composite", "of": "rescue_week"}
    with pytest.raises(AnalysisError, match="no source maps 'rescue_week'"):
        derive(make_tables(RESCUED), intercurrent={"rescue": event})


def test_who_left_before_the_clock_is_named_where_missing_means_no_response() -> None:
    outcomes = derive(make_tables(CARRIED), missing="non_responder", clock=Moment(2.5))
    [finding] = outcomes.findings
    assert finding.severity == "warn"
    assert finding.finding.startswith("2 participants left before week 2.5 and count as no")
    assert derive(make_tables(CARRIED), missing="non_responder").findings == ()


def test_negative_and_zero_baselines_are_left_out_of_a_fraction_and_kept_for_points() -> None:
    tables = make_tables(
        {"a": {0: 0, 6: -5}, "b": {0: -3, 6: -9}, "c": {0: 9, 6: 9}, "d": {0: 9, 6: 1}}, "grade"
    )
    outcomes = derive(tables, of="grade")
    np.testing.assert_array_equal(outcomes.frame["responded"], [NAN, NAN, 0, 1])
    assert outcomes.left_out == {
        "a baseline of zero or below, of which a fraction means nothing": 2
    }
    assert responded(tables, of="grade", points=5.0) == [1, 1, 0, 1]


def test_a_composite_event_after_a_carried_score_still_counts() -> None:
    # Carried from week 2; the event of week 5 came before the endpoint, that of week 9 after it.
    tables = make_tables(
        {"a": {0: 20, 2: 9}, "b": {0: 20, 2: 9}, "c": {0: 20, 2: 9, 6: 19}},
        rescue_week=[5, 9, NAN],
    )
    event = {"rescue": {"strategy": "composite", "of": "rescue_week"}}
    assert responded(tables, missing="last_observation", intercurrent=event) == [0, 1, 0]


def test_a_response_held_while_on_treatment_lasts_as_long_as_treatment_did() -> None:
    tables = make_tables(
        {
            "held": {0: 20, 6: 9, 12: 30},
            "lost": {0: 20, 6: 9, 8.5: 15, 12: 9},
            "missed": {0: 20, 6: 9},
            "whole": {0: 20, 6: 9, 12: 9},
        },
        rescue_week=[9, 9, NAN, NAN],
    )
    event = {"rescue": {"strategy": "while_on_treatment", "of": "rescue_week"}}
    found = responded(tables, intercurrent=event, sustained={"week": 12.0, "window": (11.0, 13.0)})
    np.testing.assert_array_equal(found, [1, 0, NAN, 1])


def test_who_met_a_threshold_at_baseline_is_counted() -> None:
    tables = make_tables({"a": {0: 1, 6: 1}, "b": {0: 3, 6: 1}, "c": {0: 3, 6: 3}}, "grade")
    outcomes = derive(tables, rule="threshold", of="grade", at_most=1.0)
    assert [item.finding for item in outcomes.findings] == [
        "1 participants met it at baseline already"
    ]
