"""The stated probability of response is the probability of response."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from glabella.definitions.locate import Project
from glabella.simulation.generate import Simulated, simulate_trials
from glabella.simulation.scenario import Scenario, read_scenario
from glabella.simulation.truth import compute_probability, compute_prognosis

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(16)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return read_scenario(Project(definitions=ROOT, home=ROOT), "bont_pooled").value


def join_outcomes(simulated: Simulated) -> pd.DataFrame:
    """Put beside each participant seen at week 6 what was true of the arm they were in."""
    scores = simulated.assessments.query("paramcd == 'depression_total'")
    wide = scores.pivot(index="usubjid", columns="week", values="aval")
    people = simulated.participants.merge(simulated.truth, on=["studyid", "usubjid"])
    people = people.join(wide[[0, 6]], on="usubjid").dropna(subset=[6])
    is_active = people["arm"] == "bont"
    return people.assign(
        responded=people[6] <= people[0] / 2,
        stated=people["probability_active"].where(is_active, people["probability_control"]),
    )


@pytest.fixture(scope="module")
def outcomes(scenario: Scenario) -> pd.DataFrame:
    return pd.concat([join_outcomes(simulate_trials(scenario, seed=seed)) for seed in SEEDS])


def test_response_comes_as_often_as_stated_in_every_tenth(outcomes: pd.DataFrame) -> None:
    tenths = pd.qcut(outcomes["stated"], 10, labels=False)
    for _, rows in outcomes.groupby(tenths):
        variance = (rows["stated"] * (1 - rows["stated"])).sum()
        z = (rows["responded"].sum() - rows["stated"].sum()) / np.sqrt(variance)
        assert abs(z) < 4


def test_response_comes_as_often_as_stated_in_every_arm(outcomes: pd.DataFrame) -> None:
    groups = outcomes.groupby(["studyid", "cohort", "arm"])
    assert len(groups) == 12
    for _, rows in groups:
        variance = (rows["stated"] * (1 - rows["stated"])).sum()
        z = (rows["responded"].sum() - rows["stated"].sum()) / np.sqrt(variance)
        assert abs(z) < 4


def test_rounding_to_whole_points_carries_nobody_over_the_border(scenario: Scenario) -> None:
    # With a spread of half a percent, all falls lie within a point of half the baseline.
    narrow = scenario.model_copy(update={"spread": 0.5})
    rows = join_outcomes(simulate_trials(narrow, seed=4))
    variance = (rows["stated"] * (1 - rows["stated"])).sum()
    assert abs(rows["responded"].sum() - rows["stated"].sum()) < 4 * np.sqrt(variance)


def test_the_stated_probability_tells_responders_apart_within_an_arm(
    outcomes: pd.DataFrame,
) -> None:
    rows = outcomes.query("studyid == 'brin2020' and arm == 'placebo' and cohort == '30U'")
    responders = rows.loc[rows["responded"], "stated"].mean()
    others = rows.loc[~rows["responded"], "stated"].mean()
    assert responders - others > 0.05


def test_a_truth_is_told_for_each_participant_in_their_order(scenario: Scenario) -> None:
    simulated = simulate_trials(scenario, seed=5)
    keys = ["studyid", "usubjid"]
    pd.testing.assert_frame_equal(simulated.truth[keys], simulated.participants[keys])
    probabilities = simulated.truth[["probability_active", "probability_control"]].to_numpy()
    assert ((probabilities > 0) & (probabilities < 1)).all()


def test_the_benefit_is_one_probability_less_the_other(scenario: Scenario) -> None:
    truth = simulate_trials(scenario, seed=5).truth
    difference = truth["probability_active"] - truth["probability_control"]
    np.testing.assert_allclose(truth["benefit"], difference, rtol=0, atol=0)


def test_the_cohort_decides_which_arms_the_truth_is_of(scenario: Scenario) -> None:
    simulated = simulate_trials(scenario, seed=5)
    joined = simulated.participants.merge(simulated.truth, on=["studyid", "usubjid"])
    brin = joined[joined["studyid"] == "brin2020"].groupby("cohort")["benefit"].mean()
    assert brin["30U"] > 0.05
    assert brin["50U"] < 0.0


def test_without_signal_everyone_in_an_arm_has_its_rate(scenario: Scenario) -> None:
    silent = scenario.model_copy(update={"signal": 0.0})
    simulated = simulate_trials(silent, seed=2)
    wollmer = simulated.truth[simulated.truth["studyid"] == "wollmer2012"]
    np.testing.assert_allclose(wollmer["probability_active"], 0.6)
    np.testing.assert_allclose(wollmer["probability_control"], 0.133)


def test_what_is_predictive_changes_active_arms_only(scenario: Scenario) -> None:
    plain = simulate_trials(scenario, seed=3).truth
    moderated = simulate_trials(
        scenario.model_copy(update={"predictive": {"frown_max": 2.0}}), seed=3
    ).truth
    assert moderated["probability_control"].equals(plain["probability_control"])
    assert not np.allclose(moderated["probability_active"], plain["probability_active"])


def test_a_probability_is_the_share_of_many_draws() -> None:
    draw = np.random.default_rng(20)
    noise = draw.standard_normal(400_000)
    for prognosis in (-2.0, 0.0, 1.5):
        responded = 0.6 * prognosis + 0.8 * noise > ndtri(1 - 0.3)
        stated = compute_probability(np.array([prognosis]), response=0.3, signal=0.6)[0]
        assert responded.mean() == pytest.approx(stated, abs=0.004)


def test_an_arm_s_rate_is_the_mean_over_a_normal_prognosis() -> None:
    prognosis = np.random.default_rng(21).standard_normal(400_000)
    probabilities = compute_probability(prognosis, response=0.15, signal=0.5)
    assert probabilities.mean() == pytest.approx(0.15, abs=0.001)


def test_a_prognosis_has_mean_zero_and_variance_one() -> None:
    draw = np.random.default_rng(22)
    covariates = pd.DataFrame({"a": draw.normal(50, 9, 40), "b": draw.integers(0, 2, 40)})
    prognosis = compute_prognosis(covariates, {"a": -1.0, "b": 0.5})
    assert prognosis.mean() == pytest.approx(0, abs=1e-12)
    assert prognosis.std() == pytest.approx(1)
    assert np.corrcoef(prognosis, covariates["a"])[0, 1] < 0


def test_a_covariate_that_all_share_says_nothing() -> None:
    covariates = pd.DataFrame({"a": [0.0, 0.0, 0.0]})
    assert compute_prognosis(covariates, {"a": 1.0}).tolist() == [0.0, 0.0, 0.0]
