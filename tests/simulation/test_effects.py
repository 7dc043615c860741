"""Curves, products and interactions act as stated, and the stated probabilities include them."""

import numpy as np
import pytest
from pydantic import ValidationError

from glabella.simulation.effects import tabulate_terms
from glabella.simulation.generate import draw_effects

from .stated import (
    AGE,
    AGITATION,
    WITH_ITEMS,
    WITHOUT_ITEMS,
    check_calibration,
    draw,
    find_response,
    find_role,
    state,
)


@pytest.mark.parametrize("trial", [WITH_ITEMS, WITHOUT_ITEMS])
@pytest.mark.parametrize("shape", ["squared", "cubed", "hinge", "step", "saturating"])
def test_a_curve_is_in_the_truth(trial: str, shape: str) -> None:
    curves = [{"shape": shape, "at": 2, "predictive": 0.2, "prognostic": 0.1}]
    effects = {
        "age_years": {**AGE, "curves": [{"shape": shape, "prognostic": 0.1}]},
        "agitation": {**AGITATION, "prognostic": 0.05, "curves": curves},
    }
    drawn = draw(state(trial, effects=effects))
    check_calibration(drawn, "probability")
    check_calibration(drawn, "known")


def test_a_squared_effect_is_least_at_its_centre_and_bends_the_response() -> None:
    effects = {"age_years": {**AGE, "curves": [{"shape": "squared", "prognostic": 0.3}]}}
    scenario = state(WITHOUT_ITEMS, effects=effects)
    drawn = draw(scenario)
    age, responded = drawn.values["age_years"], find_response(drawn)
    middle, far = responded[abs(age - 49) < 4].mean(), responded[abs(age - 49) > 20].mean()
    assert far - middle > 0.3
    assert abs(responded[age < 29].mean() - responded[age > 69].mean()) < 0.06
    assert find_role(scenario, "age_years") == ("prognostic", "a curve")
    terms = tabulate_terms(scenario, list(scenario.trials)).set_index("term")
    assert terms.loc["age_years: squared at 49", "prognostic"] == 0.3


def test_a_curve_without_a_weight_is_refused() -> None:
    with pytest.raises(ValidationError, match="both weights are 0"):
        state(WITHOUT_ITEMS, effects={"age_years": {"curves": [{"shape": "squared"}]}})


IN_WOMEN = {
    "of": [{"variable": "agitation", "centre": 1}, {"variable": "sex", "code": "F"}],
    "predictive": 0.4,
}


@pytest.mark.parametrize("trial", [WITH_ITEMS, WITHOUT_ITEMS])
def test_a_product_is_in_the_truth(trial: str) -> None:
    with_severity = {
        "of": [{"variable": "severity"}, {"variable": "agitation", "centre": 1}],
        "prognostic": 0.1,
    }
    drawn = draw(state(trial, products=[IN_WOMEN, with_severity]))
    check_calibration(drawn, "probability")
    check_calibration(drawn, "known")


def test_agitation_modifies_the_effect_in_women_only() -> None:
    sex = {"sex": {"shares": {"M": 0.5, "F": 0.5}}}
    scenario = state(WITHOUT_ITEMS, {"variables": sex, "products": [IN_WOMEN]}, effects={})
    drawn = draw(scenario)
    responded, grade = find_response(drawn), drawn.values["agitation"]

    def find_slope(sex: int, active: bool) -> float:
        mine = (drawn.values["sex"] == sex) & (drawn.is_active == active)
        return float(responded[mine & (grade >= 2)].mean() - responded[mine & (grade == 0)].mean())

    assert find_slope(1, active=True) > 0.2
    for men_or_control in ((0, True), (0, False), (1, False)):
        assert abs(find_slope(*men_or_control)) < 0.05
    for variable in ("agitation", "sex"):
        assert find_role(scenario, variable) == ("predictive", "a product")


def test_a_product_of_one_variable_is_refused() -> None:
    twice = {"of": [{"variable": "agitation"}] * 2, "prognostic": 0.1}
    with pytest.raises(ValidationError, match="give the effect of 'agitation' a squared curve"):
        state(WITHOUT_ITEMS, products=[twice])


def test_interactions_that_differ_between_trials_are_drawn_around_the_stated_and_in_the_truth() -> (
    None
):
    effects = {
        "agitation": {**AGITATION, "predictive": 0.2},
        "age_years": {**AGE, "prognostic": 0.1},
    }
    same, differing = (
        state(WITHOUT_ITEMS, effects=effects, between_trials={"predictive_sd": sd})
        for sd in (0.0, 0.15)
    )
    [trial] = differing.trials
    weights = [draw_effects(differing, trial, seed=seed).weights for seed in range(600)]
    for name, mean in (("agitation", 0.2), ("age_years", 0.0)):
        drawn = np.array([one[name].predictive for one in weights])
        assert drawn.mean() == pytest.approx(mean, abs=0.025)
        assert drawn.std() == pytest.approx(0.15, rel=0.1)
    assert {one["age_years"].prognostic for one in weights} == {0.1}
    assert draw_effects(same, trial, seed=1).weights == {}

    drawn = draw(differing)
    check_calibration(drawn, "probability")
    check_calibration(drawn, "known")
    stated = tabulate_terms(differing, [drawn.trial]).set_index("term")["predictive"]
    assert stated["agitation"] == drawn.effects.weights["agitation"].predictive != 0.2
