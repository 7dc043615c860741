"""Each further mechanism does what the scenario states, and the stated probabilities include it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from pydantic import ValidationError
from scipy.stats import mannwhitneyu

from glabella.analysis.loaded.load import load_analysis
from glabella.analysis.loaded.tables import map_simulated
from glabella.analysis.resolve import resolve_analysis
from glabella.data.dictionary import Dictionary
from glabella.simulation import generate
from glabella.simulation.effects import tabulate_terms
from glabella.simulation.export import write_simulated
from glabella.simulation.frames import simulate_tables, simulate_trials
from glabella.simulation.generate import TrialDraw, draw_effects, draw_trials
from glabella.simulation.limits import describe_variables, tabulate_arms, tabulate_limits
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.mechanism import Nominal

from .conftest import PROJECT, read

N = 24_000
# One site each, so that no site's effect is shared: one trial with items, and one without.
WITH_ITEMS, WITHOUT_ITEMS = "magid2014", "onadep2024"


def state(trial: str, of_trial: Mapping[str, Any] | None = None, **keys: object) -> Scenario:
    """State keys in a large trial of `bont_pooled`, validated as if read from a file."""
    plain = read("bont_pooled").model_dump(mode="json")
    [kept] = [one for one in plain["trials"] if one["id"] == trial]
    scenario = {**plain, **keys, "trials": [{**kept, **(of_trial or {})}]}
    return Scenario.model_validate_json(json.dumps(scenario)).with_participants(N)


def draw(scenario: Scenario, seed: int = 5) -> TrialDraw:
    [drawn] = draw_trials(scenario, seed=seed)
    return drawn


def find_response(drawn: TrialDraw) -> np.ndarray:
    total = drawn.scores["depression_total"]
    return total[:, drawn.trial.weeks.index(6)] <= total[:, 0] / 2


def own(drawn: TrialDraw, what: str) -> np.ndarray:
    return np.where(drawn.is_active, drawn.truth[f"{what}_active"], drawn.truth[f"{what}_control"])


def check_calibration(drawn: TrialDraw, what: str, rows: np.ndarray | None = None) -> None:
    """Check that as many respond as is stated, in tenths of what is stated in each arm."""
    responded, stated = find_response(drawn), own(drawn, what)
    rows = np.ones(len(stated), dtype=bool) if rows is None else rows
    for active in (True, False):
        arm = rows & (drawn.is_active == active)
        tenth = np.digitize(stated[arm], np.quantile(stated[arm], np.linspace(0, 1, 11)[1:-1]))
        for part in np.unique(tenth):
            p, y = stated[arm][tenth == part], responded[arm][tenth == part]
            z = (y.sum() - p.sum()) / np.sqrt((p * (1 - p)).sum())
            assert abs(z) < 4.5, (what, active, part, p.mean(), y.mean())


def find_role(scenario: Scenario, variable: str) -> tuple[str, str]:
    found = describe_variables(scenario).set_index("variable").loc[variable]
    return found["role"], found["through"]


AGE = {"centre": 49, "unit": 10}
AGITATION = {"centre": 1, "unit": 1}


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


def find_gone(drawn: TrialDraw, week: float, rows: np.ndarray) -> float:
    return float(1 - drawn.stays[rows, drawn.trial.weeks.index(week)].mean())


def state_dropout(dropout: dict[str, Any], **by_role: dict[str, Any]) -> Scenario:
    [trial] = state(WITH_ITEMS).trials
    arms = [{**arm.model_dump(mode="json"), "dropout": by_role.get(arm.role)} for arm in trial.arms]
    return state(WITH_ITEMS, {"arms": arms, "dropout": dropout})


def test_an_arm_may_have_a_drop_out_of_its_own() -> None:
    scenario = state_dropout({"share": 0.1, "by_week": 12}, active={"share": 0.4, "by_week": 12})
    drawn = draw(scenario)
    for active, share in ((True, 0.4), (False, 0.1)):
        gone = find_gone(drawn, 12, drawn.is_active == active)
        assert gone == pytest.approx(share, abs=0.015)
        arms = tabulate_arms(scenario, [drawn]).set_index("role")
        role = "active" if active else "control"
        assert arms.loc[role, "left"] == find_gone(drawn, 6, drawn.is_active == active)
    same = draw(state_dropout({"share": 0.1, "by_week": 12}))
    control = ~drawn.is_active
    assert np.array_equal(drawn.stays[control], same.stays[control])
    assert np.array_equal(drawn.scores["depression_total"], same.scores["depression_total"])


def test_participants_may_leave_because_they_do_well() -> None:
    well = {"share": 0.5, "by_week": 6, "fall": 0.4}
    drawn = draw(state_dropout({"share": 0.0, "by_week": 6, "well": well}))
    total, at = drawn.scores["depression_total"], drawn.trial.weeks.index(6)
    does_well = total[:, at - 1] <= 0.6 * total[:, 0]
    # Three of the six weeks lie between this visit and the one before: 1 - 0.5 ** (3 / 6).
    stayed = drawn.stays[:, at - 1]
    gone = find_gone(drawn, 6, does_well & stayed)
    assert gone == pytest.approx(1 - 0.5**0.5, abs=0.02)
    assert find_gone(drawn, 6, ~does_well & stayed) == 0.0
    check_calibration(drawn, "probability")
    check_calibration(drawn, "known")


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


REGION = {
    "shares": {"north": 0.5, "south": 0.3, "west": 0.2},
    "effects": {"south": {"prognostic": 0.4}, "west": {"prognostic": -0.2, "predictive": 0.5}},
}


@pytest.mark.parametrize("trial", [WITH_ITEMS, WITHOUT_ITEMS])
def test_a_nominal_variable_has_its_shares_and_is_in_the_truth(trial: str) -> None:
    product = {
        "of": [{"variable": "region", "code": "south"}, {"variable": "agitation", "centre": 1}],
        "predictive": 0.2,
    }
    scenario = state(trial, nominal={"region": REGION}, products=[product])
    drawn = draw(scenario)
    found = np.bincount(drawn.values["region"].astype(int)) / N
    assert found == pytest.approx([0.5, 0.3, 0.2], abs=0.015)
    check_calibration(drawn, "probability")
    check_calibration(drawn, "known")
    responded, level = find_response(drawn), drawn.values["region"]
    by_level = [responded[~drawn.is_active & (level == at)].mean() for at in range(3)]
    assert by_level[1] > by_level[0] + 0.08 and by_level[0] > by_level[2] + 0.015
    assert find_role(scenario, "region") == ("prognostic and predictive", "a product, a level")


def test_a_trial_may_have_other_shares_of_the_same_levels() -> None:
    shares = {"shares": {"north": 0.0, "south": 1.0, "west": 0.0}}
    drawn = draw(state(WITHOUT_ITEMS, {"nominal": {"region": shares}}, nominal={"region": REGION}))
    assert set(drawn.values["region"]) == {1.0}


def test_a_nominal_variable_changes_no_other_draw_and_is_in_every_table(tmp_path: Path) -> None:
    idle = {"shares": REGION["shares"]}
    scenario = read("bont_pooled")
    stated = scenario.model_copy(update={"nominal": {"region": Nominal.model_validate(idle)}})
    before, after = (simulate_trials(one, seed=1) for one in (scenario, stated))
    for table in ("participants", "new_patients"):
        levels = getattr(after, table).pop("region")
        assert set(levels) == {"north", "south", "west"}
        pd.testing.assert_frame_equal(getattr(after, table), getattr(before, table))
    pd.testing.assert_frame_equal(after.truth, before.truth)
    again = simulate_trials(stated, seed=1)
    write_simulated(again, tmp_path, format="adam")
    adsl = pyreadstat.read_xport(tmp_path / "finzi2014" / "adsl.xpt")[0]
    assert set(adsl["REGION"]) == {"north", "south", "west"}


def test_a_nominal_variable_is_read_by_an_analysis_whose_dictionary_declares_it() -> None:
    resolved = resolve_analysis("bont_pooled", PROJECT)
    codes = {"north": "north", "south": "south", "west": "west"}
    variable = {"label": "Region", "type": "category", "codes": codes, "timing": "baseline"}
    plain = resolved.dictionary.value.model_dump(mode="json", exclude_unset=True)
    plain["variables"]["region"] = variable
    dictionary = Dictionary.model_validate_json(json.dumps(plain))
    declared = replace(resolved, dictionary=replace(resolved.dictionary, value=dictionary))
    scenario = state(WITHOUT_ITEMS, nominal={"region": REGION}).with_participants(60)
    tables = map_simulated(declared, simulate_tables(scenario, seed=1))
    assert set(tables.participants["region"]) == {"north", "south", "west"}


def test_a_variable_that_is_tied_to_site_varies_between_sites_as_stated() -> None:
    ties = {"expectancy": 0.5, "region": 1.0, "age_years": 0.3}
    scenario = state(
        WITHOUT_ITEMS,
        {"sites": 800, "tied_to_site": {"age_years": 0.0}},
        nominal={"region": REGION},
        tied_to_site=ties,
        correlations={},
    )
    drawn = draw(scenario)
    by_site = pd.DataFrame({**drawn.values, "site": drawn.site}).groupby("site")
    assert (by_site["region"].nunique() == 1).all()
    for name, tie in (("expectancy", 0.5), ("age_years", 0.0)):
        within = by_site[name].var().mean()
        # The rounding of values to whole numbers is all within sites.
        assert 1 - within / drawn.values[name].var() == pytest.approx(tie, abs=0.05)
    loose = draw(scenario.model_copy(update={"tied_to_site": {}}))
    for name in ("expectancy", "region"):
        assert drawn.values[name].mean() == pytest.approx(loose.values[name].mean(), abs=0.2)
    assert np.array_equal(drawn.values["frown_max"], loose.values["frown_max"])


@pytest.mark.parametrize("trial", [WITH_ITEMS, WITHOUT_ITEMS])
def test_a_variable_that_is_tied_to_site_is_in_the_truth(trial: str) -> None:
    scenario = state(
        trial,
        {"sites": 4000},
        nominal={"region": REGION},
        tied_to_site={"expectancy": 0.5, "region": 0.9, "agitation": 0.5},
        correlations={"agitation": {"severity": 0.4, "expectancy": 0.3}},
        between_sites_sd=0.0,
    )
    drawn = draw(scenario)
    check_calibration(drawn, "probability")
    check_calibration(drawn, "known")


def test_what_a_site_shares_is_in_the_truth() -> None:
    scenario = state(WITHOUT_ITEMS, {"sites": 5}, tied_to_site={"expectancy": 1.0})
    simulated = simulate_trials(scenario.with_participants(200), seed=1)
    sites = simulated.sites.set_index("siteid")
    assert set(sites.index) == set(simulated.participants["siteid"])
    by_site = simulated.participants.groupby("siteid")["expectancy"].first()
    ranked = by_site.loc[sites.sort_values("expectancy").index]
    assert ranked.is_monotonic_increasing


def test_in_a_trial_with_one_site_nothing_is_tied() -> None:
    before, after = (
        draw(state(WITHOUT_ITEMS, tied_to_site=ties)) for ties in ({}, {"expectancy": 1.0})
    )
    assert np.array_equal(before.values["expectancy"], after.values["expectancy"])


def test_blocks_share_the_deviates_of_a_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "_BLOCK", 1000)
    drawn = draw(state(WITHOUT_ITEMS, {"sites": 50}, tied_to_site={"expectancy": 1.0}))
    assert (pd.Series(drawn.values["expectancy"]).groupby(drawn.site).nunique() == 1).all()


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


STRONG = {
    "agitation": {**AGITATION, "prognostic": 0.2, "predictive": 0.2},
    "age_years": {**AGE, "prognostic": 0.3},
    "expectancy": {
        "centre": 6,
        "unit": 2,
        "predictive": 0.3,
        "curves": [{"shape": "hinge", "prognostic": 0.2}],
    },
}
CORRELATED = {"agitation": {"severity": 0.3, "expectancy": 0.4}, "age_years": {"expectancy": 0.5}}


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
