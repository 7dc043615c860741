"""A calibration as text, Markdown and figures."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from glabella.atomic import describe_os_error, write_together
from glabella.data.evidence import Evidence
from glabella.errors import DataError
from glabella.reporting.figures.simulation import draw_agitation, draw_baselines, draw_courses
from glabella.simulation.published.pictures import simulate_pictures
from glabella.simulation.scenario.definition import Scenario

# Enough for a band that no eye tells from a finer one.
_MOST_PICTURED = 200
_HEADINGS = ["Figure", "Published", "Simulated mean", "Central 90 %", "Standard error", "Verdict"]


def render_calibration_text(table: pd.DataFrame) -> str:
    """Render a calibration for a terminal."""
    rows = [_HEADINGS, *_list_cells(table)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 0 < at < len(row) - 1 else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def render_calibration_markdown(
    table: pd.DataFrame, *, name: str, seed: int, replicates: int
) -> str:
    """Render a calibration as Markdown, with sources."""
    headings = [*_HEADINGS, "Source"]
    command = (
        f"glabella simulate {name} --calibration --seed {seed} --replicates {replicates} --out DIR"
    )
    lines = [
        f"Made by `{command}`.",
        "",
        "| " + " | ".join(headings) + " |",
        "|---|" + "--:|" * (len(_HEADINGS) - 2) + "---|---|",
    ]
    for cells, source in zip(_list_cells(table), table["source"], strict=True):
        lines.append("| " + " | ".join([*cells, str(source)]) + " |")
    return "\n".join(lines) + "\n"


def _list_cells(table: pd.DataFrame) -> list[list[str]]:
    rows = []
    for row in table.to_dict(orient="records"):
        spread = f"{_write(row['low'])} to {_write(row['high'])}"
        simulated = [_write(row["mean"]), spread, _write(row["standard_error"])]
        if pd.isna(row["mean"]):
            simulated = ["", "", ""]
        verdict = f"{row['verdict']}: {row['why']}" if row["why"] else str(row["verdict"])
        rows.append([str(row["what"]), _write(row["published"]), *simulated, verdict])
    return rows


def _write(number: float) -> str:
    return f"{number:.1f}" if abs(number) >= 2.5 else f"{number:.2f}"


def write_calibration(
    scenario: Scenario,
    evidence: Evidence,
    table: pd.DataFrame,
    folder: Path,
    *,
    name: str,
    seed: int,
    replicates: int,
) -> tuple[Path, ...]:
    """Write a calibration's table and figures."""
    pictured = simulate_pictures(scenario, seed=seed, replicates=min(replicates, _MOST_PICTURED))
    contents: dict[str, bytes] = {
        "calibration.csv": table.to_csv(index=False, lineterminator="\n").encode(),
        "calibration.md": render_calibration_markdown(
            table, name=name, seed=seed, replicates=replicates
        ).encode(),
        "courses.svg": draw_courses(pictured.courses, evidence).image,
        "baselines.svg": draw_baselines(pictured.baselines, scenario).image,
    }
    if len(pictured.agitation):
        contents["agitation.svg"] = draw_agitation(pictured.agitation).image
    return _write_files(folder, contents)


def _write_files(folder: Path, contents: dict[str, bytes]) -> tuple[Path, ...]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_together(folder, contents)
    except OSError as error:
        raise DataError(
            f"the calibration can't be written: {describe_os_error(error)}",
            place=str(folder),
            remedy="Name another folder with --out.",
        ) from None
    return tuple(folder / file for file in contents)
