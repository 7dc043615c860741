"""Whether two versions of the code give the same figures for the shipped analyses.

``write FOLDER`` trains each analysis and keeps what it came to: the JSON of the command, the
record, the metrics and the bundle. ``compare BEFORE AFTER`` lists every value that differs in its
last digit. What bears a run's id, its time or its folder is left out. Run ``write`` with the code
of each version.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

ANALYSES = {
    "beat_the_blues": "example",
    "beat_the_blues_month_8": "beat_the_blues",
    "bont_pooled": None,
    "cdisc_pilot": "example",
    "cdystonia": "cdystonia_bont",
    "indomethacin_pep": "example",
    "predictive": None,
}
# Of a run, and not of its figures.
_OF_A_RUN = {
    "run_id", "run", "model_uri", "bundle", "report", "model", "started", "ended", "created",
    "duration", "seconds", "history", "provenance", "glabella", "format", "finding_model",
}  # fmt: skip
_RUN_ID = re.compile(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{8}\b")


def train(name: str, project: Path, *, quick: bool) -> dict[str, Any]:
    """Train one analysis, and collect what it came to."""
    command = [sys.executable, "-m", "glabella"]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}

    def run(*words: str) -> str:
        done = subprocess.run(
            [*command, *words], check=True, capture_output=True, text=True, env=environment
        )
        return done.stdout

    if not project.exists():
        run("init", str(project))
    if quick:
        path = project / "pipelines" / f"{name}.yaml"
        path.write_text(re.sub(r"repeats: \d+", "repeats: 1", path.read_text(encoding="utf-8")))
    data = _find_data(name, project, run)
    words = ["train", name, "--project", str(project), "--json", "--workers", "2"]
    told = json.loads(run(*words, *(["--data", str(data)] if data else [])))
    folder = project / "mlruns" / "trained" / told["run_id"]
    return {
        "json": told,
        "record": json.loads((folder / "record" / "record.json").read_text(encoding="utf-8")),
        "metrics": _read_metrics(project / "mlruns" / "mlflow.db", told["run_id"]),
        "bundle": _read_bundle(folder / "bundle"),
    }


def _find_data(name: str, project: Path, run: Any) -> Path | None:
    kind = ANALYSES[name]
    if kind is None:
        return None
    if kind == "cdystonia_bont":
        tables = os.environ.get("GLABELLA_TABLES")
        if tables is None:
            raise SystemExit("GLABELLA_TABLES names the folder of the table of cdystonia")
        return Path(tables) / kind
    example = name if kind == "example" else kind
    folder = project / "data" / example
    if not folder.exists():
        run("example", example, str(folder))
    return folder


def _read_metrics(store: Path, run_id: str) -> dict[str, float]:
    with closing(sqlite3.connect(store)) as database:
        rows = database.execute(
            "SELECT key, value FROM latest_metrics WHERE run_uuid = ?", (run_id,)
        )
        return dict(sorted(rows))


def _read_bundle(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted(folder.iterdir()):
        if path.name == "manifest.json":
            found[path.name] = json.loads(path.read_text(encoding="utf-8"))
        elif path.name != "SHA256SUMS":
            found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def list_differences(before: Any, after: Any, place: str = "") -> list[str]:
    """List the places at which two nests of plain values differ.

    The keys at the top say what was collected, and are compared whatever they are called.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for key in dict.fromkeys([*before, *after]):
            if place and key in _OF_A_RUN:
                continue
            if key not in before or key not in after:
                found.append(f"{place}/{key}: only {'after' if key not in before else 'before'}")
            else:
                found += list_differences(before[key], after[key], f"{place}/{key}")
        return found
    if isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            return [f"{place}: {len(before)} entries before, {len(after)} after"]
        pairs = enumerate(zip(before, after, strict=True))
        return [d for at, pair in pairs for d in list_differences(*pair, f"{place}/{at}")]
    if isinstance(before, str) and isinstance(after, str):
        before, after = _RUN_ID.sub("", before), _RUN_ID.sub("", after)
    return [] if before == after else [f"{place}: {before!r} before, {after!r} after"]


def main() -> None:
    """Write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["write", "compare"])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--only", nargs="*", choices=list(ANALYSES), help="else all, or all kept")
    parser.add_argument("--quick", action="store_true", help="one repeat of each design")
    asked = parser.parse_args()
    if asked.verb == "write":
        [folder] = asked.folders
        folder.mkdir(parents=True, exist_ok=True)
        for name in asked.only or ANALYSES:
            target = folder / f"{name}.json"
            if not target.exists():
                found = train(name, folder / "project", quick=asked.quick)
                target.write_text(json.dumps(found, indent=1), encoding="utf-8")
                print(f"{name}: written", flush=True)
        return
    before, after = asked.folders
    differ = 0
    kept = {path.stem for each in asked.folders for path in each.glob("*.json")}
    for name in asked.only or sorted(kept):
        read = [
            json.loads((each / f"{name}.json").read_text(encoding="utf-8"))
            for each in (before, after)
        ]
        found = list_differences(*read)
        differ += len(found)
        print(f"{name}: {len(found)} differences", *found[:20], sep="\n  ")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
