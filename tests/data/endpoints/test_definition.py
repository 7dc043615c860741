"""Endpoints that can't be, and how the others are said in words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from glabella.data.endpoints.definition import EndpointDefinition

BASE = {
    "rule": "response",
    "of": "total",
    "week": 6.0,
    "window": (4.0, 8.0),
    "missing": "observed_only",
}
FLAG = {"rule": "flag", "of": "ill", "code": "yes", "missing": "observed_only"}


def make(base: dict[str, Any], **changed: Any) -> EndpointDefinition:
    return EndpointDefinition.model_validate({**base, **changed})


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        ({"fraction": 0.0}, "above 0 and at most 1"),
        ({"fraction": 1.01}, "above 0 and at most 1"),
        ({"points": 0.0}, "points of a fall must be above 0"),
        ({"fraction": 0.5, "points": 4.0}, "either a `fraction`"),
        ({"window": (0.0, 8.0)}, "must begin after baseline"),
        ({"window": (7.0, 8.0)}, "outside its window"),
        ({"week": None}, "a response needs its `week` and `window`"),
        ({"at_most": 7.0}, "`at_most` goes with the rule `threshold`, not with a response"),
        ({"code": "yes"}, "`code` goes with the rule `flag`, not with a response"),
        ({"rule": "remission", "fraction": 0.5}, "`fraction` goes with the rule `response`"),
        ({"rule": "remission", "without": ("item",)}, "is of the whole total"),
        ({"rule": "threshold"}, "either `at_most` or `at_least`"),
        ({"rule": "threshold", "at_most": 7.0, "at_least": 8.0}, "either `at_most` or `at_least`"),
        ({"sustained": {"week": 8.0, "window": (8.0, 9.0)}}, "must begin after the endpoint's own"),
        ({"sustained": {"week": 12.0, "window": (13.0, 14.0)}}, "outside its window"),
        ({"missing": "locf"}, "strategy"),
        ({"missing": {"strategy": "delta"}}, "`delta` needs the shift"),
        ({"missing": {"strategy": "delta", "points": 1.0, "percent_of_range": 2.0}}, "needs the"),
        ({"missing": {"strategy": "observed_only", "points": 1.0}}, "goes with `delta`"),
        (
            {"missing": {"strategy": "non_responder", "imputations": 5}},
            "goes with `multiple_imputation` or `delta`, not with `non_responder`",
        ),
        ({"missing": {"strategy": "multiple_imputation", "imputations": 1}}, "greater than or"),
        ({"intercurrent": {"rescue": "composite"}}, "needs the variable `of` the event's week"),
        ({"intercurrent": {"rescue": {"strategy": "not_recorded", "of": "x"}}}, "has no variable"),
        (
            {"intercurrent": {"rescue": {"strategy": "hypothetical", "of": "x", "code": "Y"}}},
            "needs the week of the event",
        ),
        (
            {"intercurrent": {"rescue": {"strategy": "treatment_policy", "code": "Y"}}},
            "`code` need",
        ),
        (
            {
                "missing": "non_responder",
                "intercurrent": {"rescue": {"strategy": "hypothetical", "of": "x"}},
            },
            "that is `composite`",
        ),
    ],
)
def test_an_impossible_score_endpoint_is_refused(changed: dict[str, Any], finding: str) -> None:
    with pytest.raises(ValidationError, match=finding):
        make(BASE, **changed)


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        ({"code": None}, "a flag needs the `code`"),
        ({"week": 6.0}, "`week` goes with a score at visits"),
        ({"without": ("item",)}, "`without` goes with a score at visits"),
        ({"missing": "last_observation"}, "`last_observation` needs scores at visits"),
        ({"missing": "multiple_imputation"}, "a flag is recorded once"),
        ({"intercurrent": {"rescue": {"strategy": "composite", "of": "x"}}}, "goes with a flag"),
    ],
)
def test_an_impossible_flag_is_refused(changed: dict[str, Any], finding: str) -> None:
    with pytest.raises(ValidationError, match=finding):
        make(FLAG, **changed)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"rule": "remission"}, "remission by the scale's own cut at week 6 (window 4 to 8)"),
        ({"rule": "threshold", "at_most": 7.0}, "a score of at most 7 at week 6 (window 4 to 8)"),
        (
            {"points": 4.0, "sustained": {"week": 12.0, "window": (11.0, 13.0)}},
            "a fall of at least 4 points from baseline at week 6 (window 4 to 8), sustained "
            "through week 12 (11 to 13)",
        ),
        (
            {"without": ("item_9",)},
            "a fall of at least 50 % from baseline at week 6 (window 4 to 8), the total without "
            "item_9",
        ),
    ],
)
def test_the_variable_is_said_in_words(changed: dict[str, Any], words: str) -> None:
    assert make(BASE, **changed).describe_variable() == words


@pytest.mark.parametrize(
    ("missing", "name", "words"),
    [
        ("last_observation", "last_observation", "the last score before the window stands for"),
        ("multiple_imputation", "multiple_imputation", "the scores of other visits (20 imputa"),
        (
            {"strategy": "delta", "points": 4.0, "imputations": 5},
            "delta +4 points",
            "made worse for those who left by 4 points (5 imputations)",
        ),
        (
            {"strategy": "delta", "percent_of_range": -2.5},
            "delta -2.5 % of range",
            "by -2.5 % of the scale's range (20 imputations)",
        ),
    ],
)
def test_a_strategy_has_a_name_and_words(missing: Any, name: str, words: str) -> None:
    endpoint = make(BASE, missing=missing)
    assert endpoint.missing.name == name
    assert words in endpoint.describe()


def test_a_flag_is_said_in_words() -> None:
    assert make(FLAG).describe() == "'ill' is 'yes'; participants without it are left out"
