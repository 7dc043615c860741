"""An arm has the response rate that the scenario asks for."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from glabella.simulation.generate import draw_effects
from glabella.simulation.limits import tabulate_arms
from glabella.simulation.scenario.definition import Scenario

from .stated import WITH_ITEMS, WITHOUT_ITEMS, check_calibration, draw, find_response, state


def state_rates(trial: str, *, background: float | None = None, **rates: float) -> Scenario:
    """Ask for response rates by role, in a trial without random effects."""
    [stated] = state(trial).trials
    arms = []
    for arm in stated.arms:
        plain = arm.model_dump(mode="json")
        if arm.role in rates:
            plain["response_rate"] = rates[arm.role]
            plain["effect"] = 0.0 if arm.role == "active" else plain["effect"]
        arms.append(plain)
    return state(trial, {"background": background, "arms": arms}, between_trials={})


@pytest.mark.parametrize("trial", [WITH_ITEMS, WITHOUT_ITEMS, "wollmer2012"])
@pytest.mark.parametrize(("active", "control"), [(0.5, 0.2), (0.05, 0.3), (0.95, 0.9)])
def test_an_arm_has_the_response_rate_that_is_asked_for(
    trial: str, active: float, control: float
) -> None:
    scenario = state_rates(trial, active=active, control=control)
    # With many sites their effects average out.
    [one] = scenario.trials
    if one.sites > 1:
        many = (one.model_copy(update={"sites": 4000}),)
        scenario = scenario.model_copy(update={"trials": many})
    drawn = draw(scenario)
    responded = find_response(drawn)
    assert responded[drawn.is_active].mean() == pytest.approx(active, abs=0.015)
    assert responded[~drawn.is_active].mean() == pytest.approx(control, abs=0.015)
    check_calibration(drawn, "probability")
    arms = tabulate_arms(scenario, [drawn]).set_index("role")
    assert arms["asked"].to_dict() == {"active": active, "control": control}
    assert np.allclose(arms["expected"], arms["asked"], atol=0.01)
    assert arms["background"].nunique() == 1


def test_an_active_arm_alone_may_ask_for_a_rate() -> None:
    scenario = state_rates(WITHOUT_ITEMS, background=0.3, active=0.6)
    drawn = draw(scenario)
    assert drawn.effects.background == 0.3
    assert find_response(drawn)[drawn.is_active].mean() == pytest.approx(0.6, abs=0.015)


def test_a_solved_intercept_depends_neither_on_the_seed_nor_on_the_size() -> None:
    scenario = state_rates(WITHOUT_ITEMS, active=0.6, control=0.3)
    small = scenario.with_participants(40)
    found = [draw_effects(one, one.trials[0], seed=s) for one in (scenario, small) for s in (1, 2)]
    assert len({(one.background, one.arms) for one in found}) == 1


@pytest.mark.parametrize(
    ("of_trial", "finding"),
    [
        ({"background": None}, "there is no `background`. State it, or give a control arm"),
        ({"rates": (0.5, 0.2)}, "the effect of 'bont' is stated"),
        ({"rates": (None, 0.2)}, "the `response_rate` of 'crows_feet' asks for one that is solved"),
        ({"rates": (None, 1.0)}, "less than 1"),
    ],
)
def test_an_impossible_request_for_a_rate_is_refused(
    of_trial: dict[str, Any], finding: str
) -> None:
    [stated] = state(WITHOUT_ITEMS).trials
    rates = of_trial.pop("rates", (None, None))
    arms = [
        {**arm.model_dump(mode="json"), "response_rate": rate}
        for arm, rate in zip(stated.arms, rates, strict=True)
    ]
    with pytest.raises(ValidationError, match=finding):
        state(WITHOUT_ITEMS, {"arms": arms, **of_trial})


def test_two_control_arms_may_not_both_ask_for_a_rate() -> None:
    with pytest.raises(ValidationError, match="a trial has one background"):
        state_rates("brin2020", control=0.3)
