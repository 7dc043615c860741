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
    print_progress,
    read_workers,
)


class Truth(StrEnum):
    """The truth with which estimates are compared."""

    analysis = "analysis"
    followed = "followed"


def command(
    analysis: AnalysisArgument,
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario",
            metavar="S",
            help="A scenario in pipelines/scenarios/; by default that of the analysis.",
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option("--repeats", metavar="N", help="Number of simulated sets of trials.")
    ] = 1000,
    participants: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Number of participants in all trials; by default the scenario's."
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Number of trials; by default the scenario's, which are repeated if it is larger.",
        ),
    ] = None,
    truth: Annotated[
        Truth,
        typer.Option(
            help="Compare estimates with the truth for the outcome as analysed, or for the outcome "
            "if every participant had been followed."
        ),
    ] = Truth.analysis,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="The folder for the results; its finished repeats are kept.",
        ),
    ] = None,
    project: ProjectOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate and train repeatedly: bias, coverage and power.

    \b
    Example:
      glabella rehearse bont_pooled --scenario predictive --repeats 200

    An interrupted rehearsal continues with the same command.
    """
    from glabella.pipelines.rehearsal.rehearse import rehearse
    from glabella.reporting.rehearsal import render_rehearsal_text

    wanted = read_workers(workers)
    with print_progress() as progress:
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
