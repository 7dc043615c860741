"""How long `glabella` takes to start, as ratios against a bare program in the same run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

REPEATS = 15
VERBS = ("init", "example", "simulate", "check", "train", "score", "report")

EMPTY_APPLICATION = f"""
import typer
app = typer.Typer(rich_markup_mode=None, add_completion=False)
for name in {VERBS!r}:
    @app.command(name)
    def verb(one: str, two: str = "", three: int = 0) -> None:
        pass
app(["--help"])
"""


def time_command(command: list[str]) -> float:
    """Measure one command's wall time.

    Parameters
    ----------
    command : list of str
        What to run.

    Returns
    -------
    float
        Seconds.
    """
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def list_imports(code: str) -> set[str]:
    """List the top-level packages that a piece of code imports.

    Parameters
    ----------
    code : str
        Python.

    Returns
    -------
    set of str
        Names.
    """
    ending = "\nimport sys; print(' '.join({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code + ending], check=True, capture_output=True, text=True
    )
    return set(done.stdout.splitlines()[-1].split())


def main() -> None:
    """Print the ratios."""
    ours = [str(Path(sys.executable).with_name("glabella")), "--help"]
    bare = [sys.executable, "-c", EMPTY_APPLICATION]
    for command in (ours, bare):
        time_command(command)
    pairs = [(time_command(ours), time_command(bare)) for _ in range(REPEATS)]
    ratio = statistics.median(first for first, _ in pairs) / statistics.median(
        second for _, second in pairs
    )
    print(f"glabella --help against an empty typer application: {ratio:.2f} (at most 1.5)")
    for name, code in (
        ("check", "import glabella.pipelines.check"),
        ("score with a bundle folder", "import glabella.scoring.batch"),
    ):
        heavy = sorted(list_imports(code) & {"mlflow", "shap", "xgboost"})
        print(f"{name} imports of mlflow, shap, xgboost: {', '.join(heavy) or 'none'}")


if __name__ == "__main__":
    main()
