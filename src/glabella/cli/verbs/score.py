"""The verb `score`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from glabella.cli.options import (
    AllowSimulatedOption,
    ArmOption,
    DecimalOption,
    DelimiterOption,
    EncodingOption,
    FormOption,
    JsonOption,
    ModelOption,
    ProjectOption,
    ResumeOption,
    SheetOption,
    TableArgument,
    ThreadsOption,
    collect_read_options,
    print_json,
    print_progress,
)


class Engine(StrEnum):
    """Where rows are scored."""

    local = "local"
    dask = "dask"
    spark = "spark"


def command(
    table: TableArgument,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The file of scores, CSV or Parquet.")
    ],
    model: ModelOption = None,
    arm: ArmOption = None,
    form: FormOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    decimal: DecimalOption = None,
    sheet: SheetOption = None,
    allow_simulated: AllowSimulatedOption = False,
    reasons: Annotated[
        int, typer.Option(min=0, metavar="N", help="Number of reasons per row, the largest first.")
    ] = 3,
    uncertainty: Annotated[
        bool,
        typer.Option("--uncertainty", help="Add the range over refits to resampled trials."),
    ] = False,
    resume: ResumeOption = False,
    workers: ThreadsOption = None,
    engine: Annotated[
        Engine, typer.Option(help="Where rows are scored; the scores are the same.")
    ] = Engine.local,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Of the cluster: tcp://HOST:PORT or spark://HOST:PORT; by default a local one.",
        ),
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Predict response for a table of new patients.

    \b
    Example:
      glabella score new_patients.csv --out scores.csv --allow-simulated

    Writes one row for each row of the table, in the same order; a row that can't be scored has the
    reason instead of a probability.
    """
    from glabella.scoring.batch import score

    with print_progress(of="rows") as progress:
        result = score(
            table,
            out=out,
            model=model,
            arm=arm,
            form=form,
            read=collect_read_options(encoding, delimiter, decimal, sheet),
            allow_simulated=allow_simulated,
            reasons=reasons,
            uncertainty=uncertainty,
            resume=resume,
            workers=workers,
            engine=engine.value,
            address=address,
            project=project,
            progress=progress,
        )
    if as_json:
        print_json(result.as_json())
        return
    under = {None: "", "all": " under every arm"}.get(result.arm, f" under arm {result.arm}")
    typer.echo(
        f"{result.rows} rows: {result.scored} scored{under}, {result.refused} refused, "
        f"{result.out_of_domain} of the scored unlike the training participants"
    )
    for reason, count in result.refused_by_reason.items():
        typer.echo(f"  refused {count}: {reason}")
    for feature, drift in result.drift.items():
        if drift.is_marked:
            typer.echo(
                f"  drift   {feature} is distributed differently from training: stability index "
                f"{drift.index:.2f}, of which sampling explains {drift.noise:.2f} at most"
            )
    typer.echo(f"model   {result.model}")
    typer.echo(f"scores  {result.output}")
