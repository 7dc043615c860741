"""How long `train bont_pooled` takes by stage, and how the time grows."""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import glabella
from glabella.analysis.loaded.load import load_analysis
from glabella.definitions.locate import find_project
from glabella.pipelines.training.cross_validation import run_validation

ROOT = Path(__file__).resolve().parents[1]
MOST_STATISTICS = 0.1
# What each stage calls.
STAGES = {
    "read": ("training.train", "load_analysis"),
    "validate": ("training.results", "run_validation"),
    "sensitivity": ("training.results", "run_sensitivity"),
    "limits": ("training.results", "find_limits"),
    "refit": ("training.results", "refit"),
    "correct": ("training.results", "measure_procedure"),
    "explain": ("training.results", "explain_chosen"),
    "draw": ("training.train", "make_record"),
    "report": ("training.train", "render_report"),
    "log": ("training.train", "_log"),
    "register": ("training.train", "register_bundle"),
}
SMALL = {
    "inside": "",
    "across": "",
    "sensitivity": "",
    "pooled": "  pooled: {folds: 5, repeats: 4}\n",
    "models": "models: [severity, ridge]\n",
}


@contextmanager
def time_calls(places: dict[str, tuple[str, str]]) -> Iterator[dict[str, list[float]]]:
    """Time functions of `glabella.pipelines` wherever they are called while this is open.

    Parameters
    ----------
    places : dict of tuple
        Name to module and function.

    Yields
    ------
    dict of list
        By name the seconds of each call, filled as calls return.
    """
    seconds: dict[str, list[float]] = {name: [] for name in places}
    kept: list[tuple[Any, str, Any]] = []

    def watch(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*given, **named)
            finally:
                seconds[name].append(time.perf_counter() - started)

        return timed

    for name, (module_name, attribute) in places.items():
        module = import_module(f"glabella.pipelines.{module_name}")
        kept.append((module, attribute, getattr(module, attribute)))
        setattr(module, attribute, watch(name, getattr(module, attribute)))
    try:
        yield seconds
    finally:
        for module, attribute, function in kept:
            setattr(module, attribute, function)


def make_project(folder: Path) -> Path:
    """Copy the shipped definitions to a folder of their own.

    Parameters
    ----------
    folder : Path
        Empty.

    Returns
    -------
    Path
        The folder.
    """
    for name in ("features", "models", "pipelines"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "mlruns").mkdir()
    return folder


def edit(path: Path, changes: dict[str, str]) -> None:
    """Put other lines in place of those that begin with a key.

    Parameters
    ----------
    path : Path
        Of a definition.
    changes : dict of str
        Key to the whole line, or nothing to take it out.
    """
    text = path.read_text(encoding="utf-8")
    for key, line in changes.items():
        text = re.sub(rf"^ *{key}:.*\n", line, text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")


def time_validation(project: Path) -> float:
    """Time reading and validating the reduced analysis in one process.

    Parameters
    ----------
    project : Path
        Where it is.

    Returns
    -------
    float
        Seconds.
    """
    started = time.perf_counter()
    run_validation(load_analysis("bont_pooled", find_project(project)))
    return time.perf_counter() - started


def measure_growth() -> None:
    """Print how the time of a reduced analysis grows when one thing is doubled."""

    def run(change: Callable[[Path], None]) -> float:
        with tempfile.TemporaryDirectory() as folder:
            project = make_project(Path(folder))
            edit(project / "pipelines" / "bont_pooled.yaml", SMALL)
            change(project)
            return time_validation(project)

    def double_repeats(project: Path) -> None:
        edit(
            project / "pipelines" / "bont_pooled.yaml",
            {"pooled": "  pooled: {folds: 5, repeats: 8}\n"},
        )

    def double_candidates(project: Path) -> None:
        for name in ("severity", "ridge"):
            shutil.copy(project / "models" / f"{name}.yaml", project / "models" / f"{name}_2.yaml")
        edit(
            project / "pipelines" / "bont_pooled.yaml",
            {"models": "models: [severity, severity_2, ridge, ridge_2]\n"},
        )

    def double_rows(project: Path) -> None:
        path = project / "pipelines" / "scenarios" / "bont_pooled.yaml"
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"\bn: (\d+)", lambda found: f"n: {2 * int(found[1])}", text)
        path.write_text(text, encoding="utf-8")

    def leave(project: Path) -> None:
        return None

    run(leave)
    before = run(leave)
    print(f"reduced analysis: {before:.1f} s; twice as many")
    for name, change in (
        ("repeats", double_repeats),
        ("candidates", double_candidates),
        ("rows", double_rows),
    ):
        print(f"  {name:10}  {run(change) / before:.2f} times as long")


def main() -> int:
    """Print both.

    Returns
    -------
    int
        0 if the statistics take less than a tenth of the fits.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    workers = parser.parse_args().workers
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder))
        places = {**STAGES, "fits": ("training.cross_validation", "validate_candidates")}
        started = time.perf_counter()
        with time_calls(places) as seconds:
            result = glabella.train("bont_pooled", project=project, workers=workers)
        total = time.perf_counter() - started
    print(f"train bont_pooled with {workers} workers: {total:.1f} s, of which")
    for name in STAGES:
        print(f"  {name:12}  {sum(seconds[name]):7.1f} s")
    # The first fits are those of the validation itself; the sensitivity analyses make more.
    statistics = sum(seconds["validate"]) - seconds["fits"][0] + sum(seconds["correct"])
    fits = sum(item.seconds for item in result.figures.validated.results)
    share = statistics / fits
    print(f"statistics {statistics:.1f} s beside {fits:.1f} s of fits in one process: {share:.3f}")
    measure_growth()
    kept = share < MOST_STATISTICS
    print("kept" if kept else "BROKEN", "- statistics take less than a tenth of the fits")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
