"""The verb `score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glabella.cli.options import (
    ArmOption,
    JsonOption,
    ModelOption,
    ProjectOption,
    RehearsalOption,
    print_json,
)


def command(
    table: Annotated[Path, typer.Argument(help="A CSV or Parquet file, one row a participant.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write.")],
    model: ModelOption = None,
    arm: ArmOption = None,
    rehearsal: RehearsalOption = False,
    reasons: Annotated[
        int, typer.Option(min=0, help="How many reasons a row is given, the largest first.")
    ] = 3,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score a table of new patients, one row out per row in.

    Example: glabella score new_patients.csv --out scores.csv --rehearsal

    Parameters
    ----------
    table : Path
        A CSV or Parquet file.
    out : Path
        The file to write.
    model : str, optional
        The model.
    arm : str, optional
        The arm asked about.
    rehearsal : bool
        Whether a model trained on simulated data is allowed.
    reasons : int
        How many reasons a row is given.
    project : Path, optional
        The project.
    as_json : bool
        Whether to print JSON.
    """
    from glabella.scoring.batch import score

    result = score(
        table, out=out, model=model, arm=arm, rehearsal=rehearsal, reasons=reasons, project=project
    )
    if as_json:
        print_json(result.as_json())
        return
    under = f" under arm {result.arm}" if result.arm else ""
    typer.echo(
        f"{result.rows} rows: {result.scored} scored{under}, {result.refused} refused, "
        f"{result.out_of_domain} of the scored unlike the training participants"
    )
    for reason, count in result.refused_by_reason.items():
        typer.echo(f"  refused {count}: {reason}")
    typer.echo(f"model   {result.model}")
    typer.echo(f"scores  {result.output}")
