"""What happens after baseline: frown lines, belief, self-report, leaving and adverse events."""

import numpy as np
import pandas as pd
import pytest

from glabella.domain.scales import SCALES
from glabella.simulation.frames import Simulated
from glabella.simulation.generate import draw_trials

from .conftest import enlarge, read, spread


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
