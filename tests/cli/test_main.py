"""The command line: exit codes, one message, JSON alone on standard output."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glabella import __version__
from glabella.cli import main

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def run(monkeypatch, capsys) -> Callable[..., Done]:
    """Run the command line in this process: a process of its own takes seconds to import."""

    def run_here(*arguments: object, cwd: Path | None = None) -> Done:
        words = ["glabella", *map(str, arguments)]
        handlers: dict[int, Any] = {
            number: signal.getsignal(number)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        }
        capsys.readouterr()
        code: Any = 0
        with monkeypatch.context() as patched:
            patched.setattr(sys, "argv", words)
            if cwd is not None:
                patched.chdir(cwd)
            try:
                main.run()
            except SystemExit as ended:
                code = ended.code or 0
            finally:
                for number, handler in handlers.items():
                    signal.signal(number, handler)
        return Done(words, code, *capsys.readouterr())

    return run_here


def run_apart(*arguments: object) -> Done:
    """Run it as a user does, in a process of its own."""
    command = [sys.executable, "-m", "glabella", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_help_lists_the_verbs_and_each_shows_an_example(run):
    listed = run("--help")
    assert listed.returncode == 0
    verbs = ("init", "simulate", "check", "train", "compare", "promote", "score", "explain")
    for verb in (*verbs, "report"):
        assert verb in listed.stdout
        shown = run(verb, "--help")
        assert shown.returncode == 0
        assert f"Example: glabella {verb}" in " ".join(shown.stdout.split())


def test_the_version_is_printed():
    assert run_apart("--version").stdout.strip() == __version__


@pytest.mark.parametrize("arguments", [["trian"], ["train"], ["train", "x", "--workers", "none"]])
def test_wrong_usage_exits_with_2(run, arguments):
    assert run(*arguments).returncode == 2


def test_init_copies_and_never_overwrites(run, tmp_path, checkout):
    assert run("init", tmp_path / "study").returncode == 0
    copied = {path.relative_to(tmp_path / "study") for path in (tmp_path / "study").rglob("*.yaml")}
    shipped = {
        path.relative_to(checkout)
        for folder in ("features", "models", "pipelines")
        for path in (checkout / folder).rglob("*.yaml")
    }
    assert copied == shipped
    again = run("init", tmp_path / "study")
    assert again.returncode == 1
    assert "nothing is overwritten" in again.stderr


def test_check_prints_json_and_nothing_else(small_project):
    done = run_apart("check", "small", "--project", small_project, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["n"] == 120


def test_report_writes_the_page_again(run, trained, tmp_path):
    project, result = trained
    done = run("report", "small", "--project", project, "--out", tmp_path / "again.html")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.html").read_text() == Path(result.report).read_text()
    lost = run("report", "other", "--project", project, "--out", tmp_path / "other.html")
    assert (lost.returncode, (tmp_path / "other.html").exists()) == (1, False)
    assert "There are: small." in lost.stderr


def test_score_prints_its_summary_as_json(run, trained, new_patients, tmp_path):
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    done = run(
        "score", tmp_path / "new.csv", "--out", tmp_path / "scores.csv",
        "--model", trained[1].bundle, "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {
        "rows",
        "scored",
        "refused",
        "refused_by_reason",
        "out_of_domain",
        "output",
        "model",
    } <= set(json.loads(done.stdout))


def test_score_reads_the_column_of_a_later_visit(run, trained_early, new_patients, tmp_path):
    early = new_patients.assign(depression_total_week_2=new_patients["depression_total"] // 2)
    early.to_csv(tmp_path / "new.csv", index=False)
    new_patients.to_csv(tmp_path / "baseline.csv", index=False)
    arguments = ("--model", trained_early[1].bundle, "--json")
    done = run("score", tmp_path / "new.csv", "--out", tmp_path / "scores.csv", *arguments)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scored"] == 30
    refused = run("score", tmp_path / "baseline.csv", "--out", tmp_path / "none.csv", *arguments)
    assert refused.returncode == 1
    assert "the table lacks the column 'depression_total_week_2'" in refused.stderr


def _edit(project: Path, file: str, old: str, new: str) -> None:
    path = project / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


FAULTS = {
    "a missing file": (
        lambda p: (p / "participants.csv").unlink(),
        ["participants.csv", "there is no such file", "assessments.csv"],
    ),
    "an unknown column": (
        lambda p: _edit(p, "pipelines/small.yaml", "age_years: age,", "age_years: aeg,"),
        ["pipelines/small.yaml:", "no column 'aeg'", "Did you mean 'age'?"],
    ),
    "an unknown feature": (
        lambda p: _edit(p, "features/clinical.yaml", "{name: age_years}", "{name: age_yaers}"),
        ["features/clinical.yaml:", "no variable 'age_yaers'", "Did you mean 'age_years'?"],
    ),
    "an unknown feature set": (
        lambda p: _edit(p, "pipelines/small.yaml", "features: clinical", "features: clincal"),
        ["pipelines/small.yaml:", "no feature set 'clincal'", "Did you mean 'clinical'?"],
    ),
    "an unknown candidate": (
        lambda p: _edit(p, "pipelines/small.yaml", "ridge, xgboost", "rigde, xgboost"),
        ["pipelines/small.yaml:", "no candidate 'rigde'", "Did you mean 'ridge'?"],
    ),
    "a code that the dictionary lacks": (
        lambda p: _edit(p, "participants.csv", ",F,", ",W7,"),
        ["participants.csv, column 'sex'", "1 of 120 values", "codes F, M"],
    ),
    "a value out of range": (
        lambda p: _edit(p, "assessments.csv", "frown_max,0,", "frown_max,0,9"),
        ["assessments.csv, column 'aval' (frown_max)", "outside 0 to 3"],
    ),
    "a duplicated participant": (
        lambda p: (p / "participants.csv").write_text(
            (p / "participants.csv").read_text()
            + (p / "participants.csv").read_text().splitlines()[3]
            + "\n"
        ),
        ["participants.csv", "1 rows repeat a participant"],
    ),
    "a week that no visit covers": (
        lambda p: _edit(
            p, "pipelines/small.yaml", "6\n  window: [4, 8]", "20\n  window: [18, 22]"
        ),
        ["no visit of trial 'alpha'", "weeks 18 to 22", "0, 6"],
    ),
    "one class only": (
        lambda p: _edit(p, "pipelines/small.yaml", "fraction: 0.5", "fraction: 1.0"),
        ["every one of 120 did not respond"],
    ),
    "one arm only": (
        lambda p: (p / "participants.csv").write_text(
            (p / "participants.csv").read_text().replace(",placebo,", ",bont,")
        ),
        ["uses the arm", "are in one"],
    ),
    "an empty table": (
        lambda p: (p / "participants.csv").write_text(""),
        ["participants.csv", "the file is empty"],
    ),
    "a header only": (
        lambda p: (p / "participants.csv").write_text(
            (p / "participants.csv").read_text().splitlines()[0] + "\n"
        ),
        ["participants.csv", "a header and no rows"],
    ),
    "a repeated key": (
        lambda p: _edit(p, "pipelines/small.yaml", "seed: 7", "seed: 7\nseed: 8"),
        ["pipelines/small.yaml:4", "a key appears twice"],
    ),
    "a misspelt key": (
        lambda p: _edit(p, "pipelines/small.yaml", "inner_folds: 2", "inner_flods: 2"),
        ["pipelines/small.yaml:", "unknown key 'inner_flods'", "Did you mean 'inner_folds'?"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_ends_in_one_message_and_nothing_half_written(run, small_project, fault):
    break_it, expected = FAULTS[fault]
    break_it(small_project)
    before = sorted(path for path in (small_project / "mlruns").rglob("*"))
    done = run("train", "small", "--project", small_project, "--workers", 1)
    message = done.stderr.split("glabella: ", 1)[1]
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for part in expected:
        assert part in message
    assert "P-0" not in message
    assert "W7" not in message
    assert sorted(path for path in (small_project / "mlruns").rglob("*")) == before


def test_a_refusal_in_a_process_of_its_own_ends_it_with_1(small_project):
    break_it, [place, *_] = FAULTS["an unknown column"]
    break_it(small_project)
    done = run_apart("train", "small", "--project", small_project, "--workers", 1)
    assert (done.returncode, done.stdout) == (1, "")
    assert place in done.stderr and "Traceback" not in done.stderr


def test_simulate_needs_a_folder_unless_it_calibrates(run, checkout):
    done = run("simulate", "bont_pooled", cwd=checkout)
    assert done.returncode == 2
    assert "--out" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_calibration_prints_each_figure_beside_its_distribution(run, checkout, tmp_path):
    arguments = ("simulate", "bont_pooled", "--calibration", "--replicates", "20")
    done = run(*arguments, "--out", tmp_path / "calibration", cwd=checkout)
    assert done.returncode == 0, done.stderr
    assert "60 published figures and 20 simulations from seed 1" in done.stdout
    assert "Response, %, finzi2014, active, week 6" in done.stdout
    assert sorted(path.name for path in (tmp_path / "calibration").iterdir()) == [
        "agitation.svg",
        "baselines.svg",
        "calibration.csv",
        "calibration.md",
        "courses.svg",
    ]
    printed = json.loads(run(*arguments, "--json", cwd=checkout).stdout)
    assert printed["replicates"] == 20 and len(printed["figures"]) == 60
    assert sum(printed["verdicts"].values()) == 60


def test_a_scenario_of_which_nothing_is_published_is_not_calibrated(run, checkout):
    done = run("simulate", "no_signal", "--calibration", cwd=checkout)
    assert done.returncode == 1
    assert "nothing is published on any of its trials" in done.stderr


def test_a_calibration_takes_no_option_of_the_tables(run, checkout):
    arguments = ("simulate", "bont_pooled", "--calibration", "--participants", "5000")
    done = run(*arguments, cwd=checkout)
    assert done.returncode == 2
    assert "a calibration writes no tables" in " ".join(done.stderr.split())


def test_fewer_participants_than_arms_are_refused(run, checkout, tmp_path):
    done = run("simulate", "predictive", "--out", tmp_path, "--participants", "3", cwd=checkout)
    assert done.returncode == 1
    assert "3 participants are fewer than the 6 arms" in done.stderr


def test_an_impossible_scenario_is_refused_with_its_line(run, checkout, tmp_path):
    assert run("init", tmp_path / "study").returncode == 0
    path = tmp_path / "study" / "pipelines" / "scenarios" / "predictive.yaml"
    text = path.read_text(encoding="utf-8")
    line = 1 + text[: text.index("rating_error")].count("\n")
    path.write_text(text.replace("rating_error: 0.12", "rating_error: -0.12"), encoding="utf-8")
    done = run("simulate", "predictive", "--out", "tables", cwd=tmp_path / "study")
    assert done.returncode == 1
    assert f"predictive.yaml:{line}: 'rating_error'" in done.stderr
    assert not (tmp_path / "study" / "tables").exists()


def test_scoring_from_a_bundle_folder_imports_neither_mlflow_nor_shap(
    trained, new_patients, tmp_path
):
    new_patients.to_csv(tmp_path / "new.csv", index=False)
    arguments = [
        "score", str(tmp_path / "new.csv"), "--out", str(tmp_path / "scores.csv"),
        "--model", str(trained[1].bundle),
    ]  # fmt: skip
    code = (
        f"import sys; from glabella.cli.main import app; app({arguments!r}, standalone_mode=False);"
        "print({'mlflow', 'shap', 'matplotlib', 'statsmodels'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()"
    assert (tmp_path / "scores.csv").exists()
