"""How long a trial takes to simulate, against drawing as many normal deviates with numpy."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from glabella.definitions.locate import Project
from glabella.simulation.frames import simulate_trials
from glabella.simulation.generate import draw_trials
from glabella.simulation.scenario.reading import read_scenario

ROOT = Path(__file__).resolve().parents[1]
SIZES = (10**4, 10**5, 10**6)
MOST_SECONDS = 60.0
MOST_GIGABYTES = 4.0
# From one size to the next the time may grow tenfold, and by this factor more.
MOST_BEYOND_LINEAR = 1.6


def measure(participants: int) -> dict[str, float]:
    """Time one size in this process.

    Parameters
    ----------
    participants : int
        How many.

    Returns
    -------
    dict
        Seconds of each step and the peak of memory in GB.
    """
    project = Project(definitions=ROOT, home=ROOT)
    scenario = read_scenario(project, "large").value.with_participants(participants)
    visits = len(scenario.trials[0].weeks)
    draw_trials(scenario.with_participants(1000), seed=1)

    start = time.perf_counter()
    np.random.default_rng(1).standard_normal((visits, participants))
    deviates = time.perf_counter() - start
    start = time.perf_counter()
    draw_trials(scenario, seed=1, workers=2)
    drawn = time.perf_counter() - start
    start = time.perf_counter()
    simulate_trials(scenario, seed=1, workers=2)
    tables = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return {
        "visits": visits,
        "deviates": deviates,
        "drawn": drawn,
        "tables": tables,
        "gigabytes": peak,
    }


def main() -> int:
    """Measure each size in a process of its own, for its peak of memory.

    Returns
    -------
    int
        0 if the promises hold.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participants", type=int)
    asked = parser.parse_args().participants
    if asked is not None:
        print(json.dumps(measure(asked)))
        return 0
    kept, before = True, None
    print("participants  visits  deviates s  drawn s  tables s  drawn/deviates  peak GB")
    for size in SIZES:
        done = subprocess.run(
            [sys.executable, __file__, "--participants", str(size)],
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(done.stdout)
        ratio = found["drawn"] / found["deviates"]
        print(
            f"{size:12,d}  {found['visits']:6.0f}  {found['deviates']:10.4f}  "
            f"{found['drawn']:7.2f}  {found['tables']:8.2f}  {ratio:14.1f}  "
            f"{found['gigabytes']:7.2f}"
        )
        if before is not None:
            growth = found["tables"] / before / 10
            print(f"{'':12}  tenfold participants took {10 * growth:.1f} times as long")
            kept &= growth <= MOST_BEYOND_LINEAR
        before = found["tables"]
        kept &= found["tables"] <= MOST_SECONDS and found["gigabytes"] <= MOST_GIGABYTES
    print("kept" if kept else "BROKEN", "- a million under a minute and 4 GB, linear growth")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
