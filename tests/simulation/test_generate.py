"""Simulated trials keep their design, and are the same from the same seed."""

import time

import numpy as np
import pandas as pd
import pytest

from glabella.domain.scales import SCALES
from glabella.simulation import generate
from glabella.simulation.frames import Simulated, simulate_tables, simulate_trials
from glabella.simulation.generate import TrialDraw, draw_effects, draw_trials
from glabella.simulation.scenario.definition import Scenario

from .conftest import SCENARIOS, enlarge, read

ARM = ["studyid", "cohort", "arm"]
TABLES = ("participants", "assessments", "events", "new_patients", "truth", "limits")


@pytest.fixture(scope="module")
def simulated(bont_pooled: Scenario) -> Simulated:
    return simulate_trials(bont_pooled, seed=1)


@pytest.fixture(scope="module")
def many(bont_pooled: Scenario) -> list[Simulated]:
    return [simulate_trials(bont_pooled, seed=seed) for seed in range(12)]


def spread(simulated: Simulated, variable: str = "depression_total") -> pd.DataFrame:
    """Put each participant's scores side by side, a column a week."""
    scores = simulated.assessments[simulated.assessments["paramcd"] == variable]
    scores = scores.astype({"usubjid": object})
    wide = scores.pivot(index="usubjid", columns="week", values="aval")
    return simulated.participants.join(wide, on="usubjid")


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


def test_doses_follow_sex_and_cohort(many: list[Simulated]) -> None:
    people = pd.concat([item.participants for item in many])
    doses = people.query("arm == 'bont'").groupby(["studyid", "cohort", "sex"])["dose_units"]
    assert doses.nunique().max() == 1
    found = doses.first().to_dict()
    assert found["wollmer2012", "", "F"] == 29 and found["wollmer2012", "", "M"] == 39
    assert found["finzi2014", "", "M"] == 40
    assert found["brin2020", "30U", "F"] == 30 and found["brin2020", "50U", "F"] == 50
    assert (people.loc[people["arm"] == "placebo", "dose_units"] == 0).all()


def test_baselines_are_eligible_and_on_the_scale(many: list[Simulated]) -> None:
    wide = pd.concat([spread(item) for item in many])
    least = wide.groupby("studyid")[0].min()
    assert (least["finzi2014"], least["magid2014"]) >= (26, 14)
    for scale, totals in wide.groupby("scale")[0]:
        assert totals.max() <= SCALES[str(scale)].maximum


def test_items_add_to_the_total_at_each_visit_and_stay_within_their_maxima(
    simulated: Simulated,
) -> None:
    rows = simulated.assessments.astype({"usubjid": object, "paramcd": object})
    scales = simulated.participants.set_index("usubjid")["scale"]
    items = rows[rows["paramcd"].str.fullmatch(r"hamd\d\d")]
    totals = rows[rows["paramcd"] == "depression_total"].set_index(["usubjid", "week"])["aval"]
    wide = items.pivot(index=["usubjid", "week"], columns="paramcd", values="aval")
    assert (wide.sum(axis=1) == totals.loc[wide.index]).all()
    for scale in ("hamd17", "hamd21"):
        maxima = SCALES[scale].item_maxima
        mine = wide[wide.index.get_level_values("usubjid").map(scales) == scale]
        mine = mine.dropna(axis=1, how="all")
        assert list(mine) == [f"hamd{number:02d}" for number in range(1, len(maxima) + 1)]
        assert ((mine >= 0) & (mine <= np.array(maxima))).all(axis=None)


def test_items_exist_only_where_the_scale_is_the_hamilton(simulated: Simulated) -> None:
    rows = simulated.assessments.astype({"paramcd": object, "studyid": object})
    trials = rows.loc[rows["paramcd"].str.startswith("hamd"), "studyid"].unique()
    assert sorted(trials) == ["magid2014", "wollmer2012"]


def test_self_report_stands_beside_the_rater_and_agrees_in_part(many: list[Simulated]) -> None:
    for trial, variable in (("magid2014", "bdi_total"), ("finzi2014", "bdi2_total")):
        rated = pd.concat([spread(item) for item in many])
        told = pd.concat([spread(item, variable) for item in many])
        rated, told = (table[table["studyid"] == trial] for table in (rated, told))
        both = pd.DataFrame({"rated": rated[6], "told": told[6]}).dropna()
        assert len(both) == rated[6].notna().sum()
        assert 0.7 < both.corr().iloc[0, 1] < 0.98
    seen = {str(name) for name in many[0].assessments.query("studyid == 'brin2020'")["paramcd"]}
    assert not {"bdi_total", "bdi2_total"} & seen


def test_only_injected_frown_muscles_relax_and_the_frown_returns(many: list[Simulated]) -> None:
    wide = pd.concat([spread(item, "frown_max") for item in many], ignore_index=True)
    change = (wide[6] - wide[0]).dropna().groupby(wide["arm"])
    assert change.mean()["bont"] < -1
    for arm in ("placebo", "crows_feet"):
        assert change.min()[arm] == change.max()[arm] == 0
    brin = wide[(wide["studyid"] == "brin2020") & (wide["arm"] == "bont")]
    # Magid 2014: the cosmetic effect is gone by weeks 12 to 16.
    assert (brin[18] == brin[0])[brin[18].notna()].all()


def test_lines_at_rest_are_never_deeper_than_at_maximum_frown(simulated: Simulated) -> None:
    rest, largest = (spread(simulated, name) for name in ("frown_rest", "frown_max"))
    for week in (0, 6, 12):
        both = pd.DataFrame({"rest": rest[week], "largest": largest[week]}).dropna()
        assert (both["rest"] <= both["largest"]).all()
        assert both["largest"].between(0, 3).all()


def test_magid_admitted_moderate_lines_or_worse(many: list[Simulated]) -> None:
    wide = pd.concat([spread(item, "frown_max") for item in many])
    assert wide.loc[wide["studyid"] == "magid2014", 0].min() == 2


def test_nobody_returns_and_all_have_a_baseline(simulated: Simulated) -> None:
    for _, wide in spread(simulated).groupby("studyid"):
        weeks = [column for column in wide.columns if isinstance(column, float)]
        seen = wide[weeks].dropna(axis=1, how="all").notna().to_numpy()
        assert seen[:, 0].all()
        assert (np.diff(seen.astype(int), axis=1) <= 0).all()


def test_who_improves_less_leaves_more_often_only_where_declared() -> None:
    def compare(name: str, trial: str) -> float:
        [drawn] = draw_trials(enlarge(read(name), trial, 20_000), seed=1)
        at = drawn.trial.weeks.index(6)
        fell = drawn.scores["depression_total"][:, at] <= drawn.scores["depression_total"][:, 0] / 2
        stays = drawn.stays[:, at]
        return float(stays[fell].mean() - stays[~fell].mean())

    assert compare("bont_pooled", "finzi2014") > 0.03
    assert abs(compare("no_signal", "third")) < 0.015


def test_belief_follows_what_the_frown_gives_away() -> None:
    [drawn] = draw_trials(enlarge(read("bont_pooled"), "brin2020", 20_000), seed=1)
    unblinding = read("bont_pooled").unblinding
    for active in (True, False):
        for grade in range(4):
            mine = (drawn.is_active == active) & (drawn.values["frown_max"] == grade)
            chance = unblinding.find_chance(np.array([float(grade)]), relaxes=active)[0]
            z = (drawn.believes[mine].mean() - chance) / np.sqrt(chance * (1 - chance) / mine.sum())
            assert abs(z) < 4, (active, grade)
    by_grade = unblinding.find_chance(np.arange(4.0), relaxes=True)
    assert np.all(np.diff(by_grade) > 0)
    assert unblinding.find_chance(np.arange(4.0), relaxes=False).tolist() == [0.4] * 4


def test_a_belief_is_asked_at_the_endpoint_and_of_nobody_who_had_left(
    simulated: Simulated,
) -> None:
    wide = spread(simulated)
    assert (wide["believed_arm"].notna() == wide[6].notna()).all()


def test_adverse_events_follow_the_dose() -> None:
    scenario = enlarge(read("bont_pooled"), "brin2020", 40_000)
    [drawn] = draw_trials(scenario, seed=1)
    cohort = np.array([arm.cohort for arm in drawn.trial.arms])[drawn.arm]
    for name, event in scenario.adverse_events.items():
        had = drawn.events[name] > 0
        for mine, units in (
            (~drawn.is_active, 0.0),
            (drawn.is_active & (cohort == "30U"), 30.0),
            (drawn.is_active & (cohort == "50U"), 50.0),
        ):
            chance = event.find_chance(np.array([units]))[0]
            z = (had[mine].mean() - chance) / np.sqrt(chance * (1 - chance) / mine.sum())
            assert abs(z) < 4, (name, units)
        assert event.find_chance(np.array([0.0, 40.0])).tolist() == pytest.approx(
            [event.at_0_units, event.at_40_units]
        )
        # Days 1 to 14 after injection.
        assert drawn.events[name][had].min() >= 1 and drawn.events[name].max() <= 14


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


def test_what_an_analysis_reads_is_what_is_written_to_files(
    bont_pooled: Scenario, simulated: Simulated
) -> None:
    tables = simulate_tables(bont_pooled, seed=1)
    pd.testing.assert_frame_equal(tables.participants, simulated.participants)
    pd.testing.assert_frame_equal(tables.assessments, simulated.assessments)


@pytest.mark.parametrize(
    "only",
    [
        ["depression_total", "age_years", "believed_arm"],
        ["depression_total", "hamd09", "sex"],
        ["depression_total", "headache", "dose_units"],
    ],
)
def test_what_is_not_wanted_changes_nothing_else(bont_pooled: Scenario, only: list[str]) -> None:
    whole = simulate_tables(bont_pooled, seed=2)
    less = simulate_tables(bont_pooled, seed=2, only=only)
    keys = ["studyid", "usubjid", "siteid", "cohort", "arm", "scale"]
    wanted = [name for name in whole.participants if name in (*keys, *only)]
    pd.testing.assert_frame_equal(less.participants, whole.participants[wanted])
    kept = whole.assessments[whole.assessments["paramcd"].isin(only)].reset_index(drop=True)
    assert set(less.assessments["paramcd"]) == set(only) & set(whole.assessments["paramcd"])
    for name in ("studyid", "usubjid", "paramcd", "week", "aval"):
        assert less.assessments[name].tolist() == kept[name].tolist()


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
