"""What was known before the prediction explains a feature, which then is no leak."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glabella.features.leakage.columns import is_covering, list_columns
from glabella.features.spec import FeatureSpec, FeatureTable

from .conftest import TRIAL, Trial, find, flag, make_trial


@pytest.mark.parametrize(
    "values",
    [
        TRIAL.start,
        100 * TRIAL.start / 52,
        -TRIAL.start,
        np.digitize(TRIAL.start, [20, 28, 34]),
        TRIAL.scores["anxiety"][0.0],
    ],
    ids=["baseline", "percent of range", "turned", "bands", "another variable"],
)
def test_a_baseline_however_expressed_passes(values: np.ndarray) -> None:
    assert find(values, TRIAL) is None


def set_end(trial: Trial, end: np.ndarray) -> Trial:
    weeks = {0.0: trial.start, 8.0: end}
    return Trial({"total": weeks, "anxiety": trial.scores["anxiety"]}, trial.arm, trial.studyid)


@pytest.mark.parametrize(
    "end",
    [TRIAL.start, TRIAL.start - 5, TRIAL.start / 2, 0 * TRIAL.start],
    ids=["nobody changed", "all fell by five", "all halved", "all are well"],
)
@pytest.mark.parametrize("shown", [lambda x: x, lambda x: 100 * x / 52, lambda x: x // 8])
def test_a_baseline_from_which_the_end_follows_is_no_leak(end: np.ndarray, shown: object) -> None:
    trial = set_end(TRIAL, end)
    responded = np.where(np.arange(TRIAL.n) % 2, 1.0, 0.0)
    found = find(shown(trial.start), trial, outcomes=trial.outcomes(responded))  # type: ignore[operator]
    assert found is None


def test_a_baseline_that_decides_an_endpoint_by_a_fixed_cut_is_not_refused() -> None:
    end = TRIAL.start + np.random.default_rng(5).choice([-1.0, 0.0, 1.0], TRIAL.n)
    start = np.where(TRIAL.start > 28, TRIAL.start + 2, TRIAL.start - 2)
    trial = set_end(TRIAL, end)
    trial.scores["total"][0.0] = start
    outcomes = trial.outcomes((end <= 28).astype(float))
    for values in (start, np.digitize(start, [20, 29, 34])):
        found = find(values, trial, outcomes=outcomes)
        assert found is None or found.severity == "warn"


def test_a_second_record_of_the_baseline_passes_though_the_score_came_back_to_it() -> None:
    draw = np.random.default_rng(6)
    weight = np.round(draw.uniform(50, 110, 120), 1)
    mistyped = weight.copy()
    mistyped[:3] += 30
    trial = make_trial()
    trial.scores["weight"] = {0.0: mistyped, 8.0: weight}
    assert find(weight, trial) is None
    assert find((weight >= 70).astype(float), trial) is None


def test_a_group_by_a_screening_value_that_hardly_changes_passes() -> None:
    draw = np.random.default_rng(7)
    weight = draw.uniform(50, 110, 120)
    trial = make_trial()
    trial.scores["weight"] = {0.0: weight, 8.0: weight + draw.normal(0, 1, 120)}
    assert find((weight >= 80).astype(float), trial) is None


def test_a_screening_weight_of_few_passes_though_its_order_is_that_of_later() -> None:
    draw = np.random.default_rng(22)
    for _ in range(100):
        trial = make_trial(int(draw.integers(15, 40)), seed=int(draw.integers(0, 2**31)))
        weight = draw.normal(70, 15, trial.n)
        trial.scores["weight"] = {
            week: np.round(weight + draw.normal(0, 0.1, trial.n), 1) for week in (0.0, 4.0, 8.0)
        }
        screened = np.round(weight + draw.normal(0, 0.1, trial.n), 1)
        found = find(screened, trial)
        assert found is None or found.severity == "warn"


def test_a_sex_that_a_hormone_tells_later_as_before_passes() -> None:
    draw = np.random.default_rng(8)
    male = np.arange(120) % 2 == 0
    male[:40] = draw.random(40) < 0.5
    hormone = {week: np.where(male, 20, 1) + draw.uniform(-0.5, 0.5, 120) for week in (0.0, 8.0)}
    trial = make_trial()
    trial.scores["hormone"] = hormone
    assert find(flag(male), trial, kind="category") is None
    del hormone[0.0]
    found = find(flag(male), trial, kind="category")
    assert found is not None and found.severity == "warn"


def test_the_dose_of_the_arm_passes_though_visits_record_it() -> None:
    dose = np.where(TRIAL.arm == "drug", 100.0, 0.0)
    trial = make_trial()
    trial.scores["dose"] = {0.0: np.zeros(120), 4.0: dose}
    assert find(dose, trial) is None


def test_columns_are_numbers_and_what_is_constant_in_each_arm_is_none() -> None:
    tables = TRIAL.tables()
    n = TRIAL.n
    frame = pd.DataFrame(
        {
            "sex": pd.Categorical(np.where(np.arange(n) % 3 == 0, "F", None)),
            "rounded": np.round(np.linspace(1, 2, n), 1),
            "dose": np.where(TRIAL.arm == "drug", 100.0, 0.0),
            "arm": pd.Categorical(TRIAL.arm),
        }
    )
    specs = (
        FeatureSpec("sex", "Sex", "category"),
        FeatureSpec("rounded", "Rounded", "number"),
        FeatureSpec("dose", "Dose", "number"),
        FeatureSpec("arm", "Arm", "category", part="arm"),
    )
    sex, rounded = list_columns(FeatureTable(frame, specs), tables)
    assert (sex.name, sex.is_ordered, sex.n_levels, sex.decimals) == ("sex", False, 1, None)
    np.testing.assert_array_equal(sex.values[:3], [0.0, np.nan, np.nan])
    np.testing.assert_array_equal(sex.with_missing[:3], [0.0, -1.0, -1.0])
    assert (rounded.name, rounded.is_ordered, rounded.decimals) == ("rounded", True, 1)
    assert rounded.with_missing.tolist() == [1.0] * n


def test_the_participants_looked_at_first_have_the_commonest_value_and_others_alike() -> None:
    trial = make_trial(5000)
    values = np.where(np.arange(trial.n) < 300, 1.0, 0.0)
    table = FeatureTable(pd.DataFrame({"x": values}), (FeatureSpec("x", "X", "number"),))
    [column] = list_columns(table, trial.tables())
    assert np.bincount(values[column.probe].astype(int)).tolist() == [200, 200]
    assert (np.diff(column.probe) > 0).all()


@pytest.mark.parametrize(
    ("part", "whole", "covers"), [(1, 2, True), (1, 3, False), (0, 0, False), (3, 3, True)]
)
def test_half_of_the_participants_is_enough_to_speak_for_all(
    part: int, whole: int, covers: bool
) -> None:
    rows = np.arange(5)
    assert is_covering(rows < part, rows < whole) is covers
