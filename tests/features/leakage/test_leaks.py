"""A feature that holds the outcome is refused whatever its name says; its neighbours pass."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.data.checks import Finding
from glabella.data.tables import PatientTables
from glabella.domain.timing import BASELINE, Moment
from glabella.errors import ClockError
from glabella.features.leakage.leaks import find_leaks, raise_leaks
from glabella.features.spec import FeatureSpec, FeatureTable

NAN = float("nan")


@dataclass
class Trial:
    """Scores by week, in which about half respond by week 8, and some leave before."""

    scores: dict[str, dict[float, np.ndarray]]
    arm: np.ndarray
    studyid: np.ndarray

    @property
    def n(self) -> int:
        return len(self.arm)

    @property
    def start(self) -> np.ndarray:
        return self.scores["total"][0.0]

    @property
    def end(self) -> np.ndarray:
        return self.scores["total"][8.0]

    @property
    def responded(self) -> np.ndarray:
        return np.where(np.isnan(self.end), NAN, (self.end <= self.start / 2).astype(float))

    def tables(self) -> PatientTables:
        ids = np.array([f"P{number}" for number in range(self.n)])
        people = pd.DataFrame({"studyid": self.studyid, "usubjid": ids, "arm": self.arm})
        rows = [
            pd.DataFrame(
                {
                    "studyid": self.studyid,
                    "usubjid": ids,
                    "paramcd": name,
                    "week": week,
                    "aval": values,
                }
            )
            for name, weeks in self.scores.items()
            for week, values in weeks.items()
        ]
        every = pd.concat(rows, ignore_index=True)
        return PatientTables(people, every[every["aval"].notna()], "real")

    def outcomes(self, responded: np.ndarray | None = None) -> pd.DataFrame:
        seen = np.isnan(self.end)
        return pd.DataFrame(
            {
                "baseline": self.start,
                "week": np.where(seen, NAN, 8.0),
                "score": self.end,
                "responded": self.responded if responded is None else responded,
            }
        )


def make_trial(n: int = 120, seed: int = 1) -> Trial:
    draw = np.random.default_rng(seed)
    start = draw.integers(18, 40, n).astype(float)
    week4 = np.round(start * draw.uniform(0.4, 1.1, n))
    end = np.round(start * draw.uniform(0.1, 1.0, n))
    end[draw.choice(n, n // 8, replace=False)] = NAN
    anxiety = {week: np.round(draw.uniform(5, 50, n)) for week in (0.0, 4.0)}
    return Trial(
        {"total": {0.0: start, 4.0: week4, 8.0: end}, "anxiety": anxiety},
        np.array(["drug", "placebo"])[np.arange(n) % 2],
        np.full(n, "T"),
    )


def find(
    values: object,
    trial: Trial,
    *,
    kind: str = "number",
    clock: Moment = BASELINE,
    outcomes: pd.DataFrame | None = None,
) -> Finding | None:
    column = pd.Series(values)
    column = column.astype("category") if kind == "category" else column.astype(float)
    features = FeatureTable(
        pd.DataFrame({"planted": column}),
        (FeatureSpec("planted", "Planted", kind),),  # type: ignore[arg-type]
    )
    found = find_leaks(
        features,
        trial.outcomes() if outcomes is None else outcomes,
        trial.tables(),
        clock=clock,
        endpoint_variable="total",
    )
    assert len(found) <= 1
    return found[0] if found else None


def refuse(values: object, trial: Trial, **settings: object) -> str:
    found = find(values, trial, **settings)  # type: ignore[arg-type]
    assert found is not None
    assert (found.severity, found.place) == ("stop", "feature 'planted'")
    return found.finding


def flag(where: np.ndarray, missing: np.ndarray | None = None) -> np.ndarray:
    codes = np.where(where, "Y", "N").astype(object)
    return codes if missing is None else np.where(missing, None, codes)


TRIAL = make_trial()
LOST = np.isnan(TRIAL.end)
CHANGE = TRIAL.end - TRIAL.start
EARLY_CHANGE = TRIAL.scores["total"][4.0] / TRIAL.start - 1


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


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (TRIAL.end, "it equals 'total' at the endpoint"),
        (CHANGE, "it equals the change of 'total' at the endpoint"),
        (-CHANGE, "it equals the change of 'total' at the endpoint"),
        # By the rule of the endpoint, half of the baseline, these decide the outcome as well.
        (np.round(100 * CHANGE / TRIAL.start, 1), "it decides the outcome"),
        (CHANGE / TRIAL.start, "it decides the outcome"),
        (-EARLY_CHANGE, "it equals the relative change of 'total' at week 4"),
        (np.round(100 * EARLY_CHANGE, 1), "it equals the relative change of 'total' at week 4"),
        (np.round(-100 * EARLY_CHANGE), "it equals the relative change of 'total' at week 4"),
        (TRIAL.scores["total"][4.0], "it equals 'total' at week 4"),
        (TRIAL.scores["total"][4.0] - TRIAL.start, "it equals the change of 'total' at week 4"),
        (TRIAL.scores["anxiety"][4.0], "it equals 'anxiety' at week 4"),
        (np.sqrt(TRIAL.end) * 3 + 1, "it follows from 'total' at the endpoint"),
        (np.digitize(TRIAL.end, [8, 14, 24]) + 0 * TRIAL.end, "it follows from 'total' at the"),
        (
            np.where(LOST, TRIAL.scores["total"][4.0], TRIAL.end),
            "it equals 'total' at",
        ),
    ],
    ids=[
        "score",
        "change",
        "improvement",
        "percent",
        "fraction",
        "fraction at week 4",
        "percent at week 4",
        "whole percent of improvement at week 4",
        "week 4",
        "change to week 4",
        "another variable",
        "transformed",
        "bands",
        "last value",
    ],
)
def test_a_later_score_or_change_under_another_name_is_refused(
    values: np.ndarray, words: str
) -> None:
    assert words in refuse(values, TRIAL)


def test_a_category_with_one_code_for_each_score_is_refused() -> None:
    trial = make_trial(400, seed=2)
    bands = np.where(np.isnan(trial.end), None, np.where(trial.end % 3 == 0, "a", "b"))
    assert "it follows from 'total' at the endpoint" in refuse(bands, trial, kind="category")


def test_a_copy_with_a_few_corrections_is_refused() -> None:
    copy = TRIAL.end.copy()
    copy[np.flatnonzero(~LOST)[:3]] += 1
    assert "'total' at the endpoint in 10" in refuse(copy, TRIAL)


def test_response_at_another_visit_is_refused() -> None:
    early = TRIAL.scores["total"][4.0] <= 0.7 * TRIAL.start
    words = refuse(flag(early), TRIAL, kind="category")
    assert "it follows from the relative change of 'total' at week 4" in words


def test_a_visit_by_the_clock_is_no_leak_and_a_change_across_it_is_one() -> None:
    week4 = TRIAL.scores["total"][4.0]
    assert find(week4, TRIAL, clock=Moment(4)) is None
    assert find(week4 - TRIAL.start, TRIAL, clock=Moment(4)) is None
    assert "the change of 'total' at" in refuse(TRIAL.end - week4, TRIAL, clock=Moment(4))


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


def test_an_improvement_rated_only_after_treatment_is_refused() -> None:
    draw = np.random.default_rng(9)
    trial = make_trial()
    rating = draw.integers(1, 8, (2, 120)).astype(float)
    trial.scores["improvement"] = {4.0: rating[0], 8.0: rating[1]}
    assert "it equals 'improvement' at week 8" in refuse(rating[1], trial)


def test_a_height_measured_again_later_is_warned_of_at_most() -> None:
    height = np.round(np.random.default_rng(10).normal(170, 10, 120))
    trial = make_trial()
    trial.scores["height"] = {4.0: height, 8.0: height}
    found = find(height, trial)
    assert found is not None and found.severity == "warn"


def test_the_dose_of_the_arm_passes_though_visits_record_it() -> None:
    dose = np.where(TRIAL.arm == "drug", 100.0, 0.0)
    trial = make_trial()
    trial.scores["dose"] = {0.0: np.zeros(120), 4.0: dose}
    assert find(dose, trial) is None


def test_visits_dated_by_their_day_are_compared_by_the_week() -> None:
    draw = np.random.default_rng(11)
    trial = make_trial(300)
    later = draw.integers(5, 50, 300).astype(float)
    week = 8 + draw.integers(-10, 11, 300) / 7
    trial.scores["rated"] = {0.0: draw.integers(5, 50, 300).astype(float)}
    for value in np.unique(week):
        trial.scores["rated"][float(value)] = np.where(week == value, later, NAN)
    assert "it equals 'rated' at" in refuse(later, trial)


def leave(trial: Trial, seed: int = 12) -> tuple[Trial, np.ndarray]:
    gone = np.random.default_rng(seed).random(trial.n) < 0.25
    trial.scores["total"][8.0] = np.where(gone, NAN, np.nan_to_num(trial.end, nan=20.0))
    return trial, gone


def test_a_flag_of_completers_is_refused() -> None:
    trial, gone = leave(make_trial())
    words = refuse(flag(~gone), trial, kind="category")
    assert words.startswith("it says of each of 120 participants who have an observed endpoint")
    assert "who have an observed" in refuse(gone.astype(float), trial)
    # As ADaM writes flags: Y or nothing.
    assert "have an observed" in refuse(np.where(gone, "Y", None), trial, kind="category")


def test_a_flag_of_who_was_still_followed_at_the_last_visit_is_refused() -> None:
    trial, _ = leave(make_trial())
    trial.scores["total"][16.0] = np.where(np.arange(120) % 4 == 0, NAN, 20.0 + np.arange(120) % 7)
    words = refuse(flag(np.arange(120) % 4 != 0), trial, kind="category")
    assert "who were still followed at week 16" in words


def test_a_reason_for_leaving_is_refused() -> None:
    trial, gone = leave(make_trial())
    reasons = np.where(gone, np.array(["lost", "event", "other"])[np.arange(120) % 3], "completed")
    assert "who have an observed" in refuse(reasons, trial, kind="category")


def test_a_category_that_goes_with_leaving_passes() -> None:
    trial, gone = leave(make_trial())
    draw = np.random.default_rng(13)
    assert find(flag(gone ^ (draw.random(120) < 0.2)), trial, kind="category") is None


def test_a_flag_that_hardly_errs_about_who_stayed_is_warned_of() -> None:
    trial, gone = leave(make_trial(400))
    stopped = gone | (np.arange(400) % 6 == 0)
    found = find(flag(stopped), trial, kind="category")
    assert found is not None and found.severity == "warn"
    assert "it may show who stayed in the trial" in found.finding


def test_a_questionnaire_lacking_in_those_who_were_lost_is_warned_of() -> None:
    trial, gone = leave(make_trial())
    found = find(np.where(gone, NAN, np.random.default_rng(14).normal(size=120)), trial)
    assert found is not None and found.severity == "warn"
    assert found.finding == (
        "it is recorded of just those among 120 participants who have an observed endpoint, or of "
        "just the others"
    )
    sex = np.where(gone, None, flag(np.arange(120) % 3 == 0))
    found = find(sex, trial, kind="category")
    assert found is not None and found.severity == "warn"


def test_fewer_than_a_handful_of_lost_prove_nothing() -> None:
    trial = make_trial()
    end = np.nan_to_num(trial.end, nan=20.0)
    end[:4] = NAN
    trial.scores["total"][8.0] = end
    assert find(flag(np.isnan(end)), trial, kind="category") is None


def test_a_country_of_a_shorter_trial_passes() -> None:
    trial = make_trial(200)
    short = np.arange(200) < 80
    trial.studyid = np.where(short, "S", "L")
    trial.scores["total"][24.0] = np.where(short, NAN, 20.0 + np.arange(200) % 5)
    country = np.where(short, np.where(np.arange(200) % 2, "a", "b"), "c")
    assert find(country, trial, kind="category") is None


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


@given(st.integers(40, 200), st.integers(0, 2**31), st.integers(0, 4))
def test_a_copy_of_the_end_is_always_refused(n: int, seed: int, shape: int) -> None:
    trial = make_trial(n, seed)
    change = trial.end - trial.start
    shapes = [trial.end, change, -change, 100 * change / trial.start, trial.end**2]
    assert refuse(shapes[shape], trial)


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
