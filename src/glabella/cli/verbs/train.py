"""The verb `train`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from glabella.cli.options import (
    AnalysisArgument,
    DataOption,
    JsonOption,
    ProjectOption,
    WorkersOption,
    print_json,
    print_progress,
    read_workers,
)

if TYPE_CHECKING:
    from glabella.pipelines.training.train import TrainingResult


def command(
    analysis: AnalysisArgument,
    data: DataOption = None,
    project: ProjectOption = None,
    workers: WorkersOption = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted training.")
    ] = False,
    explain: Annotated[
        Literal["now", "later"],
        typer.Option(
            "--explain",
            help="Explain the model now, or later: then --resume explains it without validating "
            "again.",
        ),
    ] = "now",
    as_json: JsonOption = False,
) -> None:
    """Validate the candidates, choose one, fit it and report.

    \b
    Example:
      glabella train bont_pooled

    The chosen model is also explained, logged to MLflow with every candidate's figures, and saved
    as a bundle that `glabella score` reads.
    """
    from glabella.pipelines.training.train import train

    wanted = read_workers(workers)
    with print_progress() as progress:
        result = train(
            analysis,
            project=project,
            data=data,
            workers=wanted,
            resume=resume,
            explain=explain,
            progress=progress,
        )
    if as_json:
        print_json(result.as_json())
        return
    typer.echo(result.finding + "\n")
    typer.echo(_tabulate(result) + "\n")
    for name, item in result.candidates.items():
        if item.error is not None:
            typer.echo(f"failed  {name}: {item.error}")
    for missing in result.failed:
        typer.echo(f"missing {missing.part}: {missing.failure.words}")
    for part in result.parts.values():
        for line in [] if part is None else part.list_lines(result.chosen):
            typer.echo(line)
    typer.echo(f"report  {result.report}")
    typer.echo(f"bundle  {result.bundle}")
    typer.echo(f"model   {result.model_uri}")
    typer.echo(f"run     {result.run_id}")
    if explain == "later":
        typer.echo("later   the same with --resume explains it; its fits are kept")


def _tabulate(result: TrainingResult) -> str:
    from glabella.validation.measures.measure import Tier
    from glabella.validation.measures.registry import list_measures

    table = result.frame()[["candidate", "design", *list_measures(Tier.TABLE)]]
    return table.to_string(index=False, na_rep="-", float_format="{:.3f}".format)
