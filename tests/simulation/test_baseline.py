"""Participants as they enter: severity above the threshold, and what goes with it."""

import numpy as np
import pytest

from glabella.simulation.baseline import Entrants, draw_entrants
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.streams import make_spawn

N = 20_000


def draw(scenario: Scenario, trial: str, *, shift: float = 0.0, n: int = N) -> Entrants:
    [mine] = [one for one in scenario.trials if one.id == trial]
    return draw_entrants(
        scenario, mine, shift, n, np.random.default_rng(1), make_spawn(1, trial, 1)
    )


def test_totals_are_whole_and_within_the_criteria_of_entry(bont_pooled: Scenario) -> None:
    found = draw(bont_pooled, "finzi2014")
    [trial] = [one for one in bont_pooled.trials if one.id == "finzi2014"]
    assert len(found) == N
    assert (found.total == np.round(found.total)).all()
    assert found.total.min() >= trial.severity.low
    assert found.total.max() <= trial.severity.high


def test_true_severity_varies_about_what_the_rating_says_of_it(bont_pooled: Scenario) -> None:
    found = draw(bont_pooled, "finzi2014")
    [trial] = [one for one in bont_pooled.trials if one.id == "finzi2014"]
    error, sd = bont_pooled.rating_error, trial.severity.log_sd
    reliability = 1 - (error / sd) ** 2
    left = found.true_log - found.expected_true_log
    assert left.mean() == pytest.approx(0, abs=4 * error / np.sqrt(N))
    assert left.std() == pytest.approx(error * np.sqrt(reliability), rel=0.03)
    slope = np.polyfit(np.log(found.total), found.expected_true_log, 1)[0]
    assert slope == pytest.approx(reliability)


def test_a_shift_makes_a_trial_more_severe(bont_pooled: Scenario) -> None:
    usual, shifted = (draw(bont_pooled, "finzi2014", shift=shift) for shift in (0.0, 0.2))
    assert shifted.true_log.mean() > usual.true_log.mean() + 0.05


def test_agitation_leaves_room_for_the_other_items(bont_pooled: Scenario) -> None:
    found = draw(bont_pooled, "wollmer2012")
    assert (found.values["agitation"] <= found.total).all()


def test_the_chances_of_agitation_are_those_with_which_it_is_drawn(bont_pooled: Scenario) -> None:
    found = draw(bont_pooled, "finzi2014")
    np.testing.assert_allclose(found.agitation_chances.sum(axis=1), 1, rtol=1e-12)
    drawn = np.bincount(found.values["agitation"].astype(int), minlength=5) / N
    np.testing.assert_allclose(drawn, found.agitation_chances.mean(axis=0), atol=0.015)
