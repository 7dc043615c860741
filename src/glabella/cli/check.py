"""The verb `check`."""

from __future__ import annotations

import typer

from glabella.cli.options import (
    AnalysisArgument,
    DataOption,
    JsonOption,
    ProjectOption,
    print_json,
)


def command(
    analysis: AnalysisArgument,
    data: DataOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check definitions, data, clock and folds; fit nothing.

    Example: glabella check cdystonia --data ../shared/data/cdystonia_bont

    Parameters
    ----------
    analysis : str
        A name in ``pipelines`` or a path.
    data : Path, optional
        The folder of the data files.
    project : Path, optional
        The project.
    as_json : bool
        Whether to print JSON.
    """
    from glabella.pipelines.check import check

    result = check(analysis, project=project, data=data)
    if as_json:
        print_json(result.as_json())
        return
    typer.echo(f"{result.analysis}: {result.endpoint}")
    typer.echo(f"{result.n} participants, {result.events} responders, {result.origin} data\n")
    typer.echo(result.participants.to_string(index=False) + "\n")
    for reason, count in result.left_out.items():
        typer.echo(f"left out: {count} with {reason}")
    typer.echo("Visits that served as endpoint:")
    typer.echo(result.visits.to_string(index=False, na_rep="none") + "\n")
    typer.echo("Share of missing values:")
    typer.echo(result.missing.to_string(index=False, float_format="{:.2f}".format) + "\n")
    fits = ", ".join(f"{count} {design}" for design, count in result.folds.items())
    typer.echo(f"Fits for each candidate: {fits}; {result.parameters} parameters after encoding")
    for note in result.notes:
        typer.echo(f"note: {note}")
