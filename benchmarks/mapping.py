"""How long a long table takes to read, check and map, against reading and grouping it once."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet

VISITS = 10
SIZES = (10**5, 10**6, 10**7)
MOST_TIMES = 3.0
MOST_GIGABYTES = 4.0
DICTIONARY = """\
kind: dictionary
description: Invented
variables:
  age_years: {label: Age, type: number, unit: years, range: [18, 95]}
  total: {label: Total, type: score, scale: hamd17, timing: visit}
  frown: {label: Frown lines, type: ordinal, range: [0, 3], timing: visit}
"""
SOURCE = """\
kind: source
source:
  name: big
  participants:
    {file: people.parquet, id: usubjid, trial: studyid, arm: arm, variables: {age_years: age}}
  assessments:
    - file: visits.parquet
      id: usubjid
      trial: studyid
      parameter: paramcd
      week: week
      value: aval
"""


def write_tables(rows: int, folder: Path) -> None:
    """Write invented participants with ten assessments each.

    Parameters
    ----------
    rows : int
        Assessments in all.
    folder : Path
        Where.
    """
    draw = np.random.default_rng(rows)
    people = rows // VISITS
    names = np.array([f"P-{number:07d}" for number in range(people)])
    trials = np.array([f"T{number % 7}" for number in range(people)])
    pd.DataFrame(
        {
            "usubjid": names,
            "studyid": trials,
            "arm": np.where(np.arange(people) % 2, "active", "placebo"),
            "age": draw.integers(18, 80, people),
        }
    ).to_parquet(folder / "people.parquet")
    who = np.repeat(np.arange(people), VISITS)
    is_total = np.tile(np.arange(VISITS) < VISITS // 2, people)
    values = np.where(is_total, draw.integers(0, 53, rows), draw.integers(0, 4, rows))
    pd.DataFrame(
        {
            "usubjid": names[who],
            "studyid": trials[who],
            "paramcd": np.where(is_total, "total", "frown"),
            "week": np.tile(np.arange(VISITS) % (VISITS // 2) * 2.0, people),
            "aval": values.astype(float),
        }
    ).to_parquet(folder / "visits.parquet")


def group_once(folder: Path) -> None:
    """Read the long table with pyarrow and group it with pandas.

    Parameters
    ----------
    folder : Path
        Where the tables are.
    """
    frame = pyarrow.parquet.read_table(folder / "visits.parquet").to_pandas()
    frame.groupby(["studyid", "usubjid", "paramcd"], sort=False)["aval"].agg(["first", "last"])


def map_once(folder: Path) -> None:
    """Read, check and map the tables as an analysis does.

    Parameters
    ----------
    folder : Path
        Where the tables are.
    """
    from glabella.data.dictionary import Dictionary
    from glabella.data.mapping.mapping import read_trial
    from glabella.data.mapping.sources import TrialSource
    from glabella.definitions.reader import Definition, parse_definition

    class Source(Definition):
        kind: str
        source: TrialSource

    dictionary = parse_definition(DICTIONARY, Dictionary, name="dictionary").value
    read = parse_definition(SOURCE, Source, name="source")
    read_trial(
        read.value.source,
        folder,
        dictionary,
        origin="real",
        written=read.origin,
        keys=("source",),
    )


def measure(task: str, folder: Path) -> tuple[float, float]:
    """Run a task in a process of its own.

    Parameters
    ----------
    task : str
        ``group`` or ``map``.
    folder : Path
        Where the tables are.

    Returns
    -------
    tuple of float
        Seconds without imports, and the most gigabytes held.
    """
    command = [sys.executable, __file__, "--task", task, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, gigabytes = json.loads(done.stdout)
    return seconds, gigabytes


def run_task(task: str, folder: Path) -> None:
    """Run a task and print its time and memory.

    Parameters
    ----------
    task : str
        ``group`` or ``map``.
    folder : Path
        Where the tables are.
    """
    import glabella.data.mapping.mapping  # noqa: F401  not part of what is timed

    started = time.perf_counter()
    {"group": group_once, "map": map_once}[task](folder)
    seconds = time.perf_counter() - started
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(json.dumps([seconds, held]))


def main() -> None:
    """Print the ratio for each size, and exit 1 where the largest is too slow or too large."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", choices=["group", "map"])
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.task:
        run_task(asked.task, asked.folder)
        return
    is_good = True
    for rows in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            write_tables(rows, Path(folder))
            base, _ = min(measure("group", Path(folder)) for _ in range(3))
            mapped, held = min(measure("map", Path(folder)) for _ in range(3))
        print(
            f"map {rows:>10,} rows against reading and grouping them: {mapped / base:.2f} "
            f"(at most {MOST_TIMES:g}), {held:.2f} GB (at most {MOST_GIGABYTES:g})"
        )
        is_good = held <= MOST_GIGABYTES and (mapped / base <= MOST_TIMES)
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
