"""The validation study: repeated use with known truth, line by line, and the page made of it.

    python benchmarks/validation_study.py --list
    python benchmarks/validation_study.py headline_published     (one line, or several)
    python benchmarks/validation_study.py all                    (some hours on two cores)

Each line is a rehearsal, kept in mlruns/validation_study/LINE: interrupted, it goes on where it
was. What it came to is written to docs/validation_study/ as small tables, of which
docs/validation_study.md is made: `python benchmarks/validation_study.py --page` makes it again
without running anything.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from study_page import ABOVE_CHANCE, write_page

import glabella

ROOT = Path(__file__).resolve().parents[1]
ANALYSES = ROOT / "benchmarks" / "validation_study"
TABLES = ROOT / "docs" / "validation_study"
REPEATS = 1000
ANYTHING = "permutation test: there is anything"
# Measures that the page tells of; a rehearsal has more.
MEASURES = (
    "auc",
    "auc_all",
    "brier",
    "log_loss",
    "calibration_slope",
    "calibration_intercept",
    "observed_expected",
    "gain_auc",
    "gain_log_loss",
)


@dataclass(frozen=True)
class Line:
    """One rehearsal of the study.

    Parameters
    ----------
    analysis : str
        A file in ``benchmarks/validation_study``.
    scenario : str
        A file in ``pipelines/scenarios``.
    options : dict
        Of `glabella.rehearse`.
    """

    analysis: str
    scenario: str
    options: dict[str, Any]


def list_lines() -> dict[str, Line]:
    """List the lines.

    Returns
    -------
    dict of Line
        By name.
    """
    lines = {
        "headline_published": Line("headline", "bont_pooled", {}),
        "headline_twice": Line("headline", "bont_pooled", {"participants": 922}),
        "headline_ten_trials": Line("headline", "bont_pooled", {"trials": 10}),
        "boosted_published": Line("boosted", "bont_pooled", {}),
    }
    for trials in (3, 5, 7, 10):
        lines[f"new_trial_{trials}"] = Line("new_trial", "varied_trials", {"trials": trials})
    lines |= {
        "nothing": Line("nothing", "no_signal", {}),
        "illusion": Line("illusion", "illusory", {"participants": 1200}),
        "choice": Line("choice", "bont_pooled", {}),
    }
    for strategy in ("observed_only", "non_responder", "last_observation", "multiple_imputation"):
        for leaving in ("at_random", "not_at_random"):
            lines[f"missing_{strategy}_{leaving}"] = Line(
                f"missing_{strategy}", f"dropout_{leaving}", {"truth": "followed"}
            )
    for trials in (3, 6):
        for participants in (400, 800, 1600, 3200):
            lines[f"recovery_{participants}_in_{trials}"] = Line(
                "recovery", "predictive", {"participants": participants, "trials": trials}
            )
    return lines


def run_line(name: str, line: Line, *, repeats: int, workers: int) -> None:
    """Run a line, or what is missing of it, and write down what it came to.

    Parameters
    ----------
    name : str
        Of the line.
    line : Line
        What is rehearsed.
    repeats : int
        How many.
    workers : int
        Processes.
    """

    def show(stage: str, done: int, total: int) -> None:
        print(f"\r{name}: {stage} {done}/{total}   ", end="", file=sys.stderr, flush=True)

    found = glabella.rehearse(
        str(ANALYSES / f"{line.analysis}.yaml"),
        scenario=line.scenario,
        repeats=repeats,
        out=ROOT / "mlruns" / "validation_study" / name,
        project=ROOT,
        workers=workers,
        progress=show,
        **line.options,
    )
    print(file=sys.stderr)
    figures = found.figures[found.figures["measure"].isin(MEASURES)]
    about = {
        "line": name,
        "scenario": found.scenario,
        "participants": found.participants,
        "trials": found.trials,
        "repeats": found.repeats,
        "finished": found.finished,
        "seconds": round(found.seconds, 2),
        "hours": round(_sum_seconds(found) / 3600, 4),
    }
    about |= {f"verdict: {word}": round(share, 4) for word, share in found.verdicts.items()}
    about |= _count_borne_out(found)
    _replace_rows("figures", name, figures)
    _replace_rows("claims", name, found.claims)
    _replace_rows("lines", name, pd.DataFrame([about]).drop(columns="line"))


def _count_borne_out(found: glabella.Rehearsal) -> dict[str, float]:
    """Count the first sentences above chance that the permutation test bears out, where it was run.

    The others say that the test does not.
    """
    claims = pd.read_parquet(found.folder / "claims.parquet")
    tested = claims[claims["claim"] == ANYTHING].set_index("repeat")["made"]
    if tested.empty:
        return {}
    verdicts = pd.read_parquet(found.folder / "repeats.parquet").set_index("repeat")["verdict"]
    above = verdicts.isin(ABOVE_CHANCE).reindex(tested.index)
    return {"above chance, borne out": round(float((above & tested).mean()), 4)}


def _sum_seconds(found: glabella.Rehearsal) -> float:
    return float(pd.read_parquet(found.folder / "repeats.parquet")["seconds"].sum())


def _replace_rows(table: str, name: str, rows: pd.DataFrame) -> None:
    """Put a line's rows in the place of those that it had."""
    path = TABLES / f"{table}.csv"
    TABLES.mkdir(parents=True, exist_ok=True)
    kept = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["line"])
    order = {each: at for at, each in enumerate(list_lines())}
    mine = rows.assign(line=name)
    parts = [part for part in (kept[kept["line"] != name], mine) if len(part)]
    joined = pd.concat(parts, ignore_index=True)
    joined = joined.sort_values("line", key=lambda names: names.map(order), kind="stable")
    first = ["line", *(column for column in joined.columns if column != "line")]
    joined[first].to_csv(path, index=False, float_format="%.5g")


def main() -> int:
    """Run lines, or make the page.

    Returns
    -------
    int
        0, or 1 where a promise was missed.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lines", nargs="*", help="names, or all")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="name the lines")
    parser.add_argument("--page", action="store_true", help="make the page again")
    asked = parser.parse_args()
    lines = list_lines()
    if asked.list:
        print("\n".join(lines))
        return 0
    wanted = list(lines) if asked.lines == ["all"] else asked.lines
    unknown = [name for name in wanted if name not in lines]
    if unknown:
        parser.error(f"there is no line {unknown[0]}; --list names them")
    for name in wanted:
        run_line(name, lines[name], repeats=asked.repeats, workers=asked.workers)
    return write_page(TABLES, ROOT / "docs" / "validation_study.md")


if __name__ == "__main__":
    raise SystemExit(main())
