"""Endpoints that are recorded once: a code that counts, and what a blank one means."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from glabella.data.dictionary import Dictionary
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.derive import Outcomes
from glabella.data.endpoints.derive import derive_outcomes as derive
from glabella.data.tables import PatientTables
from glabella.errors import AnalysisError

DICTIONARY = Dictionary.model_validate(
    {
        "kind": "dictionary",
        "description": "x",
        "variables": {
            "total": {"label": "T", "type": "number", "range": (-10, 99), "timing": "visit"},
        },
    }
)
VISITS = pd.DataFrame({name: [] for name in ("studyid", "usubjid", "paramcd", "week", "aval")})


def derive_outcomes(tables: PatientTables, endpoint: EndpointDefinition) -> Outcomes:
    return derive(tables, endpoint, DICTIONARY)


def make_tables(codes: list) -> PatientTables:
    names = [str(number) for number in range(len(codes))]
    people = pd.DataFrame({"studyid": "t", "usubjid": names, "ill": codes})
    return PatientTables(people, VISITS, "real")


def make_flag(missing: str, code: str = "yes") -> EndpointDefinition:
    return EndpointDefinition(rule="flag", of="ill", code=code, missing=missing)


def test_the_code_counts_and_every_other_does_not() -> None:
    outcomes = derive_outcomes(make_tables(["yes", "no", "maybe"]), make_flag("observed_only"))
    assert outcomes.frame["responded"].tolist() == [1, 0, 0]
    assert outcomes.frame[["baseline", "week", "score"]].isna().all(axis=None)
    assert outcomes.left_out == {}


@pytest.mark.parametrize(
    ("missing", "responded", "left_out"),
    [
        ("observed_only", [1, 0, np.nan], {"no record of 'ill'": 1}),
        ("non_responder", [1, 0, 0], {}),
    ],
)
def test_a_blank_is_what_the_strategy_says(missing, responded, left_out) -> None:
    outcomes = derive_outcomes(make_tables(["yes", "no", None]), make_flag(missing))
    np.testing.assert_array_equal(outcomes.frame["responded"], responded)
    assert outcomes.left_out == left_out


def test_a_flag_that_no_source_maps_is_refused() -> None:
    tables = make_tables(["yes", "no"])
    bare = PatientTables(tables.participants.drop(columns="ill"), VISITS, "real")
    with pytest.raises(AnalysisError, match="no source maps 'ill', which the endpoint needs"):
        derive_outcomes(bare, make_flag("observed_only"))


def test_a_flag_that_everybody_has_is_refused() -> None:
    with pytest.raises(AnalysisError, match="every one of 2 responded"):
        derive_outcomes(make_tables(["yes", "yes"]), make_flag("observed_only"))


@pytest.mark.parametrize(
    "fields",
    [
        {"rule": "flag"},
        {"rule": "flag", "code": "yes", "week": 6},
        {"rule": "flag", "code": "yes", "points": 4},
        {"rule": "response", "code": "yes", "week": 6, "window": (4, 8)},
        {"rule": "response", "week": 6},
        {"rule": "response", "week": 6, "window": (4, 8), "points": 4, "fraction": 0.5},
    ],
)
def test_what_goes_with_the_other_rule_is_refused(fields) -> None:
    with pytest.raises(ValidationError):
        EndpointDefinition(of="ill", missing="observed_only", **fields)


def test_points_count_from_a_baseline_of_zero_too() -> None:
    people = pd.DataFrame({"studyid": "t", "usubjid": ["1", "2"]})
    visits = pd.DataFrame(
        {
            "studyid": "t",
            "usubjid": ["1", "1", "2", "2"],
            "paramcd": "total",
            "week": [0.0, 6, 0, 6],
            "aval": [0.0, 0, 9, 5],
        }
    )
    rule = EndpointDefinition(
        rule="response", of="total", points=4, week=6, window=(4, 8), missing="observed_only"
    )
    outcomes = derive_outcomes(PatientTables(people, visits, "real"), rule)
    assert outcomes.frame["responded"].tolist() == [0, 1]
    assert outcomes.left_out == {}
