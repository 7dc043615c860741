"""Training where one process is not enough: a table larger than its memory, a search on Dask.

The memory of a process is limited by the operating system while it trains. Every ratio is of the
same run.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from distributed import LocalCluster
from sklearn.metrics import roc_auc_score

import glabella
from glabella.features.spec import FeatureSpec
from glabella.models.estimators.boosted_trees import XGBoostModel
from glabella.models.external_memory import ParquetRows

N_NUMBERS = 19
PART_ROWS = 500_000
LEVELS = {"a": "A", "b": "B", "c": "C"}
SPECS = (
    *(FeatureSpec(f"x{at}", f"x{at}", "number") for at in range(N_NUMBERS)),
    FeatureSpec("drug", "Drug", "category", levels=LEVELS),
)
MIB = 2**20
ROOT = Path(__file__).resolve().parents[1]


def draw_rows(seed: int, n: int) -> pd.DataFrame:
    """Draw rows whose log odds are known.

    Parameters
    ----------
    seed : int
        Of the draw.
    n : int
        Rows.

    Returns
    -------
    DataFrame
        Features by name and ``responded``.
    """
    random = np.random.default_rng(seed)
    values = random.normal(size=(n, N_NUMBERS))
    drug = random.integers(3, size=n)
    log_odds = values[:, 0] - 0.7 * values[:, 1] + 0.5 * (drug == 1) - 0.5
    frame = pd.DataFrame(values, columns=[spec.name for spec in SPECS[:-1]])
    frame["drug"] = np.array(list(LEVELS))[drug]
    frame["responded"] = (random.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)
    return frame


def fit(folder: Path, how: str, limit: int | None) -> dict[str, float]:
    """Fit in this process, and score rows that no fit saw.

    Parameters
    ----------
    folder : Path
        The parts.
    how : str
        ``whole`` or ``batches``.
    limit : int, optional
        Most MiB of memory that this process may take beside what importing took.

    Returns
    -------
    dict of float
        ``seconds``, ``peak`` MiB of memory beside what importing took, and ``auc``.
    """
    if limit is not None:
        most = read_memory("VmData") + limit * MIB
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    before = read_memory("VmRSS")
    model = XGBoostModel(specs=SPECS, random_state=1, n_trees=20, max_depth=3)
    rows = ParquetRows(folder, SPECS, "responded")
    started = time.perf_counter()
    if how == "batches":
        model.fit_batches(rows)
    else:
        parts = list(rows)
        model.fit(pd.concat([part for part, _ in parts]), np.concatenate([y for _, y in parts]))
    seconds = time.perf_counter() - started
    peak = read_memory("VmHWM") - before
    new = draw_rows(0, 50_000)
    auc = roc_auc_score(new["responded"], model.log_odds(new.astype({"drug": "category"})))
    return {"seconds": seconds, "peak": peak / MIB, "auc": auc}


def read_memory(name: str) -> int:
    """Read how much memory this process has.

    Parameters
    ----------
    name : str
        An entry of /proc/self/status.

    Returns
    -------
    int
        Bytes.
    """
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit("skipped: this system does not say what memory a process has")
    return int(found[1]) * 1024


def run_apart(folder: Path, how: str, limit: int | None) -> dict[str, float] | None:
    """Fit in a process of its own.

    Parameters
    ----------
    folder : Path
        The parts.
    how : str
        ``whole`` or ``batches``.
    limit : int, optional
        Most MiB of memory that it may take.

    Returns
    -------
    dict of float or None
        From `fit`; None where memory did not suffice.
    """
    command = [sys.executable, __file__, "--fit", how, "--folder", str(folder)]
    command += [] if limit is None else ["--limit", str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] | None = json.loads(done.stdout)
    return found


def show_external_memory(n_parts: int, limit: int) -> None:
    """Train on a table larger than what the process may take.

    Parameters
    ----------
    n_parts : int
        Of half a million rows each.
    limit : int
        MiB.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(n_parts):
            table = pa.Table.from_pandas(draw_rows(number + 1, PART_ROWS), preserve_index=False)
            pq.write_table(table, folder / f"part-{number:03d}.parquet")
        size = n_parts * PART_ROWS * len(SPECS) * 8 / MIB
        print(f"{n_parts * PART_ROWS:.1e} rows of {len(SPECS)} features: {size:.0f} MiB as numbers")
        runs = {
            f"whole, in at most {limit} MiB": run_apart(folder, "whole", limit),
            f"batches, in at most {limit} MiB": run_apart(folder, "batches", limit),
            "whole, free": run_apart(folder, "whole", None),
        }
        for label, found in runs.items():
            print(
                f"{label}: not enough memory"
                if found is None
                else f"{label}: {found['seconds']:.0f} s, resident {found['peak']:.0f} MiB with "
                f"pages of files, AUC of new rows {found['auc']:.4f}"
            )
        refused, batches, free = runs.values()
        is_kept = refused is None and batches is not None and free is not None
        if batches is not None and free is not None:
            is_kept = is_kept and abs(batches["auc"] - free["auc"]) < 0.002
            print(f"batches take {batches['seconds'] / free['seconds']:.1f} times as long")
        print(f"{'kept' if is_kept else 'BROKEN'} - a table larger than the memory is trained on")


def show_dask(analysis: str) -> None:
    """Train with the search on a local Dask cluster of two workers, and in one process.

    Parameters
    ----------
    analysis : str
        Which.
    """
    with (
        tempfile.TemporaryDirectory() as name,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
    ):
        project = Path(name)
        for part in ("features", "models", "pipelines"):
            shutil.copytree(ROOT / part, project / part)
        (project / "mlruns").mkdir()
        seconds, records = [], []
        for workers in (1, cluster.scheduler_address.replace("tcp", "dask")):
            started = time.perf_counter()
            result = glabella.train(analysis, project=project, workers=workers)
            seconds.append(time.perf_counter() - started)
            figures = json.loads(json.dumps(result.as_json()))
            records.append([figures[part] for part in ("finding", "candidates", "procedure")])
        ratio = seconds[0] / seconds[1]
        print(f"\n{analysis} on two Dask workers: {ratio:.2f} times as fast as in one process")
        is_kept = records[0] == records[1]
        print(f"{'kept' if is_kept else 'BROKEN'} - the same figures from both")


def main() -> None:
    """Print the figures, with the promises that are kept or broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=12)
    parser.add_argument("--limit", type=int, default=400, help="MiB")
    parser.add_argument("--analysis", default="bont_pooled")
    parser.add_argument("--fit", choices=["whole", "batches"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    stated = parser.parse_args()
    if stated.fit:
        limit = stated.limit if "--limit" in sys.argv else None
        try:
            print(json.dumps(fit(stated.folder, stated.fit, limit)))
        except MemoryError:
            print(json.dumps(None))
        return
    show_external_memory(stated.parts, stated.limit)
    show_dask(stated.analysis)


if __name__ == "__main__":
    main()
