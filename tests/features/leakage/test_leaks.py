"""A feature that holds the outcome is refused whatever its name says; its neighbours pass."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.data.checks import Finding
from glabella.data.tables import PatientTables
from glabella.domain.timing import BASELINE
from glabella.errors import ClockError
from glabella.features.leakage.leaks import find_leaks, raise_leaks
from glabella.features.spec import FeatureSpec, FeatureTable

from .conftest import LOST, NAN, TRIAL, Trial, find, flag, make_trial, refuse


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (flag(TRIAL.responded == 1, LOST), "category"),
        (flag(TRIAL.responded == 0, LOST), "category"),
        (np.where(TRIAL.responded == 1, "Y", None), "category"),
        (TRIAL.responded, "number"),
        (np.where(TRIAL.responded == 1, np.arange(120.0), -np.arange(120.0)), "number"),
        (np.where(TRIAL.responded == 1, np.arange(120) % 3, 5 + np.arange(120) % 3), "category"),
        (np.where(TRIAL.responded == 1, np.arange(120.0) % 17, NAN), "number"),
    ],
    ids=[
        "a flag",
        "a flag turned",
        "a flag or blank",
        "0 and 1",
        "two sides of a cut",
        "levels of one class each",
        "recorded for responders alone",
    ],
)
def test_what_decides_the_outcome_is_refused(values: object, kind: str) -> None:
    assert "it decides the outcome of all" in refuse(values, TRIAL, kind=kind)


def test_the_message_names_the_feature_the_finding_and_a_remedy() -> None:
    found = find(flag(TRIAL.responded == 1, LOST), TRIAL, kind="category")
    with pytest.raises(ClockError) as caught:
        raise_leaks([found] if found else [])
    assert str(caught.value) == (
        "feature 'planted': it decides the outcome of all 105 participants that can be compared: "
        "each of its values goes with one outcome alone\n"
        "  Leave it out, or map the column that was recorded by then. What is known only later "
        "says so by its `timing:` in the dictionary."
    )


def test_several_leaks_are_told_in_one_error_and_warnings_are_given_back() -> None:
    stops = [Finding(f"feature '{name}'", "it leaks", "Leave it out.") for name in "abcdefghijkl"]
    with pytest.raises(ClockError) as caught:
        raise_leaks(stops)
    message = str(caught.value)
    assert message.startswith(
        "12 features contain information not known at the moment of prediction\n"
    )
    assert "feature 'a': it leaks" in message and "... and 2 more" in message
    warned = (Finding("feature 'a'", "it may leak", "Leave it out.", "warn"),)
    assert raise_leaks(warned) == warned


def test_one_wrong_answer_in_a_hundred_is_a_warning_by_its_auc() -> None:
    nearly = np.where(LOST, np.arange(TRIAL.n) % 2, TRIAL.responded)
    known = np.flatnonzero(~LOST)
    nearly[known[:2]] = 1 - nearly[known[:2]]
    found = find(nearly, TRIAL)
    assert found is not None and found.severity == "warn"
    assert "an AUC of 0.98 in 105 participants" in found.finding


def test_a_strong_honest_predictor_passes() -> None:
    draw = np.random.default_rng(3)
    strong = np.nan_to_num(TRIAL.responded) + draw.normal(0, 0.7, TRIAL.n)
    assert find(strong, TRIAL) is None


@pytest.mark.parametrize("n", [10, 12, 16, 20])
def test_a_sample_too_small_to_tell_is_warned_of_and_not_refused(n: int) -> None:
    trial = make_trial(n, seed=4)
    responded = np.where(np.arange(n) < n / 2, 1.0, 0.0)
    blank = np.full(n, NAN)
    outcomes = pd.DataFrame(
        {"baseline": blank, "week": blank, "score": blank, "responded": responded}
    )
    found = find(responded, trial, outcomes=outcomes)
    assert found is not None and found.severity == "warn"
    assert "(they are few)" in found.finding


def test_a_flag_endpoint_is_guarded_without_scores() -> None:
    blank = np.full(TRIAL.n, NAN)
    responded = np.where(np.arange(TRIAL.n) % 5 == 0, 1.0, 0.0)
    outcomes = pd.DataFrame(
        {"baseline": blank, "week": blank, "score": blank, "responded": responded}
    )
    assert "it decides" in refuse(flag(responded == 1), TRIAL, kind="category", outcomes=outcomes)
    assert (
        find(flag(np.arange(TRIAL.n) % 3 == 0), TRIAL, kind="category", outcomes=outcomes) is None
    )


def test_a_category_of_many_small_levels_decides_nothing() -> None:
    sites = np.array([f"s{number // 2}" for number in range(TRIAL.n)])
    assert find(sites, TRIAL, kind="category") is None
    names = np.array([f"p{number}" for number in range(TRIAL.n)])
    assert find(names, TRIAL, kind="category") is None


def test_a_constant_and_a_nearly_empty_feature_pass() -> None:
    assert find(np.ones(TRIAL.n), TRIAL) is None
    few = np.full(TRIAL.n, NAN)
    few[np.flatnonzero(~LOST)[:4]] = TRIAL.end[np.flatnonzero(~LOST)[:4]]
    found = find(few, TRIAL)
    assert found is None or found.severity == "warn"
    assert find(np.full(TRIAL.n, NAN), TRIAL) is None


def make_independent(draw: np.random.Generator) -> tuple[Trial, FeatureTable]:
    n = int(draw.integers(10, 201))
    trial = make_trial(n, seed=int(draw.integers(0, 2**31)))
    columns: dict[str, pd.Series] = {}
    specs = []
    for number in range(20):
        levels = int(draw.integers(2, 11))
        shares = draw.dirichlet(np.full(levels, 0.7))
        values = draw.choice(levels, n, p=shares).astype(float)
        values[draw.random(n) < draw.choice([0, 0.1, 0.6])] = NAN
        is_category = bool(draw.random() < 0.5)
        column = pd.Series(values)
        columns[f"x{number}"] = column.astype("category") if is_category else column
        kind = "category" if is_category else "ordinal"
        specs.append(FeatureSpec(f"x{number}", "X", kind))  # type: ignore[arg-type]
    return trial, FeatureTable(pd.DataFrame(columns), tuple(specs))


def test_independent_features_are_never_refused() -> None:
    draw = np.random.default_rng(20)
    for _ in range(100):
        trial, features = make_independent(draw)
        found = find_leaks(
            features,
            trial.outcomes(),
            trial.tables(),
            clock=BASELINE,
            endpoint_variable="total",
        )
        assert not [item for item in found if item.severity == "stop"]


@given(st.integers(30, 200), st.integers(0, 2**31))
def test_the_order_of_participants_and_the_turn_of_a_flag_make_no_difference(
    n: int, seed: int
) -> None:
    trial = make_trial(n, seed)
    one = find(trial.responded, trial)
    other = find(1 - trial.responded, trial)
    assert one is not None and other is not None
    assert (one.severity, one.finding) == (other.severity, other.finding)


def test_a_hundred_thousand_participants_take_seconds() -> None:
    trial = make_trial(100_000)
    draw = np.random.default_rng(21)
    frame = pd.DataFrame({f"x{number}": draw.normal(size=trial.n) for number in range(10)})
    for number in range(10):
        frame[f"y{number}"] = (draw.random(trial.n) < 0.001 * 4**number % 1).astype(float)
    specs = tuple(FeatureSpec(name, "X", "number") for name in frame)
    tables, outcomes = trial.tables(), trial.outcomes()
    began = time.process_time()
    found = find_leaks(
        FeatureTable(frame, specs), outcomes, tables, clock=BASELINE, endpoint_variable="total"
    )
    assert time.process_time() - began < 10
    assert not found


def test_an_early_response_that_decides_the_outcome_is_doubted_and_not_refused() -> None:
    n = 60
    early = np.where(np.arange(n) % 2 == 0, 4.0, 18.0)
    rows = [
        ("t", f"p{number}", "total", week, value)
        for number in range(n)
        for week, value in ((0.0, 20.0 + number % 5), (2.0, early[number]), (8.0, early[number]))
    ]
    tables = PatientTables(
        pd.DataFrame({"studyid": "t", "usubjid": [f"p{number}" for number in range(n)]}),
        pd.DataFrame(rows, columns=["studyid", "usubjid", "paramcd", "week", "aval"]),
        "real",
    )
    outcomes = pd.DataFrame(
        {
            "baseline": 20.0 + np.arange(n) % 5,
            "week": 8.0,
            "score": early,
            "responded": (early < 10).astype(float),
        }
    )
    features = FeatureTable(
        pd.DataFrame({"fall": early + np.linspace(0, 0.5, n)}),
        (FeatureSpec("fall", "Fall", "number"),),
    )
    found = {
        dated: find_leaks(
            features,
            outcomes,
            tables,
            clock=BASELINE,
            endpoint_variable="total",
            dated=dated,
        )
        for dated in ((), ("fall",))
    }
    assert [item.severity for item in found[()]] == ["stop"]
    assert [item.severity for item in found["fall",]] == ["warn"]
    assert found["fall",][0].finding == found[()][0].finding
