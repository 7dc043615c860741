"""Scoring on local clusters of two workers beside two threads, as ratios within one run.

    python benchmarks/engines.py --rows 1000000

Each job is a process of its own, cluster and its start included; memory is the highest that one
worker held.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from scoring import make_bundle, write_patients

WORKERS = 2
ENGINES = ("local", "dask", "spark")
MOST_TIMES = 3.0
# From a tenth of the rows to all of them.
MOST_GROWTH = 1.5


def score(table: Path, out: Path, bundle: Path, engine: str) -> tuple[float, float]:
    """Score a table in a process of its own.

    Parameters
    ----------
    table, out : Path
        What is scored, and where scores go.
    bundle : Path
        The model.
    engine : str
        Where.

    Returns
    -------
    tuple of float
        Seconds, and MiB of its largest process that scores.
    """
    command = [
        sys.executable, "-m", "glabella", "score", str(table), "--out", str(out), "--model",
        str(bundle), "--engine", engine, "--workers", str(WORKERS), "--reasons", "0",
    ]  # fmt: skip
    began, peak = time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        while running.poll() is None:
            peak = max(peak, max(map(_read_peak, _list_workers(running.pid, engine)), default=0.0))
            time.sleep(0.2)
        said = running.stderr.read().decode() if running.stderr else ""
    if running.returncode:
        raise SystemExit(f"{engine}: {said}")
    return time.perf_counter() - began, peak


def _list_workers(parent: int, engine: str) -> list[int]:
    """The process itself, or the Python processes of the cluster below it."""
    if engine == "local":
        return [parent]
    above: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            found = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        above.setdefault(found, []).append(int(entry.name))
    mark = b"spawn_main" if engine == "dask" else b"pyspark"
    found, left = [], [parent]
    while left:
        mine = above.get(left.pop(), [])
        left += mine
        for pid in mine:
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if mark in command and b"java" not in command.split(b"\0")[0]:
                found.append(pid)
    return found


def _read_peak(process: int) -> float:
    try:
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return float(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def main() -> int:
    """Print time, ratio and memory of each engine at a tenth of the rows and at all.

    Returns
    -------
    int
        0 if the promises hold.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    kept = True
    print("rows      engine   seconds  of local  MiB a worker  s a million rows")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = make_bundle(folder / "project")
        peaks: dict[str, float] = {}
        expected = None
        for rows in (asked.rows // 10, asked.rows):
            table = write_patients(folder / f"{rows}.parquet", rows)
            local = 0.0
            for engine in ENGINES:
                out = folder / f"{engine}-{rows}.parquet"
                seconds, peak = score(table, out, bundle, engine)
                local = seconds if engine == "local" else local
                ratio = seconds / local
                print(
                    f"{rows:9,d} {engine:8} {seconds:7.1f}  {ratio:8.2f}  {peak:12.0f}  "
                    f"{1e6 * seconds / rows:10.1f}",
                    flush=True,
                )
                found = pd.read_parquet(out)
                expected = found if engine == "local" else expected
                kept &= found.equals(expected)
                if rows == asked.rows:
                    kept &= ratio <= MOST_TIMES and peak <= MOST_GROWTH * peaks[engine]
                peaks[engine] = peak
    print("kept" if kept else "BROKEN", f"- equal, within {MOST_TIMES:g} times, memory flat")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
