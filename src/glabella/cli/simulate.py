"""The verb `simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glabella.cli.options import ProjectOption


def command(
    scenario: Annotated[str, typer.Argument(help="A name in pipelines/scenarios/.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the tables go.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same tables.")] = 1,
    project: ProjectOption = None,
) -> None:
    """Simulate trials with known truth, and a table of new patients.

    Example: glabella simulate bont_pooled --out simulated

    Parameters
    ----------
    scenario : str
        A name in ``pipelines/scenarios``.
    out : Path
        Where the tables go.
    seed : int
        The same seed gives the same tables.
    project : Path, optional
        The project.
    """
    from glabella.definitions.locate import find_project
    from glabella.simulation.generate import simulate_trials, write_simulated
    from glabella.simulation.scenario import read_scenario

    read = read_scenario(find_project(project), scenario)
    for path in write_simulated(simulate_trials(read.value, seed=seed), out):
        typer.echo(str(path))
