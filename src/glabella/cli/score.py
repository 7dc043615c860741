"""The verb `score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glabella.cli.options import JsonOption, ProjectOption, print_json


def command(
    table: Annotated[Path, typer.Argument(help="A CSV or Parquet file, one row a participant.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write.")],
    model: Annotated[
        str | None,
        typer.Option(
            help="A bundle folder, NAME, NAME@ALIAS or NAME/VERSION; the only champion unless "
            "stated.",
            show_default=False,
        ),
    ] = None,
    arm: Annotated[
        str | None,
        typer.Option(help="The arm asked about; the first active one unless stated."),
    ] = None,
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="Allow a model trained on simulated data.")
    ] = False,
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
    project : Path, optional
        The project.
    as_json : bool
        Whether to print JSON.
    """
    from glabella.scoring.batch import score

    result = score(table, out=out, model=model, arm=arm, rehearsal=rehearsal, project=project)
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
