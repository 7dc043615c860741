"""What the figures of a calibration show, over replicates."""

import numpy as np
import pytest

from glabella.simulation.generate import draw_trials
from glabella.simulation.published.pictures import simulate_pictures
from glabella.simulation.scenario.definition import Scenario

from ..conftest import enlarge


def test_the_pictures_show_the_distributions_over_replicates(bont_pooled: Scenario) -> None:
    pictured = simulate_pictures(bont_pooled, seed=1, replicates=10)
    assert set(pictured.courses["trial"]) == {trial.id for trial in bont_pooled.trials}
    assert (pictured.courses.query("week == 0")["mean"] == 0).all()
    shares = pictured.baselines.groupby("trial")["share"].sum()
    assert np.allclose(shares, 1.0)
    assert set(pictured.agitation["role"]) == {"active", "control"}


def test_a_course_is_the_mean_fall_of_participants_who_are_still_there(
    bont_pooled: Scenario,
) -> None:
    scenario = enlarge(bont_pooled, "finzi2014", 200)
    pictured = simulate_pictures(scenario, seed=3, replicates=1)
    [drawn] = draw_trials(scenario, seed=3)
    first, last = drawn.scores["depression_total"][:, 0], drawn.find_seen("depression_total", 6)
    fall = 100 * (1 - last / first)
    courses = pictured.courses.query("week == 6").set_index("role")["mean"]
    assert courses["active"] == pytest.approx(np.nanmean(fall[drawn.is_active]))
    assert courses["control"] == pytest.approx(np.nanmean(fall[~drawn.is_active]))


def test_without_items_there_is_no_agitation_to_show(bont_pooled: Scenario) -> None:
    # Its scale is the MADRS, of which no items are simulated.
    scenario = enlarge(bont_pooled, "brin2020", 40)
    assert simulate_pictures(scenario, seed=3, replicates=1).agitation.empty


def test_the_central_interval_holds_the_mean_and_vanishes_with_one_replicate(
    bont_pooled: Scenario,
) -> None:
    scenario = enlarge(bont_pooled, "finzi2014", 60)
    one = simulate_pictures(scenario, seed=3, replicates=1).courses
    assert (one["low"] == one["mean"]).all() and (one["high"] == one["mean"]).all()
    several = simulate_pictures(scenario, seed=3, replicates=5).courses.query("week > 0")
    assert (several["low"] < several["high"]).all()
