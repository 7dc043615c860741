"""Simulated trials keep their design, and are the same from the same seed."""

import time

import numpy as np
import pandas as pd
import pytest

from glabella.domain.scales import SCALES
from glabella.simulation import generate
from glabella.simulation.frames import Simulated, simulate_trials
from glabella.simulation.generate import TrialDraw, draw_effects, draw_trials
from glabella.simulation.scenario.definition import Scenario

from .conftest import SCENARIOS, enlarge, read, spread

ARM = ["studyid", "cohort", "arm"]
TABLES = ("participants", "assessments", "events", "new_patients", "truth", "limits")


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "large"])
def test_the_same_seed_gives_the_same_tables_and_another_gives_others(name: str) -> None:
    scenario = read(name)
    first, again = (simulate_trials(scenario, seed=3) for _ in range(2))
    other = simulate_trials(scenario, seed=4)
    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(first, table), getattr(again, table))
        if len(getattr(first, table).columns) and table != "limits":
            assert not getattr(first, table).equals(getattr(other, table)), table


def test_blocks_and_workers_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "_BLOCK", 700)
    scenario = read("large").with_participants(5000)
    alone, together = (simulate_trials(scenario, seed=6, workers=n) for n in (1, 3))
    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(alone, table), getattr(together, table))


def test_a_block_does_not_depend_on_those_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only arms and sites are assigned over the whole trial."""
    monkeypatch.setattr(generate, "_BLOCK", 1000)
    [small] = draw_trials(read("large").with_participants(3000), seed=6)
    [large] = draw_trials(read("large").with_participants(6000), seed=6)
    assert np.array_equal(small.values["age_years"], large.values["age_years"][:3000])


def test_a_trial_added_at_the_end_changes_none_before_it(
    bont_pooled: Scenario, simulated: Simulated
) -> None:
    fewer = bont_pooled.model_copy(update={"trials": bont_pooled.trials[:-1]})
    without = simulate_trials(fewer, seed=1)
    for name in ("participants", "truth"):
        before = getattr(simulated, name)
        before = before[before["studyid"] != "onadep2024"]
        pd.testing.assert_frame_equal(before, getattr(without, name))


def test_trials_and_arms_have_the_sizes_randomised(simulated: Simulated) -> None:
    assert simulated.participants.groupby(ARM).size().to_dict() == {
        ("wollmer2012", "", "bont"): 15,
        ("wollmer2012", "", "placebo"): 15,
        ("finzi2014", "", "bont"): 38,
        ("finzi2014", "", "placebo"): 47,
        ("magid2014", "", "bont"): 11,
        ("magid2014", "", "placebo"): 19,
        ("brin2020", "30U", "bont"): 65,
        ("brin2020", "30U", "placebo"): 59,
        ("brin2020", "50U", "bont"): 65,
        ("brin2020", "50U", "placebo"): 69,
        ("onadep2024", "", "bont"): 29,
        ("onadep2024", "", "crows_feet"): 29,
    }
    assert simulated.participants["usubjid"].is_unique


def test_a_site_of_brin_is_in_one_cohort(simulated: Simulated) -> None:
    brin = simulated.participants.query("studyid == 'brin2020'")
    assert (brin.groupby("siteid")["cohort"].nunique() == 1).all()
    assert brin["siteid"].nunique() > 30


def test_baselines_are_eligible_and_on_the_scale(many: list[Simulated]) -> None:
    wide = pd.concat([spread(item) for item in many])
    least = wide.groupby("studyid")[0].min()
    assert (least["finzi2014"], least["magid2014"]) >= (26, 14)
    for scale, totals in wide.groupby("scale")[0]:
        assert totals.max() <= SCALES[str(scale)].maximum


def test_magid_admitted_moderate_lines_or_worse(many: list[Simulated]) -> None:
    wide = pd.concat([spread(item, "frown_max") for item in many])
    assert wide.loc[wide["studyid"] == "magid2014", 0].min() == 2


def test_trials_differ_from_seed_to_seed_as_declared(bont_pooled: Scenario) -> None:
    drawn: list[TrialDraw] = [draw_trials(bont_pooled, seed=seed)[1] for seed in range(300)]
    between = bont_pooled.between_trials
    background = np.array([one.effects.background for one in drawn])
    effect = np.array([one.effects.arms[0] for one in drawn])
    assert background.mean() == pytest.approx(bont_pooled.trials[1].background, abs=0.01)
    assert background.std() == pytest.approx(between.background_sd, rel=0.15)
    assert effect.std() == pytest.approx(between.effect_sd, rel=0.15)
    assert {one.effects.arms[1] for one in drawn} == {0.0}


def test_correlations_are_those_declared() -> None:
    scenario = enlarge(read("bont_pooled"), "brin2020", 40_000)
    trial = scenario.trials[0]
    # Without the entry threshold, which narrows severity.
    wide = trial.severity.model_copy(update={"low": 1, "high": 60})
    scenario = scenario.model_copy(
        update={"trials": (trial.model_copy(update={"severity": wide}),)}
    )
    [drawn] = draw_trials(scenario, seed=1)
    months = np.log10(np.maximum(drawn.values["illness_months"], 1))
    found = np.corrcoef(months, drawn.values["resistance"])[0, 1]
    # Grades lose a little of the correlation of the deviates behind them.
    assert 0.3 < found < 0.4
    assert abs(np.corrcoef(months, drawn.values["age_years"])[0, 1]) < 0.02


def test_other_participants_of_the_same_trials_share_what_is_the_trials_own() -> None:
    scenario = read("varied_trials").with_trials(2)
    effects = [draw_effects(scenario, trial, seed=4) for trial in scenario.trials]
    first = draw_trials(scenario, seed=4)
    others = draw_trials(scenario.with_participants(500), seed=5, effects=effects)
    for mine, other, stated in zip(first, others, effects, strict=True):
        assert np.array_equal(mine.effects.sites, other.effects.sites)
        assert mine.effects.arms == other.effects.arms == stated.arms
        assert mine.effects.weights == other.effects.weights == stated.weights
        assert mine.trial.effects == other.trial.effects
        size = min(len(mine.arm), len(other.arm))
        same = mine.values["age_years"][:size] == other.values["age_years"][:size]
        assert same.mean() < 0.2


def test_trials_differ_in_weights_where_the_scenario_says_so() -> None:
    scenario = read("varied_trials").with_trials(300)
    stated = scenario.effects["agitation"].prognostic
    drawn = [
        draw_effects(scenario, trial, seed=1).weights["agitation"].prognostic
        for trial in scenario.trials
    ]
    assert np.mean(drawn) == pytest.approx(stated, abs=0.012)
    assert np.std(drawn) == pytest.approx(scenario.between_trials.weights_sd, rel=0.15)


def test_a_trial_that_comes_again_is_another_trial_of_its_kind(bont_pooled: Scenario) -> None:
    twice = bont_pooled.with_trials(7)
    names = [trial.id for trial in twice.trials]
    assert names[5:] == ["wollmer2012_2", "finzi2014_2"]
    assert bont_pooled.with_trials(2).trials == bont_pooled.trials[:2]
    drawn = {one.trial.id: one for one in draw_trials(twice, seed=3)}
    first, again = drawn["wollmer2012"], drawn["wollmer2012_2"]
    assert first.effects.background != again.effects.background
    assert len(first.arm) == len(again.arm)
    taken = bont_pooled.trials[0].model_copy(update={"id": "wollmer2012_2"})
    odd = bont_pooled.model_copy(update={"trials": (bont_pooled.trials[0], taken)})
    assert len({trial.id for trial in odd.with_trials(4).trials}) == 4


def test_ten_times_the_participants_take_about_ten_times_as_long() -> None:
    large = read("large")

    def measure(participants: int) -> float:
        scenario, seconds = large.with_participants(participants), []
        for _ in range(3):
            started = time.process_time()
            simulate_trials(scenario, seed=1)
            seconds.append(time.process_time() - started)
        return min(seconds)

    measure(1_000)
    # As benchmarks/simulation.py asks up to a million.
    assert measure(100_000) <= 1.6 * 10 * measure(10_000)
