"""Levels, sites and leaving are as stated, and the stated probabilities include them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from glabella.analysis.loaded.tables import map_simulated
from glabella.analysis.resolve import resolve_analysis
from glabella.data.dictionary import Dictionary
from glabella.simulation import generate
from glabella.simulation.export import write_simulated
from glabella.simulation.frames import simulate_tables, simulate_trials
from glabella.simulation.generate import TrialDraw, draw_effects, draw_trials
from glabella.simulation.limits import tabulate_arms
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.mechanism import Nominal

from .conftest import PROJECT, read
from .stated import (
    REGION,
    WITH_ITEMS,
    WITHOUT_ITEMS,
    N,
    check_calibration,
    draw,
    find_response,
    find_role,
    state,
)


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


def test_other_participants_of_the_same_trial_share_what_its_sites_share() -> None:
    scenario = state(WITHOUT_ITEMS, {"sites": 5}, tied_to_site={"expectancy": 1.0})
    effects = draw_effects(scenario, scenario.trials[0], seed=1)
    [first] = draw_trials(scenario, seed=1)
    [others] = draw_trials(scenario, seed=2, effects=[effects])
    by_site = [
        pd.Series(drawn.values["expectancy"]).groupby(drawn.site).first()
        for drawn in (first, others)
    ]
    pd.testing.assert_series_equal(*by_site)
    assert not np.array_equal(first.values["age_years"], others.values["age_years"])


def test_in_a_trial_with_one_site_nothing_is_tied() -> None:
    before, after = (
        draw(state(WITHOUT_ITEMS, tied_to_site=ties)) for ties in ({}, {"expectancy": 1.0})
    )
    assert np.array_equal(before.values["expectancy"], after.values["expectancy"])


def test_blocks_share_the_deviates_of_a_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "_BLOCK", 1000)
    drawn = draw(state(WITHOUT_ITEMS, {"sites": 50}, tied_to_site={"expectancy": 1.0}))
    assert (pd.Series(drawn.values["expectancy"]).groupby(drawn.site).nunique() == 1).all()
