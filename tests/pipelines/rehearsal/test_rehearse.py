"""Rehearsal: repeats are sound, kept, taken up again, and refused where they can't be counted."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from typer.testing import CliRunner

import glabella
from glabella.analysis.loaded.load import load_sample
from glabella.analysis.loaded.tables import map_simulated
from glabella.analysis.resolve import resolve_analysis
from glabella.atomic import FolderLock
from glabella.cli.main import app
from glabella.data.dictionary import TotalDefinition
from glabella.definitions.locate import Project, find_project
from glabella.errors import AnalysisError, DataError, DefinitionError
from glabella.pipelines.rehearsal.fresh_trials import (
    list_used,
    load_rehearsed,
    simulate_all_followed,
)
from glabella.pipelines.rehearsal.rehearse import Rehearsal
from glabella.pipelines.rehearsal.repeat import find_true_roles
from glabella.pipelines.rehearsal.store import ChunkStore
from glabella.reporting.figures.drawing import render_svg
from glabella.simulation.frames import simulate_tables
from glabella.simulation.generate import draw_trials
from glabella.simulation.scenario.reading import read_scenario
from glabella.simulation.scenario.trials import Dropout
from glabella.tracking.runs import list_finished
from glabella.tracking.store import open_store

ROOT = Path(__file__).resolve().parents[3]
ANALYSIS = """\
kind: analysis
description: Severity and ridge, quickly
seed: 3
data: {simulate: predictive}
arms:
  - {name: bont, label: BoNT/A, role: active}
  - {name: placebo, label: Placebo, role: control}
endpoint:
  {rule: response, of: depression_total, fraction: 0.5, week: 6, window: [4, 8], missing: observed_only}
features: agitation
models: [severity, ridge]
effort: quick
validation:
  pooled: {folds: 3, repeats: 1}
  across: leave_one_trial_out
  inner_folds: 2
explanation: {refits: 0, permutations: 0}
"""  # noqa: E501
REPEATS, SIZE = 6, 200

SAME = ("repeat", "n", "events", "chosen", "verdict", "failure")


def make_project(folder: Path) -> Path:
    for name in ("features", "models", "pipelines"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "pipelines" / "quick.yaml").write_text(ANALYSIS)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _small_chunks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glabella.pipelines.rehearsal.rehearse.CHUNK_SIZE", 2)
        yield


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rehearsal]:
    home = make_project(tmp_path_factory.mktemp("rehearsed") / "project")
    return home, glabella.rehearse(
        "quick", repeats=REPEATS, participants=SIZE, project=home, workers=1
    )


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"{name}.parquet")


class TestARehearsal:
    def test_tells_estimate_truth_and_coverage_of_each_design(self, rehearsed) -> None:
        _, result = rehearsed
        table = result.frame().set_index(["design", "candidate", "kind", "measure"]).sort_index()
        for design, kind in (("pooled", "estimate"), ("across", "mean over trials")):
            row = table.loc[(design, "ridge", kind, "auc")]
            assert row["repeats"] == REPEATS
            assert 0.55 < row["truth"] < 0.75
            assert abs(row["bias"]) < 5 * row["bias_error"]
            assert 0.6 <= row["coverage"] <= 1.0
        assert (table.loc[("across", "ridge")].index.get_level_values(0) == "estimate").any()
        shown = result.describe()
        assert f"{REPEATS} repeats" in shown and "in a trial that had no part in it" in shown

    def test_holds_the_same_as_json_as_tables_and_as_figure(self, rehearsed) -> None:
        _, result = rehearsed
        plain = json.loads((result.folder / "rehearsal.json").read_text())
        assert plain == json.loads(json.dumps(result.as_json(), allow_nan=False))
        assert plain["statement"] == result.describe()
        assert len(pd.read_csv(result.folder / "summary.csv")) == len(plain["figures"])
        assert set(read(result.folder, "figures")["repeat"]) == set(range(REPEATS))
        picture = (result.folder / "rehearsal.svg").read_text()
        assert "Simulated" in picture and "coverage" in picture
        assert len(result.plot().axes) == 5
        assert picture == render_svg(result.plot()).decode()

    def test_is_a_run_of_its_own_and_no_training(self, rehearsed) -> None:
        home, result = rehearsed
        from glabella.tracking.store import load_mlflow

        client = load_mlflow().MlflowClient(tracking_uri=f"sqlite:///{home}/mlruns/mlflow.db")
        run = client.get_run(result.run_id)
        assert run.info.status == "FINISHED"
        assert run.data.tags["origin"] == "simulated"
        coverage = result.frame().set_index(["design", "candidate", "kind", "measure"])["coverage"]
        assert run.data.metrics["pooled.ridge.estimate.auc.coverage"] == pytest.approx(
            coverage["pooled", "ridge", "estimate", "auc"]
        )
        names = {item.path for item in client.list_artifacts(result.run_id, "rehearsal")}
        assert {"rehearsal/rehearsal.json", "rehearsal/figures.parquet"} <= names
        assert list_finished(open_store(find_project(home), create=False)) == []

    def test_does_not_depend_on_the_number_of_workers(self, rehearsed, tmp_path) -> None:
        home, result = rehearsed
        other = glabella.rehearse(
            "quick",
            repeats=REPEATS,
            participants=SIZE,
            project=home,
            workers=2,
            out=tmp_path / "out",
        )
        for name in ("figures", "claims"):
            pd.testing.assert_frame_equal(read(other.folder, name), read(result.folder, name))
        for column in SAME:
            pd.testing.assert_series_equal(
                read(other.folder, "repeats")[column], read(result.folder, "repeats")[column]
            )

    def test_goes_on_where_it_was(self, rehearsed, tmp_path) -> None:
        home, result = rehearsed
        folder = tmp_path / "out"
        shutil.copytree(result.folder, folder)
        stages = []
        more = glabella.rehearse(
            "quick", repeats=REPEATS + 2, participants=SIZE, project=home, workers=1, out=folder,
            progress=lambda stage, done, total: stages.append((stage, done, total)),
        )  # fmt: skip
        assert ("rehearsing", REPEATS, REPEATS + 2) in stages
        assert ("rehearsing", 1, REPEATS + 2) not in stages
        assert more.repeats == REPEATS + 2
        before = read(folder, "figures")
        pd.testing.assert_frame_equal(
            before[before["repeat"] < REPEATS].reset_index(drop=True),
            read(result.folder, "figures"),
        )

    def test_repeats_of_another_definition_are_refused(self, rehearsed, tmp_path) -> None:
        home, result = rehearsed
        folder, other = tmp_path / "out", tmp_path / "project"
        shutil.copytree(result.folder, folder)
        shutil.copytree(home, other)
        with pytest.raises(AnalysisError, match="another definition: --participants changed"):
            glabella.rehearse("quick", repeats=REPEATS, project=other, out=folder, participants=300)
        ridge = other / "models" / "ridge.yaml"
        ridge.write_text(ridge.read_text() + "settings: {c: 0.5}\n")
        with pytest.raises(AnalysisError, match=r"models/ridge\.yaml changed") as refused:
            glabella.rehearse(
                "quick", repeats=REPEATS, participants=SIZE, project=other, out=folder
            )
        assert "--out" in (refused.value.remedy or "")

    def test_a_size_that_is_the_scenarios_own_is_no_other_definition(self, rehearsed) -> None:
        home, _ = rehearsed
        from glabella.pipelines.rehearsal.rehearse import _describe_definition, _make_plan

        stated = read_scenario(find_project(home), "predictive").value
        described = [
            _describe_definition(
                _make_plan(
                    "quick", find_project(home), scenario=None, truth="analysis",
                    participants=participants, trials=trials,
                )[1],
                stated,
            )
            for participants, trials in (
                (None, None), (stated.size, None), (stated.size, len(stated.trials)), (SIZE, None),
            )
        ]  # fmt: skip
        assert described[0] == described[1] == described[2] != described[3]

    def test_a_folder_of_something_else_is_left_alone(self, project, tmp_path) -> None:
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(DataError, match="something else"):
            glabella.rehearse("quick", repeats=10, project=project, out=tmp_path, workers=1)
        assert (tmp_path / "notes.txt").read_text() == "mine"
        with pytest.raises(DataError, match="it is a file"):
            glabella.rehearse(
                "quick", repeats=10, project=project, out=tmp_path / "notes.txt", workers=1
            )
        assert not list(tmp_path.glob(".lock"))

    @pytest.mark.parametrize("broken", ["truncated", "lacking", "no chunks"])
    def test_repeats_that_can_not_be_read_are_run_again(self, rehearsed, tmp_path, broken) -> None:
        home, result = rehearsed
        folder = tmp_path / "out"
        shutil.copytree(result.folder, folder)
        path = folder / "chunks" / "000002" / "figures.parquet"
        if broken == "truncated":
            path.write_bytes(path.read_bytes()[:-200])
        elif broken == "lacking":
            path.with_name("claims.parquet").unlink()
        else:
            for chunk in sorted((folder / "chunks").iterdir())[1:]:
                shutil.rmtree(chunk)
        stages = []
        glabella.rehearse(
            "quick", repeats=4, participants=SIZE, project=home, workers=1, out=folder,
            progress=lambda stage, done, total: stages.append((stage, done)),
        )  # fmt: skip
        assert ("rehearsing", 3) in stages and ("rehearsing", 1) not in stages
        for name in ("figures", "claims"):
            before = read(result.folder, name)
            pd.testing.assert_frame_equal(
                read(folder, name), before[before["repeat"] < 4].reset_index(drop=True)
            )

    def test_what_is_broken_within_is_named(self, rehearsed, tmp_path) -> None:
        home, result = rehearsed
        folder = tmp_path / "out"
        shutil.copytree(result.folder, folder)
        path = folder / "chunks" / "000000" / "figures.parquet"
        content = bytearray(path.read_bytes())
        content[4:200] = bytes(196)
        path.write_bytes(bytes(content))
        asked = {"repeats": REPEATS, "participants": SIZE, "project": home, "out": folder}
        with pytest.raises(DataError, match="chunks/000000 can't be read") as refused:
            glabella.rehearse("quick", **asked, workers=1)
        assert "Remove that folder" in (refused.value.remedy or "")
        (folder / "definition.json").write_text("{")
        with pytest.raises(DataError, match=r"its definition\.json can't be read"):
            glabella.rehearse("quick", **asked, workers=1)

    def test_candidates_that_failed_and_the_size_are_said(self, rehearsed, tmp_path) -> None:
        home, result = rehearsed
        assert result.with_failed_candidates == 0
        folder = tmp_path / "out"
        shutil.copytree(result.folder, folder)
        path = folder / "chunks" / "000002" / "repeats.parquet"
        pd.read_parquet(path).assign(failed_candidates=[0, 1]).to_parquet(path, index=False)
        command = [
            "rehearse", "quick", "--repeats", str(REPEATS), "--participants", str(SIZE),
            "--project", str(home), "--out", str(folder), "--workers", "1",
        ]  # fmt: skip
        said = CliRunner().invoke(app, command)
        assert said.exit_code == 0
        assert f"failed  some candidate, in 1 of {REPEATS} repeats" in said.stdout
        assert f"size    {SIZE} participants in 3 trials" in said.stdout

    def test_a_folder_is_of_one_rehearsal_at_a_time(self, rehearsed, tmp_path) -> None:
        home, result = rehearsed
        folder = tmp_path / "out"
        shutil.copytree(result.folder, folder)
        lock = FolderLock(folder)
        lock.take()
        asked = {"repeats": REPEATS, "participants": SIZE, "project": home, "out": folder}
        with pytest.raises(DataError, match="another rehearsal is writing"):
            glabella.rehearse("quick", **asked, workers=1)
        lock.release()
        assert glabella.rehearse("quick", **asked, workers=1).finished == REPEATS

    def test_an_interrupt_leaves_what_was_finished(self, project, tmp_path, monkeypatch) -> None:
        folder = tmp_path / "out"
        monkeypatch.setattr("glabella.pipelines.rehearsal.rehearse.CHUNK_SIZE", 10)

        def stop(stage: str, done: int, total: int) -> None:
            if (stage, done) == ("rehearsing", 3):
                raise KeyboardInterrupt

        asked = {"repeats": 5, "participants": SIZE, "project": project, "out": folder}
        with pytest.raises(KeyboardInterrupt):
            glabella.rehearse("quick", **asked, workers=1, progress=stop)
        assert [path.name for path in (folder / "chunks").iterdir()] == ["000000"]
        stages = []
        result = glabella.rehearse(
            "quick", **asked, workers=1,
            progress=lambda stage, done, total: stages.append((stage, done)),
        )  # fmt: skip
        assert ("rehearsing", 3) in stages and ("rehearsing", 2) not in stages
        assert read(folder, "repeats")["repeat"].tolist() == list(range(5)) and result.finished == 5
        assert sorted(path.name for path in (folder / "chunks").iterdir()) == ["000000", "000003"]


class TestRefusals:
    def test_one_trial_that_is_to_be_left_out(self, project) -> None:
        with pytest.raises(AnalysisError, match="one trial alone") as refused:
            glabella.rehearse("quick", repeats=5, trials=1, project=project)
        assert "--trials" in (refused.value.remedy or "")
        assert not (project / "mlruns" / "rehearsed").exists()

    def test_no_repeats(self, project) -> None:
        with pytest.raises(AnalysisError, match="0 repeats show nothing"):
            glabella.rehearse("quick", repeats=0, project=project)

    def test_an_analysis_of_real_data(self, project) -> None:
        with pytest.raises(AnalysisError, match="real data") as refused:
            glabella.rehearse("cdystonia", scenario="predictive", repeats=5, project=project)
        assert "simulate: SCENARIO" in (refused.value.remedy or "")

    def test_a_scenario_that_does_not_exist(self, project) -> None:
        with pytest.raises(DefinitionError, match="nothing_here"):
            glabella.rehearse("quick", scenario="nothing_here", repeats=5, project=project)

    def test_a_scenario_without_truth_of_the_features(self, project) -> None:
        # Three of its trials rate no items, so agitation is in none of theirs.
        with pytest.raises(AnalysisError, match="'bont_pooled' has no truth") as refused:
            glabella.rehearse("quick", scenario="bont_pooled", repeats=5, project=project)
        assert not (project / "mlruns" / "rehearsed").exists()
        assert refused.value.remedy

    def test_fewer_participants_than_arms(self, project) -> None:
        with pytest.raises(DefinitionError, match="fewer than the 6 arms"):
            glabella.rehearse("quick", repeats=5, participants=5, project=project)

    def test_repeats_that_all_fail_are_one_refusal(self, project) -> None:
        path = project / "pipelines" / "quick.yaml"
        path.write_text(path.read_text().replace("folds: 3", "folds: 50"))
        with pytest.raises(AnalysisError, match=r"no repeat could be evaluated: .*folds"):
            glabella.rehearse("quick", repeats=3, participants=48, project=project, workers=1)


def test_repeats_that_fail_are_counted_and_the_others_summed_up(project) -> None:
    path = project / "pipelines" / "quick.yaml"
    path.write_text(path.read_text().replace("folds: 3", "folds: 13"))
    result = glabella.rehearse("quick", repeats=10, participants=44, project=project, workers=2)
    assert 0 < sum(result.failures.values()) < 10
    assert result.finished == 10 - sum(result.failures.values())
    assert result.frame()["repeats"].max() <= result.finished


def test_a_full_disk_leaves_what_was_finished_and_nothing_half_written(
    project, tmp_path, monkeypatch
) -> None:
    folder, written = tmp_path / "out", []
    write = pd.DataFrame.to_parquet

    def fill_up(frame: pd.DataFrame, path: Path, **more: object) -> None:
        if len(written) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(path)
        write(frame, path, **more)

    monkeypatch.setattr(pd.DataFrame, "to_parquet", fill_up)
    with pytest.raises(DataError, match="No space left on device") as refused:
        glabella.rehearse(
            "quick", repeats=4, participants=SIZE, project=project, out=folder, workers=1
        )
    assert "finished repeats are kept" in (refused.value.remedy or "")
    assert sorted(path.name for path in (folder / "chunks").iterdir()) == ["000000"]
    monkeypatch.undo()
    result = glabella.rehearse(
        "quick", repeats=4, participants=SIZE, project=project, out=folder, workers=1
    )
    assert result.finished == 4


def _list_workers(parent: int) -> Iterator[int]:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            is_child = f"\nPPid:\t{parent}\n" in (entry / "status").read_text()
        except OSError:
            continue
        if is_child and "loky" in command and "resource_tracker" not in command:
            yield int(entry.name)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds workers in /proc")
def test_a_killed_worker_is_said_so_and_the_same_command_goes_on(project, tmp_path) -> None:
    folder = tmp_path / "out"
    command = [
        sys.executable, "-m", "glabella", "rehearse", "quick", "--repeats", "400",
        "--participants", str(SIZE), "--workers", "2", "--project", str(project),
        "--out", str(folder),
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        until = time.monotonic() + 120
        while time.monotonic() < until and not any((folder / "chunks").glob("[0-9]*")):
            time.sleep(0.2)
        for worker in list(_list_workers(running.pid))[:1]:
            os.kill(worker, signal.SIGKILL)
        message = running.communicate(timeout=120)[1]
    assert running.returncode == 1
    assert "a worker was killed" in message and "finished repeats are kept" in message
    finished = len(list((folder / "chunks").glob("[0-9]*")))
    assert finished >= 1
    result = glabella.rehearse(
        "quick", repeats=2, participants=SIZE, project=project, out=folder, workers=1
    )
    assert result.finished == 2


def test_each_repeat_is_another_draw_and_the_same_each_time(project) -> None:
    from glabella.pipelines.rehearsal.rehearse import _make_plan

    _, plan = _make_plan(
        "quick", find_project(project), scenario=None, participants=None, trials=None,
        truth="analysis",
    )  # fmt: skip
    first, again, other = (load_rehearsed(plan, number) for number in (0, 0, 1))
    assert first.data_hash == again.data_hash != other.data_hash
    assert first.resolved.analysis.value.seed != other.resolved.analysis.value.seed


def test_a_left_out_trial_weighs_as_its_pairs_or_its_participants(rehearsed) -> None:
    from glabella.pipelines.rehearsal.rehearse import _make_plan

    home, result = rehearsed
    _, plan = _make_plan(
        "quick", find_project(home), scenario=None, participants=SIZE, trials=None,
        truth="analysis",
    )  # fmt: skip
    sample = load_rehearsed(plan, 1).sample
    responded, trials = sample.outcomes[0].astype(bool), list(dict.fromkeys(sample.trial))

    def count_pairs(trial: str, active: bool) -> int:
        mine = (sample.trial == trial) & (sample.active == active)
        return sum(
            int((responded & cell).sum() * (~responded & cell).sum())
            for cell in (mine & (sample.cohort == cohort) for cohort in set(sample.cohort[mine]))
        )

    figures = read(result.folder, "figures")
    mine = figures[(figures["repeat"] == 1) & (figures["design"] == "across")]
    weights = mine[mine["kind"] == "estimate"].groupby("measure")["weight"].first()
    left_out = trials[1]
    assert weights["brier"] == pytest.approx((sample.trial == left_out).mean())
    for measure, active in (("auc", True), ("auc_control", False)):
        counts = [count_pairs(trial, active) for trial in trials]
        assert weights[measure] == pytest.approx(counts[1] / sum(counts))


def test_true_roles_are_those_of_the_scenario() -> None:
    home = Project(definitions=ROOT, home=ROOT)
    resolved = resolve_analysis("predictive", home)
    roles = find_true_roles(resolved, read_scenario(home, "predictive").value)
    assert roles == {
        "severity": "prognostic",
        "agitation": "predictive",
        "age_years": "neither",
        "illness_months": "prognostic",
        "resistance": "neither",
    }
    varied = find_true_roles(resolved, read_scenario(home, "varied_trials").value)
    assert varied["age_years"] == varied["resistance"] == "prognostic"
    scenario = read_scenario(home, "predictive").value
    between = scenario.between_trials.model_copy(update={"predictive_sd": 0.1})
    differing = find_true_roles(resolved, scenario.model_copy(update={"between_trials": between}))
    assert differing["illness_months"] == "prognostic and predictive"


def test_a_truth_of_all_followed_lets_no_arm_drop_out() -> None:
    home = Project(definitions=ROOT, home=ROOT)
    scenario = read_scenario(home, "predictive").value
    leaving = Dropout(share=0.5, by_week=6)
    [trial, *_] = scenario.trials
    arms = tuple(arm.model_copy(update={"dropout": leaving}) for arm in trial.arms)
    left = scenario.model_copy(update={"trials": (trial.model_copy(update={"arms": arms}),)})
    [drawn] = draw_trials(simulate_all_followed(left), seed=1)
    assert drawn.stays.all()


def test_leaving_out_what_is_not_read_changes_nothing(project) -> None:
    resolved = resolve_analysis("quick", find_project(project))
    assert resolved.scenario is not None
    scenario = resolved.scenario.value
    used = list_used(resolved, scenario)
    assert {"depression_total", "hamd09", "age_years"} <= used
    assert used.isdisjoint({"believed_arm", "hamd05"})
    whole, less = (
        load_sample(resolved, map_simulated(resolved, simulate_tables(scenario, seed=4, only=only)))
        for only in (None, used)
    )
    assert_frame_equal(whole.features.frame, less.features.frame)
    np.testing.assert_array_equal(whole.outcomes, less.outcomes)
    np.testing.assert_array_equal(whole.strata, less.strata)


def test_a_totals_items_are_read_where_it_is_not_recorded_or_one_is_left_out(project) -> None:
    resolved = resolve_analysis("quick", find_project(project))
    assert resolved.scenario is not None
    read, items = resolved.dictionary, ("hamd04", "hamd05")
    known = dict(read.value.variables)
    known["depression_total"] = known["depression_total"].model_copy(
        update={"total": TotalDefinition(items=items)}
    )
    dictionary = replace(read, value=read.value.model_copy(update={"variables": known}))
    asked = resolved.analysis
    endpoint = asked.value.endpoint.model_copy(update={"without": ("hamd04",)})
    analysis = replace(asked, value=asked.value.model_copy(update={"endpoint": endpoint}))
    with_total = replace(resolved, dictionary=dictionary)
    scenario = resolved.scenario.value
    assert list_used(with_total, scenario).isdisjoint(items)
    assert list_used(replace(with_total, analysis=analysis), scenario) >= set(items)


@pytest.mark.parametrize("linked", ["rehearsed", "rehearsed/chunks", "rehearsed/.lock"])
def test_a_rehearsal_is_not_kept_through_a_link(tmp_path: Path, linked: str) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "thesis.docx").write_text("precious")
    link = tmp_path / linked
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(theirs if link.name != ".lock" else theirs / "thesis.docx")
    store = ChunkStore(tmp_path / "rehearsed")
    with pytest.raises(DataError, match=r"it is a link|something else"), store.open({"a": "b"}):
        pass
    assert [path.name for path in theirs.iterdir()] == ["thesis.docx"]
    assert (theirs / "thesis.docx").read_text() == "precious"
