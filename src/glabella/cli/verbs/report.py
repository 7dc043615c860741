"""The verb `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glabella.cli.options import ProjectOption


def command(
    run: Annotated[
        str,
        typer.Argument(metavar="RUN", help="A run's id, or an analysis for its latest run."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The HTML file.")],
    project: ProjectOption = None,
) -> None:
    """Write the report of a finished run again.

    \b
    Example:
      glabella report bont_pooled --out report.html
    """
    from glabella.pipelines.report import write_report

    typer.echo(str(write_report(run, out=out, project=project)))
