"""Batch scoring beside bare loops that read, predict and write, as ratios within one run.

Each job and each bare loop is a process of its own, with as many threads as there are cores; memory
is the highest that the process held.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
from scipy.special import logit

import glabella

NUMBERS = tuple(f"number_{at:02d}" for at in range(1, 13))
GRADES = tuple(f"grade_{at}" for at in range(1, 5))
CODES = tuple(f"code_{at}" for at in range(1, 4))
SEVERITY = "depression_total"
FEATURES = (*NUMBERS, *GRADES, *CODES, SEVERITY)

_DICTIONARY = """\
kind: dictionary
description: Twenty invented variables
variables:
  {severity}: {{label: Depression total, type: score, scale: hamd17, timing: visit}}
"""
_ANALYSIS = """\
kind: analysis
description: A model of twenty features
seed: 1
data:
  trials:
    - name: pooled
      participants:
        file: participants.csv
        id: usubjid
        trial: studyid
        arm: arm
        variables: {{{mapped}}}
      assessments:
        - {{file: assessments.csv, id: usubjid, trial: studyid, parameter: paramcd, week: week,
            value: aval}}
arms:
  - {{name: bont, label: BoNT/A, role: active}}
  - {{name: placebo, label: Placebo, role: control}}
endpoint: {{rule: response, of: {severity}, fraction: 0.5, week: 6, window: [4, 8],
  missing: non_responder}}
features: twenty
models: [trees]
validation: {{pooled: {{folds: 3, repeats: 1}}, inner_folds: 2}}
explanation: {{refits: 0, permutations: 0}}
"""
_CANDIDATE = """\
kind: candidate
description: A hundred boosted trees
estimator: xgboost
settings: {n_trees: 100, max_depth: 4, learning_rate: 0.1}
"""


def draw_patients(n: int, *, seed: int, first: int = 0) -> pd.DataFrame:
    """Draw patients with twenty features.

    Parameters
    ----------
    n : int
        How many.
    seed : int
        Of the draw.
    first : int
        The number of the first one.

    Returns
    -------
    DataFrame
        An identifier and a column a feature; one in fifty numbers is missing.
    """
    draw = np.random.default_rng([seed, first])
    columns: dict[str, object] = {
        "usubjid": pd.Series(np.arange(first, first + n), dtype="int64[pyarrow]").astype(
            "string[pyarrow]"
        )
    }
    for name in NUMBERS:
        values = np.clip(draw.normal(50.0, 12.0, n), 1.0, 99.0)
        values[draw.random(n) < 0.02] = np.nan
        columns[name] = values
    for name in GRADES:
        columns[name] = draw.integers(0, 4, n).astype(float)
    for name in CODES:
        columns[name] = draw.integers(0, 2, n)
    columns[SEVERITY] = draw.integers(15, 35, n).astype(float)
    return pd.DataFrame(columns)


def make_bundle(project: Path) -> Path:
    """Train a model of twenty features in two invented trials.

    Parameters
    ----------
    project : Path
        An empty folder.

    Returns
    -------
    Path
        The bundle.
    """
    for name in ("features", "models", "pipelines"):
        (project / name).mkdir(parents=True)
    codes = "{'0': none, '1': some}"
    variables = [
        *(
            f"  {n}: {{label: {n}, type: number, range: [0, 100], timing: baseline}}"
            for n in NUMBERS
        ),
        *(f"  {n}: {{label: {n}, type: ordinal, range: [0, 3], timing: baseline}}" for n in GRADES),
        *(
            f"  {n}: {{label: {n}, type: category, codes: {codes}, timing: baseline}}"
            for n in CODES
        ),
    ]
    (project / "features" / "dictionary.yaml").write_text(
        _DICTIONARY.format(severity=SEVERITY) + "\n".join(variables) + "\n", encoding="utf-8"
    )
    names = [f"  - {{name: {name}}}" for name in FEATURES if name != SEVERITY]
    (project / "features" / "twenty.yaml").write_text(
        "kind: feature_set\ndescription: Twenty features\npredict_at: baseline\nfeatures:\n"
        f"  - {{name: severity, builder: baseline_score, of: {SEVERITY}}}\n"
        + "\n".join(names)
        + "\n",
        encoding="utf-8",
    )
    (project / "models" / "trees.yaml").write_text(_CANDIDATE, encoding="utf-8")
    mapped = ", ".join(f"{name}: {name}" for name in FEATURES if name != SEVERITY)
    (project / "pipelines" / "twenty.yaml").write_text(
        _ANALYSIS.format(severity=SEVERITY, mapped=mapped), encoding="utf-8"
    )
    people = draw_patients(3000, seed=1)
    people["studyid"] = np.where(np.arange(len(people)) % 2, "beta", "alpha")
    people["arm"] = np.where(np.arange(len(people)) % 4 < 2, "bont", "placebo")
    pull = (people[NUMBERS[0]].fillna(50) + people[NUMBERS[1]].fillna(50) - 100) / 20
    pull += people[GRADES[0]] * 0.4 - 0.8 + (people["arm"] == "bont")
    responded = np.random.default_rng(2).random(len(people)) < 1 / (1 + np.exp(-pull))
    later = np.where(responded, people[SEVERITY] // 3, people[SEVERITY] - 2)
    visits = [
        people[["studyid", "usubjid"]].assign(paramcd=SEVERITY, week=week, aval=values)
        for week, values in ((0, people[SEVERITY]), (6, later))
    ]
    pd.concat(visits).to_csv(project / "assessments.csv", index=False)
    people.drop(columns=SEVERITY).to_csv(project / "participants.csv", index=False)
    return Path(glabella.train("twenty", project=project).bundle)


BARE = """
import sys
import pandas, pyarrow, pyarrow.parquet, xgboost, numpy
table, out, trees, names = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4].split(",")
booster = xgboost.Booster(model_file=trees)
writer = None
for batch in pyarrow.parquet.ParquetFile(table).iter_batches(65536):
    columns = [batch.column(name).to_numpy(zero_copy_only=False) for name in names]
    probability = booster.inplace_predict(numpy.column_stack(columns))
    rows = pyarrow.record_batch({"usubjid": batch.column("usubjid"), "p": probability})
    writer = writer or pyarrow.parquet.ParquetWriter(out, rows.schema)
    writer.write_batch(rows)
writer.close()
"""
BARE_CONTRIBUTIONS = """
import sys
import pandas, pyarrow.parquet, xgboost, numpy
table, trees, names = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
booster = xgboost.Booster(model_file=trees)
frame = pyarrow.parquet.read_table(table, columns=names).to_pandas()[names]
booster.predict(xgboost.DMatrix(frame.to_numpy(dtype=float)), pred_contribs=True)
"""
BARE_SMALL = """
import sys
import pandas, xgboost
table, out, trees, names = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4].split(",")
frame = pandas.read_csv(table)
booster = xgboost.Booster(model_file=trees)
frame["p"] = booster.inplace_predict(frame[names].to_numpy(dtype=float))
frame[["usubjid", "p"]].to_csv(out, index=False)
"""


def write_patients(path: Path, n: int) -> Path:
    """Write patients as Parquet, half a million at a time.

    Parameters
    ----------
    path : Path
        The file.
    n : int
        How many.

    Returns
    -------
    Path
        The file.
    """
    writer = None
    for first in range(0, n, 500_000):
        rows = draw_patients(min(500_000, n - first), seed=7, first=first)
        table = pyarrow.Table.from_pandas(rows, preserve_index=False)
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    return path


def run(command: list[str]) -> tuple[float, float]:
    """Run a program to its end.

    Parameters
    ----------
    command : list of str
        The program.

    Returns
    -------
    tuple of float
        Seconds, and the most memory that it held, in MB.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0.0
    # What the system counts at the end also counts the process that started it.
    while process.poll() is None:
        peak = max(peak, _read_peak(process.pid))
        time.sleep(0.02)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"a program ended with status {process.returncode}: {command[:4]}")
    return seconds, peak


def _read_peak(process: int) -> float:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1e3
    return 0.0


class Jobs:
    """A bundle, and the commands that score with it.

    Parameters
    ----------
    folder : Path
        Where files are written.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.bundle = make_bundle(folder / "project")
        self.trees = str(next(self.bundle.glob("*.ubj")))
        # The order of the model's columns: severity first, then the feature set's.
        self.names = ",".join([SEVERITY, *(name for name in FEATURES if name != SEVERITY), "arm"])

    def ours(self, table: Path, out: str, *more: str) -> list[str]:
        """Give the command of a scoring job; its output is removed before.

        Parameters
        ----------
        table : Path
            The patients.
        out : str
            The output's name.
        *more : str
            Further options.

        Returns
        -------
        list of str
            The command.
        """
        target = self.folder / out
        target.unlink(missing_ok=True)
        program = [sys.executable, "-m", "glabella", "score", str(table), "--out", str(target)]
        return [*program, "--model", str(self.bundle), *more]

    def bare(self, code: str, *arguments: object) -> list[str]:
        """Give the command of a bare program.

        Parameters
        ----------
        code : str
            Its text.
        *arguments : object
            Before the model and the names of its columns.

        Returns
        -------
        list of str
            The command.
        """
        return [sys.executable, "-c", code, *map(str, arguments), self.trees, self.names]


def show_probabilities(jobs: Jobs, sizes: list[int], times: int) -> None:
    """Compare probabilities from Parquet to Parquet with a bare loop.

    Parameters
    ----------
    jobs : Jobs
        The model.
    sizes : list of int
        Numbers of rows, the smallest first.
    times : int
        Runs of each, of which the best counts.
    """
    first_peak = None
    for n in sizes:
        table = write_patients(jobs.folder / "patients.parquet", n)
        # The bare loop is given the arm as a column; scoring takes it from the bundle.
        bare_table = jobs.folder / "bare.parquet"
        _add_arm(table, bare_table)
        best = {"ours": float("inf"), "bare": float("inf")}
        peak = 0.0
        for _ in range(times):
            out = jobs.folder / "bare_out.parquet"
            best["bare"] = min(best["bare"], run(jobs.bare(BARE, bare_table, out))[0])
            seconds, held = run(jobs.ours(table, "out.parquet", "--reasons", "0"))
            best["ours"], peak = min(best["ours"], seconds), max(peak, held)
        _compare_outputs(jobs)
        first_peak = first_peak or peak
        ratio = best["bare"] / best["ours"]
        print(
            f"{n} rows, probabilities: {ratio:.2f} of the rate of a bare loop "
            f"({_judge(ratio >= 0.5)}, 0.5 at 10^7), {n / best['ours']:,.0f} rows/s; at most "
            f"{peak:.0f} MB ({_judge(peak < 1500)}, 1500), {peak / first_peak:.2f} times that of "
            f"{sizes[0]} rows",
            flush=True,
        )


def show_reasons(jobs: Jobs, n: int, times: int) -> None:
    """Compare three reasons a row with XGBoost's own contributions.

    Parameters
    ----------
    jobs : Jobs
        The model.
    n : int
        Rows.
    times : int
        Runs of each, of which the best counts.
    """
    table = write_patients(jobs.folder / "patients.parquet", n)
    bare_table = jobs.folder / "bare.parquet"
    _add_arm(table, bare_table)
    bare = min(run(jobs.bare(BARE_CONTRIBUTIONS, bare_table))[0] for _ in range(times))
    ours = min(run(jobs.ours(table, "out.parquet", "--reasons", "3"))[0] for _ in range(times))
    print(
        f"{n} rows, three reasons: {bare / ours:.2f} of the rate of pred_contribs "
        f"({_judge(bare / ours >= 0.8)}, 0.8)",
        flush=True,
    )


def show_small(jobs: Jobs, times: int) -> None:
    """Compare a thousand rows with a bare script.

    Parameters
    ----------
    jobs : Jobs
        The model.
    times : int
        Pairs of runs, whose medians are compared.
    """
    table = jobs.folder / "small.csv"
    rows = draw_patients(1000, seed=8)
    rows.to_csv(table, index=False)
    bare_table = jobs.folder / "bare.csv"
    rows.assign(arm=0).to_csv(bare_table, index=False)
    pairs = []
    for _ in range(times):
        bare = run(jobs.bare(BARE_SMALL, bare_table, jobs.folder / "bare_out.csv"))[0]
        pairs.append((run(jobs.ours(table, "out.csv", "--reasons", "0"))[0], bare))
    ratio = statistics.median(one for one, _ in pairs) / statistics.median(two for _, two in pairs)
    print(f"1000 rows: {ratio:.2f} times a bare script ({_judge(ratio <= 1.5)}, 1.5)", flush=True)


def show_kills(jobs: Jobs, kills: int) -> None:
    """Kill jobs at random moments, take them up, and compare with an uninterrupted one.

    Parameters
    ----------
    jobs : Jobs
        The model.
    kills : int
        How often.
    """
    table = write_patients(jobs.folder / "patients.parquet", 1_000_000)
    whole, _ = run(jobs.ours(table, "whole.parquet", "--reasons", "0"))
    draw = random.Random(1)
    killed = jobs_done = 0
    while killed < kills:
        command, resumed = jobs.ours(table, "out.parquet", "--reasons", "0"), False
        while True:
            more = ["--resume"] if resumed else []
            process = subprocess.Popen(
                [*command, *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            if (jobs.folder / "out.parquet").exists():
                # Killed when all was done: nothing is left to take up.
                process.wait()
                break
            try:
                process.wait(draw.uniform(0.0, 1.2 * whole) if killed < kills else None)
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed, resumed = killed + 1, True
        same = [
            pyarrow.parquet.read_table(jobs.folder / n) for n in ("whole.parquet", "out.parquet")
        ]
        if not same[0].equals(same[1]):
            raise SystemExit("MISSED: a job that was killed and taken up gave another output")
        jobs_done += 1
    print(f"killed {killed} times in {jobs_done} jobs: every output equals the uninterrupted one")


def _add_arm(table: Path, out: Path) -> None:
    file, writer = pyarrow.parquet.ParquetFile(table), None
    for batch in file.iter_batches(500_000):
        rows = pyarrow.Table.from_batches([batch])
        rows = rows.append_column("arm", pyarrow.array(np.zeros(len(rows), dtype=np.int64)))
        writer = writer or pyarrow.parquet.ParquetWriter(out, rows.schema)
        writer.write_table(rows)
    if writer is not None:
        writer.close()


def _compare_outputs(jobs: Jobs) -> None:
    """Both must have predicted the same, but for the calibration, or their times say nothing."""
    model = json.loads((jobs.bundle / "model.json").read_text())
    ours = pyarrow.parquet.read_table(jobs.folder / "out.parquet", columns=["response_probability"])
    bare = pyarrow.parquet.read_table(jobs.folder / "bare_out.parquet", columns=["p"])
    first, second = logit(ours.column(0).to_numpy()), logit(bare.column(0).to_numpy())
    expected = model.get("slope", 1.0) * second + model.get("intercept", 0.0)
    if np.abs(first - expected).max() > 1e-4:
        raise SystemExit("MISSED: the bare loop predicts something else")


def _judge(is_kept: bool) -> str:
    return "kept" if is_kept else "MISSED"


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 10_000_000])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--only", choices=("probabilities", "reasons", "small", "kills"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        jobs = Jobs(Path(name))
        if asked.only in (None, "small"):
            show_small(jobs, 9)
        if asked.only in (None, "probabilities"):
            show_probabilities(jobs, asked.sizes, asked.times)
        if asked.only in (None, "reasons"):
            show_reasons(jobs, 100_000, asked.times)
        if asked.only in (None, "kills"):
            show_kills(jobs, asked.kills)


if __name__ == "__main__":
    main()
