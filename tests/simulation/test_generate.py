"""Simulated tables look like the published trials, and are read like real ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from glabella.data.dictionary import read_dictionary
from glabella.data.evidence import Evidence
from glabella.data.ingest.mapping import map_trial, read_trial
from glabella.data.tables import PatientTables, hash_tables
from glabella.definitions.locate import Project
from glabella.definitions.reader import Origin
from glabella.domain.scales import SCALES
from glabella.errors import DataError, GlabellaError
from glabella.simulation.generate import (
    CANONICAL_SOURCE,
    Simulated,
    simulate_trials,
    write_simulated,
)
from glabella.simulation.scenario import Scenario, read_scenario

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Project(definitions=ROOT, home=ROOT)
# Half a second each; enough to see a rate that is off by a few hundredths in the larger arms.
SEEDS = range(24)
ARM = ["studyid", "cohort", "arm"]
WRITTEN = Origin(name="pipelines/bont_pooled.yaml", text="", lines={})


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return read_scenario(PROJECT, "bont_pooled").value


@pytest.fixture(scope="module")
def many(scenario: Scenario) -> list[Simulated]:
    return [simulate_trials(scenario, seed=seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def simulated(many: list[Simulated]) -> Simulated:
    return many[1]


def spread_totals(simulated: Simulated) -> pd.DataFrame:
    """Put each participant's totals side by side, a column a week."""
    scores = simulated.assessments.query("paramcd == 'depression_total'")
    wide = scores.pivot(index="usubjid", columns="week", values="aval")
    return simulated.participants.join(wide, on="usubjid")


def count_responders(simulated: Simulated) -> pd.DataFrame:
    wide = spread_totals(simulated).dropna(subset=[6])
    responded = (wide[6] <= wide[0] / 2).groupby([wide[name] for name in ARM])
    return responded.agg(responders="sum", seen="size")


def map_tables(simulated: Simulated) -> PatientTables:
    return map_trial(
        CANONICAL_SOURCE,
        simulated.raw_tables(),
        read_dictionary(PROJECT).value,
        origin="simulated",
        written=WRITTEN,
        keys=("data", "simulate"),
    )


def test_the_same_seed_gives_the_same_tables(scenario: Scenario, many: list[Simulated]) -> None:
    again = simulate_trials(scenario, seed=1)
    for name in ("participants", "assessments", "new_patients", "truth"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(many[1], name))
        assert not getattr(again, name).equals(getattr(many[2], name))


def test_a_trial_added_at_the_end_changes_none_before_it(
    scenario: Scenario, simulated: Simulated
) -> None:
    fewer = simulate_trials(scenario.model_copy(update={"trials": scenario.trials[:-1]}), seed=1)
    for name in ("participants", "assessments", "truth"):
        before = getattr(simulated, name)
        before = before[before["studyid"] != "onadep2024"]
        pd.testing.assert_frame_equal(before, getattr(fewer, name))


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
    assert doses.first().dropna().to_dict() == {
        ("wollmer2012", "", "F"): 29,
        ("wollmer2012", "", "M"): 39,
        ("finzi2014", "", "F"): 29,
        ("finzi2014", "", "M"): 40,
        ("magid2014", "", "F"): 29,
        ("magid2014", "", "M"): 39,
        ("brin2020", "30U", "F"): 30,
        ("brin2020", "50U", "F"): 50,
    }
    assert (people.loc[people["arm"] == "placebo", "dose_units"] == 0).all()
    assert people.loc[people["studyid"] == "onadep2024", "dose_units"].isna().all()


def test_response_over_many_seeds_is_the_declared_rate(
    scenario: Scenario, many: list[Simulated]
) -> None:
    counts = sum(count_responders(item) for item in many)
    for trial in scenario.trials:
        for arm in trial.arms:
            k, n = counts.loc[(trial.id, arm.cohort, arm.code), ["responders", "seen"]]
            z = (k - n * arm.response) / np.sqrt(n * arm.response * (1 - arm.response))
            assert abs(z) < 4, (trial.id, arm.cohort, arm.code)


def test_response_in_one_seed_agrees_with_the_published_count(simulated: Simulated) -> None:
    counts = count_responders(simulated)
    for item in PROJECT.read("features", "evidence", Evidence).value.response_week6:
        k, n = counts.loc[(item.trial, "", item.arm), ["responders", "seen"]]
        rate = item.responders / item.analysed if item.responders else 0.5 / (item.analysed + 1)
        low, high = binom.interval(0.999, n, rate)
        assert low <= k <= high, (item.trial, item.arm)


def test_the_arms_of_brin_differ_as_published(many: list[Simulated]) -> None:
    wide = pd.concat([spread_totals(item) for item in many]).query("studyid == 'brin2020'")
    change = (wide[6] - wide[0]).groupby([wide["cohort"], wide["arm"]]).mean()
    # Brin 2020: -3.7 points with 30 U, standard error 1.91; +1.3 with 50 U.
    assert -7.45 < change["30U", "bont"] - change["30U", "placebo"] < -1
    assert -1 < change["50U", "bont"] - change["50U", "placebo"] < 4


def test_baselines_are_eligible_and_on_the_scale(many: list[Simulated]) -> None:
    wide = pd.concat([spread_totals(item) for item in many[:10]])
    least = wide.groupby("studyid")[0].min()
    assert (least["finzi2014"], least["magid2014"]) >= (26, 14)
    for scale, totals in wide.groupby("scale")[0]:
        assert totals.max() <= SCALES[str(scale)].maximum


def test_items_add_to_the_total_and_stay_within_their_maxima(simulated: Simulated) -> None:
    rows = simulated.assessments
    scales = simulated.participants.set_index("usubjid")["scale"]
    items = rows[rows["paramcd"].str.fullmatch(r"hamd\d\d")]
    totals = rows[rows["paramcd"] == "depression_total"].set_index(["usubjid", "week"])["aval"]
    wide = items.pivot(index=["usubjid", "week"], columns="paramcd", values="aval")
    pd.testing.assert_series_equal(
        wide.sum(axis=1), totals.loc[wide.index].astype(float), check_names=False
    )
    for scale in ("hamd17", "hamd21"):
        maxima = SCALES[scale].item_maxima
        mine = wide[wide.index.get_level_values("usubjid").map(scales) == scale]
        mine = mine.dropna(axis=1, how="all")
        assert list(mine) == [f"hamd{number:02d}" for number in range(1, len(maxima) + 1)]
        assert ((mine >= 0) & (mine <= np.array(maxima))).all(axis=None)


def test_items_exist_only_where_the_scale_is_the_hamilton(simulated: Simulated) -> None:
    rows = simulated.assessments
    trials = rows.loc[rows["paramcd"].str.startswith("hamd"), "studyid"].unique()
    assert sorted(trials) == ["magid2014", "wollmer2012"]


def test_lines_at_rest_are_never_deeper_than_at_maximum_frown(simulated: Simulated) -> None:
    rows = simulated.assessments
    wide = rows.pivot_table(index=["usubjid", "week"], columns="paramcd", values="aval")
    assert (wide["frown_rest"] <= wide["frown_max"]).all()
    assert wide["frown_max"].between(0, 3).all()
    assert wide["frown_rest"].between(0, 3).all()


def test_only_injected_frown_muscles_relax(simulated: Simulated) -> None:
    rows = simulated.assessments.query("paramcd == 'frown_max'")
    wide = rows.pivot(index="usubjid", columns="week", values="aval")
    people = simulated.participants.set_index("usubjid")
    change = (wide[6] - wide[0]).dropna().groupby(people["arm"])
    assert change.mean()["bont"] < -1
    assert change.min()["placebo"] == change.max()["placebo"] == 0
    assert change.min()["crows_feet"] == change.max()["crows_feet"] == 0


def test_magid_admitted_moderate_lines_or_worse(many: list[Simulated]) -> None:
    rows = pd.concat([item.assessments for item in many])
    baseline = rows.query("studyid == 'magid2014' and paramcd == 'frown_max' and week == 0")
    assert baseline["aval"].min() == 2


def test_nobody_returns_and_all_have_a_baseline(simulated: Simulated) -> None:
    for _, wide in spread_totals(simulated).groupby("studyid"):
        weeks = [column for column in wide.columns if isinstance(column, float)]
        seen = wide[weeks].dropna(axis=1, how="all").notna().to_numpy()
        assert seen[:, 0].all()
        assert (np.diff(seen.astype(int), axis=1) <= 0).all()


@pytest.mark.parametrize(
    ("trial", "week", "gone"),
    [("wollmer2012", 16, 0.0), ("finzi2014", 6, 0.129), ("brin2020", 24, 0.46)],
)
def test_as_many_leave_as_declared(
    many: list[Simulated], trial: str, week: int, gone: float
) -> None:
    wide = pd.concat([spread_totals(item) for item in many]).query("studyid == @trial")
    left, n = wide[week].isna().sum(), len(wide)
    assert abs(left - n * gone) <= 4 * np.sqrt(n * gone * (1 - gone))


def test_leaving_has_nothing_to_do_with_the_arm(many: list[Simulated]) -> None:
    wide = pd.concat([spread_totals(item) for item in many]).query("studyid == 'brin2020'")
    left = wide[24].isna().groupby(wide["arm"]).agg(["mean", "size"])
    error = np.sqrt((0.46 * 0.54 / left["size"]).sum())
    assert abs(left["mean"].diff().iloc[-1]) < 4 * error


def test_mapped_tables_keep_the_dictionary(many: list[Simulated]) -> None:
    for item in many[:5]:
        tables = map_tables(item)
        assert tables.n == 461
        assert tables.origin == "simulated"


def test_tables_read_back_are_the_tables_in_memory(simulated: Simulated, tmp_path: Path) -> None:
    written = write_simulated(simulated, tmp_path / "out")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in written] == [
        "participants.csv",
        "assessments.csv",
        "new_patients.csv",
        "truth/truth.csv",
    ]
    mapped = map_tables(simulated)
    read = read_trial(
        CANONICAL_SOURCE,
        tmp_path / "out",
        read_dictionary(PROJECT).value,
        origin="simulated",
        written=WRITTEN,
        keys=("data", "simulate"),
    )
    pd.testing.assert_frame_equal(mapped.participants, read.participants)
    pd.testing.assert_frame_equal(mapped.assessments, read.assessments)
    assert hash_tables(mapped) == hash_tables(read)


def test_nothing_is_overwritten(simulated: Simulated, tmp_path: Path) -> None:
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "truth.csv").write_text("mine")
    with pytest.raises(DataError, match="is there already, and nothing is overwritten"):
        write_simulated(simulated, tmp_path)
    assert (tmp_path / "truth" / "truth.csv").read_text() == "mine"
    assert not (tmp_path / "participants.csv").exists()


def test_a_finished_folder_holds_no_partial_file(simulated: Simulated, tmp_path: Path) -> None:
    written = write_simulated(simulated, tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(written)


def find_faults(table: pd.DataFrame) -> pd.Series:
    """Say which rows break a rule, by rules written here anew; sound rows are False."""
    highest = table["scale"].map({name: scale.maximum for name, scale in SCALES.items()})
    total = pd.to_numeric(table["depression_total"], errors="coerce")
    sound = total.between(1, highest) & table["scale"].isin(["hamd17", "madrs", "hamd21"])
    for column, low, high in (("age_years", 18, 95), ("illness_months", 0, 720)):
        sound &= pd.to_numeric(table[column], errors="coerce").between(low, high)
    for column in ("frown_max", "frown_rest"):
        sound &= table[column].isin(["0", "1", "2", "3"])
    sound &= table["sex"].isin(["F", "M"]) & table["antidepressant"].isin(["yes", "no"])
    return ~(sound & (table["usubjid"] != "") & ~table["usubjid"].duplicated(keep="first"))


def test_twenty_of_two_hundred_new_patients_are_faulty(many: list[Simulated]) -> None:
    for item in many[:10]:
        table = item.new_patients
        assert table.shape == (200, 9)
        assert table.map(lambda cell: isinstance(cell, str)).all(axis=None)
        assert find_faults(table).sum() == 20


def test_faults_are_all_different_and_spread_over_the_table(many: list[Simulated]) -> None:
    places = []
    for item in many[:3]:
        faulty = find_faults(item.new_patients)
        places.append(tuple(np.flatnonzero(faulty)))
        assert places[-1][0] < 70
        assert places[-1][-1] > 130
        rows = item.new_patients[faulty]
        for column, texts in {
            "age_years": {"forty", "-41", "140"},
            "sex": {"X", "female"},
            "depression_total": {"", "99", "-4", "severe", "0"},
            "scale": {"hamd", ""},
            "frown_max": {"7", "1.5"},
            "illness_months": {"-1", "inf"},
        }.items():
            assert rows[column].isin(texts).sum() == len(texts)
    assert len(set(places)) == 3


def test_more_faulty_rows_than_kinds_are_refused(scenario: Scenario) -> None:
    wanted = scenario.new_patients.model_copy(update={"faulty": 21})
    with pytest.raises(GlabellaError, match="21 faulty rows were asked for; there are 20 kinds"):
        simulate_trials(scenario.model_copy(update={"new_patients": wanted}), seed=1)
