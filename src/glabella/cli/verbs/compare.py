"""The verb `compare`."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glabella.cli.options import JsonOption, ProjectOption, print_json

if TYPE_CHECKING:
    from glabella.pipelines.promotion.comparison import ComparedRun, Comparison

_WIDTH = 100
# Candidate, concordance pooled and across, log loss and calibration slope.
_COLUMNS = (20, 20, 20, 10, 22)
_HEAD = ("", "concordance", "across", "log loss", "calibration slope")


def command(
    analysis: Annotated[
        str | None, typer.Argument(metavar="ANALYSIS", help="An analysis; by default all of them.")
    ] = None,
    run: Annotated[
        list[str] | None,
        typer.Option("--run", metavar="ID", help="A run, by the beginning of its id; repeatable."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, metavar="N", help="Show at most so many runs, the newest first.")
    ] = 10,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the comparison as an HTML page."),
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show finished runs side by side, with paired differences.

    \b
    Example:
      glabella compare cdystonia --out compare.html
    """
    from glabella.pipelines.promotion.compare import compare

    result = compare(analysis, runs=run or (), limit=limit, out=out, project=project)
    if as_json:
        print_json(result.as_json())
        return
    _print(result)
    if out is not None:
        typer.echo(f"page    {out}")


def _print(result: Comparison) -> None:
    for run in result.runs:
        _print_run(run)
    for item in result.differences:
        how = "" if item.measured is None else f" By {item.measured.method}."
        typer.echo(textwrap.fill(item.describe() + how, _WIDTH, subsequent_indent="  "))


def _print_run(run: ComparedRun) -> None:
    plain = run.as_json()
    names = [
        f"{name}/{version}" + "".join(f" @{alias}" for alias in aliases)
        for name, version, aliases in run.versions
    ]
    started = run.started[:16].replace("T", " ")
    head = f"{run.run_id[:8]}  {started}  {', '.join(names) or run.analysis + ', not registered'}"
    typer.echo(textwrap.shorten(head, _WIDTH, placeholder=" ..."))
    counts = "" if run.n is None else f", {run.n} participants"
    counts += "" if run.events is None else f", {run.events:g} events"
    typer.echo(f"  {run.origin} data{counts}")
    if not run.record:
        typer.echo(textwrap.fill(f"  no figures: {run.reasons['candidates']}", _WIDTH) + "\n")
        return
    typer.echo(_write_row(_HEAD))
    for name, entry in plain["candidates"].items():
        label = f"* {name}" if name == run.record["chosen"] else f"  {name}"
        typer.echo(_write_row((label, *_list_figures(entry))))
    if plain["procedure"]["candidates"]:
        typer.echo(_write_row(("  the procedure", *_list_figures(plain["procedure"]))))
    typer.echo("")


def _list_figures(entry: dict[str, Any]) -> tuple[str, ...]:
    if entry.get("status") == "failed":
        return ("failed", "", "", "")
    pooled, across = entry["pooled"], entry["across"]
    return (
        _write(pooled, "auc"),
        _write(across, "auc"),
        _write(pooled, "log_loss", digits=3, bounds=False),
        _write(pooled, "calibration_slope"),
    )


def _write(
    figures: dict[str, Any] | None, measure: str, *, digits: int = 2, bounds: bool = True
) -> str:
    if figures is None or figures[measure] is None:
        return "-"
    low, high = figures[f"{measure}_low"], figures[f"{measure}_high"]
    text = f"{figures[measure]:.{digits}f}"
    return text if not bounds or low is None else f"{text} ({low:.{digits}f} to {high:.{digits}f})"


def _write_row(cells: tuple[str, ...]) -> str:
    return " ".join(
        f"{cell[: width - 1] + '…' if len(cell) > width else cell:<{width}}"
        for cell, width in zip(cells, _COLUMNS, strict=True)
    ).rstrip()
