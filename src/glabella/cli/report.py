"""The verb `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glabella.cli.options import ProjectOption


def command(
    run: Annotated[str, typer.Argument(help="A run's id, or an analysis for its latest run.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The HTML file to write.")],
    project: ProjectOption = None,
) -> None:
    """Write a run's report again.

    Example: glabella report bont_pooled --out report.html

    Parameters
    ----------
    run : str
        A run's id, its beginning, or an analysis.
    out : Path
        The HTML file to write.
    project : Path, optional
        The project.
    """
    from glabella.pipelines.report import write_report

    typer.echo(str(write_report(run, out=out, project=project)))
