"""The shipped scenario reproduces the published figures, or says which it does not and why."""

import numpy as np
import pandas as pd
import pytest

from glabella.data.evidence import Evidence, PublishedFinding
from glabella.simulation.generate import TrialDraw, draw_trials
from glabella.simulation.published.published_check import calibrate, measure
from glabella.simulation.scenario.definition import Scenario

from ..conftest import PROJECT, enlarge, read


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return PROJECT.read("features", "evidence", Evidence).value


@pytest.fixture(scope="module")
def table(bont_pooled: Scenario, evidence: Evidence) -> pd.DataFrame:
    return calibrate(bont_pooled, evidence, seed=1, replicates=150)


def test_every_published_figure_agrees_but_those_that_contradict_others(
    table: pd.DataFrame,
) -> None:
    differs = table[table["verdict"] == "differs"]
    assert differs["published"].tolist() == [9.8, 0.98, 8.39]
    assert differs["why"].str.contains("; conflict: ").all()
    counts = table["verdict"].value_counts().to_dict()
    assert counts["not held against"] == 2
    assert counts["not simulated"] == 1
    assert counts["agrees"] > 45


def test_agreement_is_what_the_columns_say(table: pd.DataFrame) -> None:
    held = table[table["verdict"] == "agrees"]
    assert ((held["low"] <= held["published"]) & (held["published"] <= held["high"])).all()
    pooled = held[held["what"].str.contains(r"wollmer2012 \+ finzi2014", regex=True)]
    assert len(pooled) >= 9
    apart = (pooled["mean"] - pooled["published"]).abs()
    assert (apart <= pooled["standard_error"] / 2).all()


def test_the_open_conflict_on_remission_is_shown(table: pd.DataFrame) -> None:
    rows = table[table["why"].str.contains("add up to 16")]
    assert rows["what"].tolist() == [
        "Remission, %, wollmer2012 + finzi2014 + magid2014, active, week 6"
    ]


def test_a_scenario_that_is_off_is_found_out(bont_pooled: Scenario, evidence: Evidence) -> None:
    trials = tuple(
        trial.model_copy(update={"background": trial.background + 0.3})
        for trial in bont_pooled.trials
    )
    shifted = bont_pooled.model_copy(update={"trials": trials})
    found = calibrate(shifted, evidence, seed=1, replicates=40)
    differs = found.loc[found["verdict"] == "differs", "what"]
    assert "Response, %, wollmer2012 + finzi2014 + magid2014, control, week 6" in set(differs)
    assert len(differs) > 8


def test_the_active_comparator_has_the_published_adverse_events(evidence: Evidence) -> None:
    found = calibrate(read("active_control"), evidence, seed=1, replicates=60)
    assert found["verdict"].tolist() == ["agrees", "agrees"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"items": False}, "wollmer2012 is not simulated by item"),
        ({"weeks": (0.0, 2.0, 4.0, 6.0)}, ""),
        ({"self_report": None}, ""),
    ],
)
def test_what_a_changed_scenario_does_not_hold_is_said(
    bont_pooled: Scenario, evidence: Evidence, change: dict, reason: str
) -> None:
    trials = tuple(trial.model_copy(update=change) for trial in bont_pooled.trials[:1])
    changed = bont_pooled.model_copy(update={"trials": trials})
    found = calibrate(changed, evidence, seed=1, replicates=20)
    missing = found.loc[found["verdict"] == "not simulated", "why"].tolist()
    assert missing == ([reason] if reason else [])


def test_a_trial_without_the_visit_or_the_cohort_is_not_measured(
    bont_pooled: Scenario, evidence: Evidence
) -> None:
    [brin] = [trial for trial in bont_pooled.trials if trial.id == "brin2020"]
    arms = tuple(arm.model_copy(update={"cohort": "A"}) for arm in brin.arms[:2])
    other = brin.model_copy(update={"arms": arms, "weeks": (0.0, 6.0), "sites": 1})
    changed = bont_pooled.model_copy(update={"trials": (other,)})
    found = calibrate(changed, evidence, seed=1, replicates=20)
    reasons = set(found.loc[found["verdict"] == "not simulated", "why"])
    assert reasons == {
        "brin2020 has no visit at week 3",
        "brin2020 has no visit at week 9",
        "brin2020 has no visit at week 15",
        "brin2020 has no visit at week 24",
        "brin2020 has no cohort 30U",
        "brin2020 has no cohort 50U",
    }


def finding(**given: object) -> PublishedFinding:
    stated = {"trials": ("finzi2014",), "value": 1.0, "source": "x", "confidence": "read"}
    return PublishedFinding(**{**stated, **given})


@pytest.fixture(scope="module")
def drawn(bont_pooled: Scenario) -> TrialDraw:
    return draw_trials(enlarge(bont_pooled, "finzi2014", 300), seed=3)[0]


def test_figures_are_of_those_with_a_score_as_they_were_published(drawn: TrialDraw) -> None:
    """Finzi's 52 and 15 % are of the 74 analysed of 85 randomised."""
    last = drawn.find_seen("depression_total", 6)
    seen, first = ~np.isnan(last), drawn.scores["depression_total"][:, 0]
    assert 0 < seen.sum() < len(seen)
    for arm, active in (("active", True), ("control", False)):
        mine = seen & (drawn.is_active == active)
        by_hand = float((last[mine] <= first[mine] / 2).mean())
        assert measure(finding(of="response", arm=arm), {"finzi2014": drawn}) == by_hand
    assert measure(finding(of="left"), {"finzi2014": drawn}) == (~seen).mean()


def test_measures_are_as_computed_by_hand(drawn: TrialDraw) -> None:
    last, first = drawn.find_seen("depression_total", 6), drawn.scores["depression_total"][:, 0]
    seen = ~np.isnan(last)
    active, control = (seen & (drawn.is_active == role) for role in (True, False))
    fall = first - last
    percent = 100 * fall / first
    trials = {"finzi2014": drawn}
    assert measure(finding(of="fall_percent", arm="active"), trials) == pytest.approx(
        percent[active].mean()
    )
    points = fall[active].mean() - fall[control].mean()
    assert measure(finding(of="difference_points"), trials) == pytest.approx(points)
    n, m = active.sum(), control.sum()
    pooled = np.sqrt(
        ((n - 1) * fall[active].var(ddof=1) + (m - 1) * fall[control].var(ddof=1)) / (n + m - 2)
    )
    assert measure(finding(of="standardised_difference"), trials) == pytest.approx(points / pooled)
    assert measure(finding(of="remission", arm="active"), trials) == (last[active] <= 10).mean()


def test_the_best_item_is_the_best_of_all_in_either_direction(bont_pooled: Scenario) -> None:
    from sklearn.metrics import roc_auc_score

    drawn = draw_trials(bont_pooled, seed=2)[0]
    last = drawn.find_seen("depression_total", 6)
    mine = drawn.is_active & ~np.isnan(last)
    responded = (last <= drawn.scores["depression_total"][:, 0] / 2)[mine]
    areas = [
        roc_auc_score(responded, drawn.scores[f"hamd{number:02d}"][mine, 0])
        for number in range(1, 18)
    ]
    expected = max(max(area, 1 - area) for area in areas)
    found = measure(
        finding(of="best_item_auc", trials=("wollmer2012",), arm="active"),
        {"wollmer2012": drawn},
    )
    assert found == pytest.approx(expected)
