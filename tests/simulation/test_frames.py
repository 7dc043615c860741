"""Simulated trials as the tables that a data team would deliver."""

import pandas as pd
import pytest

from glabella.simulation.frames import Simulated, simulate_tables
from glabella.simulation.scenario.definition import Scenario

from .conftest import spread


def test_doses_follow_sex_and_cohort(many: list[Simulated]) -> None:
    people = pd.concat([item.participants for item in many])
    doses = people.query("arm == 'bont'").groupby(["studyid", "cohort", "sex"])["dose_units"]
    assert doses.nunique().max() == 1
    found = doses.first().to_dict()
    assert found["wollmer2012", "", "F"] == 29 and found["wollmer2012", "", "M"] == 39
    assert found["finzi2014", "", "M"] == 40
    assert found["brin2020", "30U", "F"] == 30 and found["brin2020", "50U", "F"] == 50
    assert (people.loc[people["arm"] == "placebo", "dose_units"] == 0).all()


def test_items_exist_only_where_the_scale_is_the_hamilton(simulated: Simulated) -> None:
    rows = simulated.assessments.astype({"paramcd": object, "studyid": object})
    trials = rows.loc[rows["paramcd"].str.startswith("hamd"), "studyid"].unique()
    assert sorted(trials) == ["magid2014", "wollmer2012"]


def test_a_belief_is_asked_at_the_endpoint_and_of_nobody_who_had_left(
    simulated: Simulated,
) -> None:
    wide = spread(simulated)
    assert (wide["believed_arm"].notna() == wide[6].notna()).all()


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


def test_the_truth_stands_beside_each_participant_in_the_same_order(simulated: Simulated) -> None:
    truth = simulated.truth
    assert truth["usubjid"].tolist() == simulated.participants["usubjid"].tolist()
    assert (truth["benefit"] == truth["probability_active"] - truth["probability_control"]).all()


def test_each_event_is_marked_of_its_participant(simulated: Simulated) -> None:
    people = simulated.participants.set_index("usubjid")
    for name, rows in simulated.events.groupby("event"):
        assert set(rows["usubjid"]) == set(people.index[people[str(name)] == "1"])
