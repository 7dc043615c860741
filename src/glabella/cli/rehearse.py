"""The verb `rehearse`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from glabella.cli.options import (
    AnalysisArgument,
    JsonOption,
    ProjectOption,
    WorkersOption,
    print_json,
    read_workers,
    show_progress,
)


class Truth(StrEnum):
    """What figures are held against."""

    analysis = "analysis"
    followed = "followed"


def command(
    analysis: AnalysisArgument,
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario",
            metavar="S",
            help="A name in pipelines/scenarios/; the analysis's own unless stated.",
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option("--repeats", metavar="N", help="How often trials are drawn.")
    ] = 1000,
    participants: Annotated[
        int | None, typer.Option(help="How many in all; as the scenario says unless stated.")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="How many; the scenario's, from the first again if fewer.")
    ] = None,
    truth: Annotated[
        Truth,
        typer.Option(help="Of the analysis's own outcome, or had everybody been followed."),
    ] = Truth.analysis,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where results go; finished repeats count."),
    ] = None,
    project: ProjectOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate, train and collect coverage, bias, width, error and power.

    Example: glabella rehearse bont_pooled --scenario predictive --repeats 200

    An interrupted rehearsal goes on where it was, with the same command.

    Parameters
    ----------
    analysis : str
        A name in ``pipelines`` or a path.
    scenario : str, optional
        A name in ``pipelines/scenarios``.
    repeats : int
        How often trials are drawn.
    participants, trials : int, optional
        How many.
    truth : Truth
        What figures are held against.
    out : Path, optional
        The folder of the results.
    project : Path, optional
        The project.
    workers : str, optional
        Processes, or the address of a Dask scheduler.
    as_json : bool
        Whether to print JSON.
    """
    from glabella.pipelines.rehearse import rehearse
    from glabella.reporting.rehearsal import render_rehearsal_text

    wanted = read_workers(workers)
    with show_progress() as progress:
        result = rehearse(
            analysis,
            scenario=scenario,
            repeats=repeats,
            participants=participants,
            trials=trials,
            truth=truth.value,
            out=out,
            project=project,
            workers=wanted,
            progress=progress,
        )
    if as_json:
        print_json(result.as_json())
        return
    typer.echo(result.describe() + "\n")
    typer.echo(render_rehearsal_text(result.figures, result.claims) + "\n")
    verdicts = ", ".join(f"{word} {100 * share:.1f} %" for word, share in result.verdicts.items())
    typer.echo(f"verdict {verdicts}")
    for why, count in result.failures.items():
        typer.echo(f"failed  {count} of {result.repeats}: {why}")
    if result.with_failed_candidates:
        share = f"{result.with_failed_candidates} of {result.repeats}"
        typer.echo(f"failed  some candidate, in {share} repeats")
    typer.echo(f"size    {result.participants} participants in {result.trials} trials")
    typer.echo(f"cost    {result.seconds:.2f} s a repeat on one core")
    typer.echo(f"results {result.folder}")
    typer.echo(f"run     {result.run_id}")
