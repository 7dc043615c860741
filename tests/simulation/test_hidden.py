"""What a model may know is right if values are missing or recorded with error."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from glabella.analysis.loaded.load import load_analysis
from glabella.analysis.loaded.tables import map_simulated
from glabella.analysis.resolve import resolve_analysis
from glabella.simulation.export import write_simulated
from glabella.simulation.frames import simulate_trials
from glabella.simulation.limits import tabulate_limits
from glabella.simulation.scenario.definition import Scenario

from .conftest import PROJECT, read
from .stated import (
    CORRELATED,
    REGION,
    STRONG,
    WITH_ITEMS,
    WITHOUT_ITEMS,
    check_calibration,
    draw,
    find_response,
    own,
    state,
)


def test_values_recorded_with_error_have_the_stated_reliability_and_the_same_distribution() -> None:
    scenario = state(WITHOUT_ITEMS, measurement_error={"expectancy": 0.75, "age_years": 0.5})
    drawn = draw(scenario)
    exact = draw(scenario.model_copy(update={"measurement_error": {}}))
    for name, reliability in (("expectancy", 0.64), ("age_years", 0.8)):
        true, recorded = drawn.truth[f"true_{name}"], drawn.values[name]
        assert np.array_equal(true, exact.values[name])
        # The squared correlation with the truth is the reliability, a little less by rounding.
        found = np.corrcoef(true, recorded)[0, 1] ** 2
        assert found == pytest.approx(reliability, abs=0.03)
        assert recorded.mean() == pytest.approx(true.mean(), abs=0.15)
        assert recorded.std() == pytest.approx(true.std(), rel=0.02)
    assert np.array_equal(drawn.scores["depression_total"], exact.scores["depression_total"])
    assert np.array_equal(drawn.truth["probability_active"], exact.truth["probability_active"])


@pytest.mark.parametrize("trial", [WITH_ITEMS, WITHOUT_ITEMS])
def test_the_known_probability_is_right_where_values_are_recorded_with_error(trial: str) -> None:
    scenario = state(
        trial,
        effects=STRONG,
        correlations=CORRELATED,
        measurement_error={"expectancy": 1.0, "age_years": 0.5, "agitation": 0.7},
    )
    drawn = draw(scenario)
    check_calibration(drawn, "probability")
    check_calibration(drawn, "known")
    # A rule that takes recorded values for true ones would be far from calibrated here.
    check_calibration(drawn, "known", drawn.values["expectancy"] <= 3)


def test_without_error_the_points_give_what_the_exact_average_gives() -> None:
    scenario = state(WITHOUT_ITEMS, effects=STRONG, correlations=CORRELATED)
    exact = draw(scenario)
    # An error of a variable that has no effect hides nothing that matters.
    idle = draw(scenario.model_copy(update={"measurement_error": {"resistance": 0.5}}))
    for role in ("active", "control"):
        apart = idle.truth[f"known_{role}"] - exact.truth[f"known_{role}"]
        assert abs(apart).max() < 0.01


def test_a_trial_may_record_without_the_error_of_the_others() -> None:
    scenario = state(
        WITHOUT_ITEMS,
        {"measurement_error": {"expectancy": 0.0}},
        measurement_error={"expectancy": 1.0},
    )
    assert "true_expectancy" not in draw(scenario).truth


def test_true_values_are_in_the_truth_file(bont_pooled: Scenario) -> None:
    scenario = bont_pooled.model_copy(update={"measurement_error": {"antidepressant": 1.0}})
    simulated = simulate_trials(scenario, seed=1)
    assert set(simulated.truth["true_antidepressant"]) == {"yes", "no"}
    recorded = simulated.participants["antidepressant"]
    assert 0.6 < (simulated.truth["true_antidepressant"] == recorded).mean() < 0.95


MECHANISMS = {
    "at random": {"share": 0.3},
    "by itself": {"share": 0.3, "on": {"expectancy": 1.2}},
    "by another": {"share": 0.3, "on": {"age_years": -1.0, "severity": 0.5}},
    "by response": {"share": 0.2, "on": {"response": 1.5}},
    "by all of these": {
        "share": 0.2,
        "on": {"expectancy": -0.8, "agitation": 0.5, "response": -1.0, "age_years": 0.5},
    },
}


@pytest.mark.parametrize("trial", [WITH_ITEMS, WITHOUT_ITEMS])
@pytest.mark.parametrize("how", list(MECHANISMS))
def test_the_known_probability_is_right_where_values_are_missing(trial: str, how: str) -> None:
    scenario = state(
        trial,
        effects=STRONG,
        correlations=CORRELATED,
        missing={
            "expectancy": MECHANISMS[how],
            "age_years": {"share": 0.1, "on": {"age_years": 0.5}},
        },
    )
    drawn = draw(scenario)
    lacks = drawn.missing["expectancy"]
    for rows in (lacks, ~lacks, drawn.missing["age_years"]):
        check_calibration(drawn, "known", rows)
        if "expected_active" in drawn.truth:
            check_calibration(drawn, "expected", rows)
        else:
            check_calibration(drawn, "probability", rows)
    check_calibration(drawn, "probability")


def test_errors_missing_values_levels_and_sites_are_in_the_truth_together() -> None:
    scenario = state(
        WITHOUT_ITEMS,
        {"sites": 4000},
        effects=STRONG,
        correlations=CORRELATED,
        between_sites_sd=0.0,
        nominal={"region": REGION},
        tied_to_site={"expectancy": 0.4, "region": 0.5},
        measurement_error={"expectancy": 0.8},
        missing={
            "expectancy": MECHANISMS["by all of these"],
            "region": {"share": 0.3, "on": {"response": 1.0, "expectancy": 0.5}},
        },
    )
    drawn = draw(scenario)
    check_calibration(drawn, "probability")
    for lacks in (drawn.missing["region"], ~drawn.missing["region"]):
        check_calibration(drawn, "known", lacks)
        check_calibration(drawn, "expected", lacks)


def test_a_value_is_missing_as_often_as_stated() -> None:
    missing = {"expectancy": {"share": 0.2, "on": {"age_years": 1.0, "response": 2.0}}}
    drawn = draw(state(WITHOUT_ITEMS, effects={}, missing=missing))
    responded, lacks = find_response(drawn), drawn.missing["expectancy"]
    middle = abs(drawn.values["age_years"] - 49) < 2
    assert lacks[middle & ~responded].mean() == pytest.approx(0.2, abs=0.02)
    logit = np.log(0.2 / 0.8) + 2.0
    assert lacks[middle & responded].mean() == pytest.approx(1 / (1 + np.exp(-logit)), abs=0.03)
    older = drawn.values["age_years"] > 60
    assert lacks[older & ~responded].mean() > 0.35


def test_limits_take_into_account_that_a_missing_value_predicts() -> None:
    missing = {"resistance": {"share": 0.2, "on": {"response": 2.0}}}
    scenario = state(WITHOUT_ITEMS, missing=missing)
    drawn = draw(scenario)
    limits = tabulate_limits([drawn]).set_index(["rule", "trial", "pairs"])["auc"]
    silent = tabulate_limits([draw(scenario.model_copy(update={"missing": {}}))])
    before = silent.set_index(["rule", "trial", "pairs"])["auc"]
    responded = find_response(drawn)[drawn.is_active]
    for rule, column in (("known", "known"), ("oracle", "expected")):
        ranks = own(drawn, column)[drawn.is_active]
        found = mannwhitneyu(ranks[responded], ranks[~responded]).statistic
        found /= responded.sum() * (~responded).sum()
        assert limits[rule, WITHOUT_ITEMS, "active"] == pytest.approx(found, abs=0.015)
        assert found > before[rule, WITHOUT_ITEMS, "active"] + 0.05
    assert limits["oracle", "all", "active"] > limits["known", "all", "active"]


def test_missing_values_change_no_other_draw() -> None:
    missing = {"expectancy": {"share": 0.3}, "antidepressant": {"share": 0.3}}
    scenario = read("bont_pooled")
    stated = state(WITHOUT_ITEMS, missing=missing).missing
    before, after = (
        simulate_trials(one, seed=1)
        for one in (scenario, scenario.model_copy(update={"missing": stated}))
    )
    pd.testing.assert_frame_equal(before.assessments, after.assessments)
    people = after.participants
    for name in missing:
        lacks = people[name].isna()
        assert 0.2 < lacks.mean() < 0.4
        assert (people[name][~lacks] == before.participants[name][~lacks]).all()
    kept = [name for name in people if name not in missing]
    pd.testing.assert_frame_equal(people[kept], before.participants[kept])
    assert (after.truth["true_expectancy"] == before.participants["expectancy"]).all()


@pytest.mark.parametrize("format", ["csv", "parquet", "adam"])
def test_missing_values_are_read_back_as_missing(tmp_path: Path, format: Any) -> None:
    missing = {"expectancy": {"share": 0.3}, "antidepressant": {"share": 0.3}}
    stated = state(WITHOUT_ITEMS, missing=missing).missing
    scenario = read("bont_pooled").model_copy(update={"missing": stated})
    simulated = simulate_trials(scenario, seed=1)
    write_simulated(simulated, tmp_path, format=format)
    read_back = load_analysis("bont_pooled", PROJECT, data=tmp_path).tables.participants
    for name in missing:
        lacks = simulated.participants[name].isna().tolist()
        assert read_back[name].isna().tolist() == lacks
    resolved = resolve_analysis("bont_pooled", PROJECT)
    mapped = map_simulated(resolved, simulated).participants
    assert mapped["expectancy"].isna().sum() == simulated.participants["expectancy"].isna().sum()


def test_a_trial_may_lack_nothing_where_others_do() -> None:
    scenario = state(
        WITHOUT_ITEMS,
        {"missing": {"expectancy": {"share": 0.0}}},
        missing={"expectancy": {"share": 0.3}},
    )
    assert draw(scenario).missing == {}
