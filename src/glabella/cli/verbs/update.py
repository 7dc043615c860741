"""The verb `update`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from glabella.cli.options import (
    AllowSimulatedOption,
    ArmColumnOption,
    ArmOfAllOption,
    DataOption,
    DecimalOption,
    DelimiterOption,
    EncodingOption,
    EventOption,
    FormOption,
    JsonOption,
    ModelOption,
    OutcomeOption,
    OverlapOption,
    ProjectOption,
    ReversedOption,
    SheetOption,
    collect_read_options,
    print_json,
)


class Method(StrEnum):
    """How a model is updated."""

    auto = "auto"
    in_the_large = "in-the-large"
    intercept_and_slope = "intercept-and-slope"
    refit = "refit"


def command(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE", help="A new trial with outcomes: a table, or an analysis of it."
        ),
    ],
    outcome: OutcomeOption = None,
    event: EventOption = None,
    model: ModelOption = None,
    method: Annotated[
        Method, typer.Option(help="auto is the smallest update that a closed test does not reject.")
    ] = Method.auto,
    arm_column: ArmColumnOption = None,
    arm: ArmOfAllOption = None,
    training_data: Annotated[
        Path | None,
        typer.Option(
            "--training-data",
            metavar="DIR",
            help="The folder of the training data, needed for refit.",
        ),
    ] = None,
    allow_overlap: OverlapOption = False,
    allow_reversed: ReversedOption = False,
    form: FormOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    decimal: DecimalOption = None,
    sheet: SheetOption = None,
    allow_simulated: AllowSimulatedOption = False,
    data: DataOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recalibrate or refit a model to a new trial.

    \b
    Example:
      glabella update new_trial.csv --outcome responded --arm-column arm

    Writes a new version if the trial shows that one is needed; the old one stays as it is.
    """
    from glabella.pipelines.new_trial.update import update
    from glabella.reporting.finding import format_estimate
    from glabella.validation.measures.measure import Tier
    from glabella.validation.measures.registry import MEASURES, list_measures

    result = update(
        table,
        outcome=outcome,
        event=event,
        model=model,
        method=method.value,
        arm_column=arm_column,
        arm=arm,
        training_data=training_data,
        allow_overlap=allow_overlap,
        allow_reversed=allow_reversed,
        form=form,
        read=collect_read_options(encoding, delimiter, decimal, sheet),
        allow_simulated=allow_simulated,
        data=data,
        project=project,
    )
    if as_json:
        print_json(result.as_json())
        return
    typer.echo(result.describe() + "\n")
    if result.update == "none":
        return
    for name in list_measures(Tier.PAGE):
        digits = MEASURES[name].digits
        before = format_estimate(result.before.performance.estimates[name], digits)
        after = format_estimate(result.after.estimates[name], digits)
        typer.echo(f"{name:22} before {before:24} after, apparent {after}")
    typer.echo(f"\nbundle  {result.bundle}")
    typer.echo(f"model   {result.model_uri}")
    typer.echo(f"run     {result.run_id}")
