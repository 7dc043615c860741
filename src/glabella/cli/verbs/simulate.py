"""The verb `simulate`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glabella.cli.options import JsonOption, ProjectOption, print_json, print_progress

if TYPE_CHECKING:
    from glabella.pipelines.simulate import Calibration


class Format(StrEnum):
    """Formats of the tables."""

    csv = "csv"
    parquet = "parquet"
    adam = "adam"


def command(
    scenario: Annotated[
        str,
        typer.Argument(metavar="SCENARIO", help="A scenario: its name in pipelines/scenarios/."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="The folder for the tables.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="The same seed gives the same tables.")
    ] = 1,
    format: Annotated[
        Format,
        typer.Option("--format", help="Format of the tables; adam is ADaM as SAS transport."),
    ] = Format.csv,
    participants: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000_000,
            metavar="N",
            help="Number of participants in all trials; by default the scenario's.",
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, metavar="N", help="Number of threads; the tables stay the same.")
    ] = 1,
    calibration: Annotated[
        bool,
        typer.Option("--calibration", help="Compare the scenario with the published figures."),
    ] = False,
    replicates: Annotated[
        int, typer.Option(min=20, metavar="N", help="Number of simulations for the calibration.")
    ] = 400,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate trials with known truth, and a table of new patients.

    \b
    Example:
      glabella simulate bont_pooled --out simulated

    With --calibration, the scenario is simulated many times and each published figure is printed
    beside its simulated distribution; with --out too, the table and its figures are written there.
    """
    if calibration and (participants is not None or format is not Format.csv or workers != 1):
        raise typer.BadParameter(
            "a calibration writes no tables, and simulates the trials' own sizes",
            param_hint="--participants, --format or --workers",
        )
    if calibration:
        from glabella.pipelines.simulate import calibrate_scenario

        with print_progress() as progress:
            result = calibrate_scenario(
                scenario,
                seed=seed,
                replicates=replicates,
                out=out,
                project=project,
                progress=progress,
            )
        if as_json:
            print_json(result.as_json())
        else:
            _print_calibration(result)
        return
    if out is None:
        raise typer.BadParameter("name a folder for the tables", param_hint="--out")
    from glabella.pipelines.simulate import simulate

    paths = simulate(
        scenario,
        out=out,
        seed=seed,
        format=format.value,
        participants=participants,
        workers=workers,
        project=project,
    )
    if as_json:
        print_json({"scenario": scenario, "seed": seed, "files": [str(path) for path in paths]})
        return
    for path in paths:
        typer.echo(str(path))


def _print_calibration(result: Calibration) -> None:
    typer.echo(
        f"{result.scenario}: {len(result.table)} published figures and {result.replicates} "
        f"simulations from seed {result.seed}"
    )
    typer.echo(result.render_text())
    typer.echo(", ".join(f"{count} {verdict}" for verdict, count in result.verdicts.items()))
    for path in result.files:
        typer.echo(str(path))
