"""From scores to response: real columns reproduced, and participants worked out by hand."""

import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from glabella.data.dictionary import Dictionary
from glabella.data.endpoints.definition import EndpointDefinition
from glabella.data.endpoints.derive import Outcomes
from glabella.data.endpoints.derive import derive_outcomes as derive
from glabella.data.mapping.mapping import TrialSource, read_trial
from glabella.data.tables import PatientTables, find_baselines
from glabella.definitions.reader import Definition, parse_definition
from glabella.errors import AnalysisError

NAN = math.nan

DICTIONARY = parse_definition(
    "kind: dictionary\ndescription: x\nvariables:\n"
    "  total: {label: Total, type: number, range: [-10, 99], timing: visit}\n"
    "  twstrs: {label: Total, type: score, scale: twstrs, timing: visit}\n",
    Dictionary,
    name="dictionary.yaml",
).value


def derive_outcomes(tables: PatientTables, endpoint: EndpointDefinition) -> Outcomes:
    return derive(tables, endpoint, DICTIONARY)


def make_tables(scores: dict[str, dict[float, float]], trials: dict[str, str]) -> PatientTables:
    """Participants with their scores by week, and participants' trials."""
    rows = [
        (trials[who], who, "total", float(week), float(score))
        for who, by_week in scores.items()
        for week, score in by_week.items()
    ]
    return PatientTables(
        participants=pd.DataFrame({"studyid": list(trials.values()), "usubjid": list(trials)}),
        assessments=pd.DataFrame(rows, columns=["studyid", "usubjid", "paramcd", "week", "aval"]),
        origin="real",
    )


def make_endpoint(
    missing: Literal["observed_only", "non_responder"] = "observed_only", **changed: Any
) -> EndpointDefinition:
    settings = {"of": "total", "fraction": 0.5, "week": 6.0, "window": (4.0, 8.0)} | changed
    return EndpointDefinition(rule="response", missing=missing, **settings)


def make_one_trial(scores: dict[str, dict[float, float]]) -> PatientTables:
    return make_tables(scores, dict.fromkeys(scores, "alpha"))


BY_HAND: dict[str, dict[float, float]] = {
    "exact_half": {0: 20, 6: 10},
    "just_short": {0: 21, 6: 11},
    "worse": {0: 20, 6: 30},
    "tie_earlier": {0: 20, 5: 18, 7: 2},
    "nearest": {0: 20, 4: 2, 7: 18, 8: 2},
    "low_end": {0: 20, 4: 5},
    "high_end": {0: 20, 8: 5},
    "outside": {0: 20, 3.9: 5, 8.1: 5, 12: 5},
    "no_visit": {0: 20},
    "screening": {-2: 40, 0: 20, 6: 15},
    "only_screening": {-2: 40, 6: 15},
    "no_baseline": {2: 20, 6: 5},
    "zero": {0: 0, 6: 0},
    "nothing": {},
}
EXPECTED = pd.DataFrame(
    [
        (20, 6, 10, 1.0, 1.0),
        (21, 6, 11, 0.0, 0.0),
        (20, 6, 30, 0.0, 0.0),
        (20, 5, 18, 0.0, 0.0),
        (20, 7, 18, 0.0, 0.0),
        (20, 4, 5, 1.0, 1.0),
        (20, 8, 5, 1.0, 1.0),
        (20, NAN, NAN, NAN, 0.0),
        (20, NAN, NAN, NAN, 0.0),
        (20, 6, 15, 0.0, 0.0),
        (40, 6, 15, 1.0, 1.0),
        (NAN, 6, 5, NAN, NAN),
        (0, 6, 0, NAN, NAN),
        (NAN, NAN, NAN, NAN, NAN),
    ],
    columns=["baseline", "week", "score", "observed_only", "non_responder"],
    dtype=float,
)


@pytest.mark.parametrize("missing", ["observed_only", "non_responder"])
def test_participants_worked_out_by_hand(
    missing: Literal["observed_only", "non_responder"],
) -> None:
    outcomes = derive_outcomes(make_one_trial(BY_HAND), make_endpoint(missing))
    wanted = EXPECTED.rename(columns={missing: "responded"})
    pd.testing.assert_frame_equal(
        outcomes.frame.drop(columns="basis"),
        wanted[["baseline", "week", "score", "responded"]],
        check_exact=True,
    )
    zero = "a baseline of zero or below, of which a fraction means nothing"
    left_out = {"no baseline score": 2, zero: 1}
    if missing == "observed_only":
        left_out["no score in the endpoint's window"] = 2
    assert outcomes.left_out == left_out
    # Nobody is left out without a reason, or for two.
    assert sum(left_out.values()) == outcomes.frame["responded"].isna().sum()


def test_outcomes_do_not_depend_on_the_order_of_the_assessments() -> None:
    tables = make_one_trial(BY_HAND)
    shuffled = PatientTables(
        tables.participants, tables.assessments.sample(frac=1, random_state=5), "real"
    )
    pd.testing.assert_frame_equal(
        derive_outcomes(shuffled, make_endpoint()).frame,
        derive_outcomes(tables, make_endpoint()).frame,
    )


def test_outcomes_stand_in_the_order_of_the_participants() -> None:
    tables = make_one_trial(BY_HAND)
    people = tables.participants.sample(frac=1, random_state=7)
    outcomes = derive_outcomes(PatientTables(people, tables.assessments, "real"), make_endpoint())
    plain = derive_outcomes(tables, make_endpoint()).frame
    assert outcomes.frame.index.equals(people.index)
    pd.testing.assert_frame_equal(outcomes.frame.sort_index(), plain)


def test_assessments_of_another_variable_count_for_nothing() -> None:
    tables = make_one_trial({"a": {0: 20, 6: 5}, "b": {0: 20, 6: 20}, "c": {}})
    other = pd.DataFrame(
        {
            "studyid": "alpha",
            "usubjid": "c",
            "paramcd": "other",
            "week": [0.0, 6.0],
            "aval": [9.0, 1.0],
        }
    )
    both = PatientTables(
        tables.participants, pd.concat([tables.assessments, other], ignore_index=True), "real"
    )
    frame = derive_outcomes(both, make_endpoint("non_responder")).frame
    np.testing.assert_equal(frame["responded"].to_numpy(), [1.0, 0.0, NAN])


def test_the_same_id_in_two_trials_has_two_outcomes() -> None:
    one = make_tables({"1": {0: 20, 6: 5}}, {"1": "A"})
    two = make_tables({"1": {0: 20, 6: 19}}, {"1": "B"})
    both = PatientTables(
        pd.concat([one.participants, two.participants], ignore_index=True),
        pd.concat([one.assessments, two.assessments], ignore_index=True),
        "real",
    )
    assert derive_outcomes(both, make_endpoint()).frame["responded"].tolist() == [1.0, 0.0]


def test_a_trial_without_a_visit_in_the_window_is_named() -> None:
    tables = make_tables(
        {"a": {0: 20, 6: 5}, "b": {0: 20, 6: 20}, "c": {0: 20, 2: 5, 12: 5}},
        {"a": "alpha", "b": "alpha", "c": "beta"},
    )
    with pytest.raises(AnalysisError) as caught:
        derive_outcomes(tables, make_endpoint("non_responder"))
    assert str(caught.value) == (
        "endpoint at week 6: no visit of trial 'beta' with 'total' lies in weeks 4 to 8\n"
        "  Its visits are at weeks: 0, 2, 12. Change `week` and `window`, or leave the trial out."
    )


def test_a_trial_without_any_assessment_is_named() -> None:
    tables = make_tables(
        {"a": {0: 20, 6: 5}, "b": {0: 20, 6: 20}, "c": {}},
        {"a": "alpha", "b": "alpha", "c": "beta"},
    )
    with pytest.raises(AnalysisError, match=r"trial 'beta'.*\n  Its visits are at weeks: none at"):
        derive_outcomes(tables, make_endpoint())


@pytest.mark.parametrize(
    ("scores", "finding"),
    [
        (
            {"a": {0: 20, 6: 5}, "b": {0: 20, 6: 5}},
            "every one of 2 responded: nothing can be told apart",
        ),
        (
            {"a": {0: 20, 6: 19}, "b": {0: 20, 6: 20}, "c": {0: 9, 6: 9}},
            "every one of 3 did not respond: nothing can be told apart",
        ),
        (
            {"a": {0: 20}, "b": {6: 5}},
            "no participant has an outcome: nothing can be told apart",
        ),
        (
            {"a": {6: 4}, "b": {6: 5}},
            "no participant has an outcome: nothing can be told apart",
        ),
    ],
    ids=["all_responded", "none_responded", "nobody_has_both_scores", "nobody_has_a_baseline"],
)
def test_outcomes_of_one_class_are_refused(
    scores: dict[str, dict[float, float]], finding: str
) -> None:
    with pytest.raises(AnalysisError) as caught:
        derive_outcomes(make_one_trial(scores), make_endpoint())
    assert str(caught.value) == (
        f"endpoint of 'total' at week 6: {finding}\n  Change the endpoint's rule, week or window."
    )


def test_a_baseline_is_the_last_value_at_or_before_week_0() -> None:
    tables = make_one_trial(
        {"a": {-2: 40, 0: 20, 1: 5}, "b": {-4: 30, -1: 28}, "c": {0.5: 9}, "d": {}}
    )
    np.testing.assert_equal(
        find_baselines(tables, "total").to_numpy(), [20.0, 28.0, np.nan, np.nan]
    )


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        ({"fraction": 0.0}, "the fraction of a fall must be above 0 and at most 1"),
        ({"fraction": 50.0}, "the fraction of a fall must be above 0 and at most 1"),
        ({"window": (0.0, 8.0)}, "the endpoint's window must begin after baseline"),
        ({"window": (-1.0, 8.0)}, "the endpoint's window must begin after baseline"),
        ({"window": (7.0, 8.0)}, "the target week lies outside its window"),
        ({"window": (8.0, 4.0)}, "the target week lies outside its window"),
    ],
)
def test_an_impossible_endpoint_is_refused(changed: dict[str, Any], finding: str) -> None:
    with pytest.raises(ValidationError, match=finding):
        make_endpoint(**changed)


def test_an_endpoint_says_its_missing_strategy_must_be_named() -> None:
    with pytest.raises(ValidationError, match="missing"):
        EndpointDefinition.model_validate(
            {"rule": "response", "of": "total", "week": 6.0, "window": (4.0, 8.0)}
        )


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("observed_only", "participants without a score in the window are left out"),
        ("non_responder", "participants without a score in the window count as non-responders"),
    ],
)
def test_an_endpoint_is_said_in_words(
    missing: Literal["observed_only", "non_responder"], words: str
) -> None:
    assert make_endpoint(missing).describe() == (
        f"a fall of at least 50 % from baseline at week 6 (window 4 to 8); {words}"
    )


class Holder(Definition):
    source: TrialSource


def read_wide(folder: Path, weeks: str) -> tuple[PatientTables, pd.DataFrame]:
    text = (
        "source:\n  name: real\n  participants: {file: data.csv, id: subject}\n  assessments:\n"
        f"    - {{file: data.csv, id: subject, variable: twstrs, weeks: {{{weeks}}}}}\n"
    )
    read = parse_definition(text, Holder, name="own.yaml")
    tables = read_trial(
        read.value.source, folder, DICTIONARY, origin="real", written=read.origin, keys=("source",)
    )
    return tables, pd.read_csv(folder / "data.csv")


@pytest.mark.parametrize(("column", "fraction"), [("response20_w4", 0.2), ("response30_w4", 0.3)])
def test_the_responses_of_cervical_dystonia_are_those_of_its_own_column(
    tables: Path, column: str, fraction: float
) -> None:
    trial, given = read_wide(
        tables / "cdystonia_bont",
        "twstrs_w0: 0, twstrs_w2: 2, twstrs_w4: 4, twstrs_w8: 8, twstrs_w12: 12, twstrs_w16: 16",
    )
    endpoint = make_endpoint(of="twstrs", fraction=fraction, week=4.0, window=(4.0, 4.0))
    outcomes = derive_outcomes(trial, endpoint)
    np.testing.assert_array_equal(
        outcomes.frame["responded"].to_numpy(), given[column].to_numpy(dtype=float)
    )
    assert outcomes.left_out == {"no score in the endpoint's window": 3}


def test_the_responses_of_beating_the_blues_are_those_of_its_own_column(tables: Path) -> None:
    # No scale of the domain is the BDI-II (0-63); its totals fit the range 0-85 of another.
    trial, given = read_wide(tables / "beat_the_blues", "bdi_pre: 0, bdi_2m: 8, bdi_4m: 17")
    endpoint = make_endpoint(of="twstrs", fraction=0.5, week=8.0, window=(8.0, 8.0))
    outcomes = derive_outcomes(trial, endpoint)
    np.testing.assert_array_equal(
        outcomes.frame["responded"].to_numpy(), given["response_2m"].to_numpy(dtype=float)
    )
    assert outcomes.left_out == {"no score in the endpoint's window": 3}


def test_counting_the_missing_as_non_responders_changes_only_the_missing(tables: Path) -> None:
    trial, given = read_wide(tables / "beat_the_blues", "bdi_pre: 0, bdi_2m: 8")
    endpoint = make_endpoint("non_responder", of="twstrs", week=8.0, window=(8.0, 8.0))
    responded = derive_outcomes(trial, endpoint).frame["responded"]
    np.testing.assert_array_equal(
        responded.to_numpy(), given["response_2m"].fillna(0).to_numpy(dtype=float)
    )


def test_scores_in_place_of_weeks_are_not_listed() -> None:
    scores = {f"p{k}": {20.0 + k % 13: 0.0, 9.0 + k % 11: 6.0} for k in range(60)}
    tables = make_tables(scores, dict.fromkeys(scores, "alpha"))
    with pytest.raises(AnalysisError) as caught:
        derive_outcomes(tables, make_endpoint("non_responder"))
    assert str(caught.value) == (
        "endpoint at week 6: no visit of trial 'alpha' with 'total' lies in weeks 4 to 8\n"
        "  Its weeks are of no schedule: is `week:` the column of the week? Change `week` and "
        "`window`, or leave the trial out."
    )
