"""The verb `explain`."""

from __future__ import annotations

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


def command(
    table: TableArgument,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FILE", help="The file to write: CSV or Parquet; HTML with --row."
        ),
    ],
    model: ModelOption = None,
    arm: ArmOption = None,
    row: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Explain one row, counted from 1, as an HTML page to read and print.",
            show_default=False,
        ),
    ] = None,
    form: FormOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    decimal: DecimalOption = None,
    sheet: SheetOption = None,
    allow_simulated: AllowSimulatedOption = False,
    resume: ResumeOption = False,
    workers: ThreadsOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain the predictions for new patients.

    \b
    Example:
      glabella explain new_patients.csv --out attributions.parquet --allow-simulated

    Writes what each feature adds to each patient's prediction; with --row, a page on one patient.
    """
    if row is not None:
        from glabella.pipelines.explain_patient import explain_patient

        patient = explain_patient(
            table,
            row=row,
            out=out,
            model=model,
            arm=arm,
            form=form,
            read=collect_read_options(encoding, delimiter, decimal, sheet),
            allow_simulated=allow_simulated,
            project=project,
        )
        if as_json:
            print_json(patient.as_json())
            return
        typer.echo(patient.page.sentence)
        for step in patient.page.steps:
            typer.echo(f"  {step.words}")
        typer.echo(f"page    {patient.output}")
        return
    from glabella.scoring.batch import explain

    with print_progress(of="rows") as progress:
        result = explain(
            table,
            out=out,
            model=model,
            arm=arm,
            form=form,
            read=collect_read_options(encoding, delimiter, decimal, sheet),
            allow_simulated=allow_simulated,
            resume=resume,
            workers=workers,
            project=project,
            progress=progress,
        )
    if as_json:
        print_json(result.as_json())
        return
    under = f" under arm {result.arm}" if result.arm else ""
    typer.echo(f"{result.rows} rows: {result.explained} explained{under}, {result.refused} refused")
    for reason, count in result.refused_by_reason.items():
        typer.echo(f"  refused {count}: {reason}")
    typer.echo(f"values  {result.method}, on the scale of the {result.scale}")
    typer.echo(f"model   {result.model}")
    typer.echo(f"written {result.output}")
