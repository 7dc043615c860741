"""What is written is read back to the same features and outcomes, whatever the format."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glabella
from glabella.analysis.loaded.load import LoadedAnalysis, load_analysis
from glabella.data.tables import hash_tables
from glabella.definitions.locate import Project
from glabella.errors import DataError
from glabella.simulation.export import write_simulated
from glabella.simulation.frames import Simulated, simulate_trials
from glabella.simulation.scenario.definition import Scenario

from .conftest import PROJECT, ROOT

SEED = 20210416  # of the shipped analysis


@pytest.fixture(scope="module")
def simulated(bont_pooled: Scenario) -> Simulated:
    return simulate_trials(bont_pooled, seed=SEED)


@pytest.fixture(scope="module")
def in_memory() -> LoadedAnalysis:
    return load_analysis("bont_pooled", PROJECT)


@pytest.mark.parametrize("format", ["csv", "parquet", "adam"])
def test_features_and_outcomes_are_read_back_to_the_last_digit(
    simulated: Simulated, in_memory: LoadedAnalysis, tmp_path: Path, format: str
) -> None:
    write_simulated(simulated, tmp_path, format=format)
    read = load_analysis("bont_pooled", PROJECT, data=tmp_path)
    pd.testing.assert_frame_equal(read.features.frame, in_memory.features.frame)
    pd.testing.assert_frame_equal(read.outcomes.frame, in_memory.outcomes.frame)
    assert np.array_equal(read.sample.outcomes, in_memory.sample.outcomes)
    for name in ("trial", "site", "cohort", "arm", "active"):
        assert np.array_equal(getattr(read.sample, name), getattr(in_memory.sample, name)), name
    assert read.tables.origin == "simulated"
    if format != "adam":
        assert hash_tables(read.tables) == hash_tables(in_memory.tables)


def test_adam_keeps_every_item_total_and_event(
    simulated: Simulated, in_memory: LoadedAnalysis, tmp_path: Path
) -> None:
    write_simulated(simulated, tmp_path, format="adam")
    read = load_analysis("bont_pooled", PROJECT, data=tmp_path).tables
    keys = ["studyid", "usubjid", "paramcd", "week"]

    def order(frame: pd.DataFrame) -> pd.DataFrame:
        plain = frame.astype(dict.fromkeys(keys[:3], str))
        return plain.sort_values(keys).reset_index(drop=True)[[*keys, "aval"]]

    pd.testing.assert_frame_equal(order(read.assessments), order(in_memory.tables.assessments))
    before, after = in_memory.tables.participants, read.participants
    for name in ("age_years", "illness_months", "dose_units", "headache", "eyelid_ptosis", "sex"):
        assert before[name].astype(str).tolist() == after[name].astype(str).tolist(), name
    had = before[["usubjid", "headache"]].query("headache == '1'")["usubjid"]
    assert set(had) == set(simulated.events.query("event == 'headache'")["usubjid"])


def test_adam_datasets_hold_what_the_standard_asks_of_them(
    simulated: Simulated, tmp_path: Path
) -> None:
    import pyreadstat

    write_simulated(simulated, tmp_path, format="adam")
    adsl = pyreadstat.read_xport(tmp_path / "finzi2014" / "adsl.xpt")[0]
    assert len(adsl) == 85 and adsl["USUBJID"].is_unique
    assert {"STUDYID", "SITEID", "TRT01P", "TRT01A", "ITTFL", "AGEU", "SEX"} <= set(adsl)
    adqs = pyreadstat.read_xport(tmp_path / "wollmer2012" / "adqs.xpt")[0]
    assert {"DEPTOT", "FRMAX", "FRREST", "BDI", "HAMD01", "HAMD17"} <= set(adqs["PARAMCD"])
    assert (
        adqs.groupby(["USUBJID", "PARAMCD"])["ABLFL"].apply(lambda f: (f == "Y").sum()).eq(1).all()
    )
    later = adqs[adqs["AVISITN"] > 0]
    assert (later["CHG"] == later["AVAL"] - later["BASE"]).all()
    assert (later["ADY"] == 7 * later["AVISITN"] + 1).all()
    assert all(len(name) <= 8 for name in [*adsl, *adqs])


def test_the_files_are_named_and_nothing_else_is_left(simulated: Simulated, tmp_path: Path) -> None:
    written = write_simulated(simulated, tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        "participants.csv",
        "assessments.csv",
        "adverse_events.csv",
        "new_patients.csv",
        "truth/truth.csv",
        "truth/variables.csv",
        "truth/terms.csv",
        "truth/arms.csv",
        "truth/sites.csv",
        "truth/limits.csv",
    ]
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(written)


@pytest.mark.parametrize("format", ["csv", "adam"])
def test_nothing_is_overwritten(simulated: Simulated, tmp_path: Path, format: str) -> None:
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "truth.csv").write_text("mine")
    with pytest.raises(DataError, match="already exists, and nothing is overwritten"):
        write_simulated(simulated, tmp_path, format=format)
    assert (tmp_path / "truth" / "truth.csv").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["truth"]


def test_a_write_that_fails_half_way_leaves_nothing(
    simulated: Simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("glabella.simulation.export._write_parquet", fail)
    with pytest.raises(DataError, match="can't be written: No space left on device"):
        write_simulated(simulated, tmp_path, format="parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_made_is_refused(simulated: Simulated, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="can't be written"):
        write_simulated(simulated, tmp_path / "file" / "out")


def test_the_verb_simulates_any_number_of_participants(tmp_path: Path) -> None:
    paths = glabella.simulate(
        "predictive", out=tmp_path / "small", participants=60, seed=2, project=ROOT
    )
    assert len(pd.read_csv(paths[0])) == 60


def test_a_home_without_the_tables_says_which_file_is_missing(tmp_path: Path) -> None:
    home = Project(definitions=ROOT, home=tmp_path)
    with pytest.raises(DataError, match=r"participants\.csv"):
        load_analysis("bont_pooled", home, data=tmp_path)


def test_visits_between_whole_weeks_are_read_back(bont_pooled: Scenario, tmp_path: Path) -> None:
    trials = tuple(
        trial.model_copy(update={"weeks": (0.0, 2.5, *(w for w in trial.weeks if w > 2.5))})
        for trial in bont_pooled.trials
    )
    simulated = simulate_trials(bont_pooled.model_copy(update={"trials": trials}), seed=SEED)
    for format in ("csv", "adam"):
        write_simulated(simulated, tmp_path / format, format=format)
    in_csv, in_adam = (
        load_analysis("bont_pooled", PROJECT, data=tmp_path / format).tables.assessments
        for format in ("csv", "adam")
    )
    for read in (in_csv, in_adam):
        assert (read["week"] == 2.5).sum() == (in_csv["week"] == 2.5).sum() > 1000


def test_a_trial_in_which_nobody_had_an_event_is_read_back(
    simulated: Simulated, tmp_path: Path
) -> None:
    without = simulated.events["studyid"] != "magid2014"
    people = simulated.participants
    of_trial = people["studyid"] == "magid2014"
    flags = ("headache", "eyelid_ptosis")
    quiet = people.assign(**{name: people[name].mask(of_trial, "0") for name in flags})
    changed = replace(simulated, events=simulated.events[without], participants=quiet)
    write_simulated(changed, tmp_path, format="adam")
    read = load_analysis("bont_pooled", PROJECT, data=tmp_path).tables.participants
    magid = read[read["studyid"] == "magid2014"]
    assert set(magid["headache"].astype(str)) == set(magid["eyelid_ptosis"].astype(str)) == {"0"}


def test_an_interrupt_between_files_leaves_none(
    simulated: Simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Path] = []

    def interrupt(partial: Path, target: Path) -> None:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(target)
        partial.rename(target)

    monkeypatch.setattr("glabella.simulation.export.publish", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_simulated(simulated, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["participants.csv", "truth"])
def test_tables_are_not_written_through_a_link(
    simulated: Simulated, tmp_path: Path, name: str
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    folder = tmp_path / "simulated"
    folder.mkdir()
    (folder / name).symlink_to(theirs if name == "truth" else theirs / "new.csv")
    with pytest.raises(DataError, match=r"nothing is overwritten|it is a link"):
        write_simulated(simulated, folder)
    assert list(theirs.iterdir()) == []
    assert [path.name for path in folder.iterdir()] == [name]
