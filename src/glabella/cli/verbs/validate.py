"""The verb `validate`."""

from __future__ import annotations

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
    print_progress,
)


def command(
    tables: Annotated[
        list[str],
        typer.Argument(
            metavar="TABLE",
            help="New trials with outcomes, in the order of time: tables, or analyses of them.",
        ),
    ],
    outcome: OutcomeOption = None,
    event: EventOption = None,
    model: ModelOption = None,
    arm_column: ArmColumnOption = None,
    arm: ArmOfAllOption = None,
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
    """Validate a model in new trials whose outcomes are known.

    \b
    Example:
      glabella validate new_trial.csv --outcome responded --arm-column arm
    """
    from glabella.pipelines.new_trial.validate import validate
    from glabella.validation.measures.measure import Tier
    from glabella.validation.measures.registry import list_measures

    with print_progress() as progress:
        result = validate(
            *tables,
            outcome=outcome,
            event=event,
            model=model,
            arm_column=arm_column,
            arm=arm,
            allow_overlap=allow_overlap,
            allow_reversed=allow_reversed,
            form=form,
            read=collect_read_options(encoding, delimiter, decimal, sheet),
            allow_simulated=allow_simulated,
            data=data,
            project=project,
            progress=progress,
        )
    if as_json:
        print_json(result.as_json())
        return
    for item in result.trials:
        typer.echo(f"{item.trial.name}: {item.verdict}\n")
    headline, *others = list_measures(Tier.TABLE)
    interval = [headline, f"{headline}_low", f"{headline}_high"]
    table = result.frame()[["trial", "n", "events", *interval, *others, "promise"]]
    typer.echo(table.to_string(index=False, na_rep="-", float_format="{:.3f}".format) + "\n")
    typer.echo(result.statement)
    for item in result.trials:
        told = item.update.describe() if item.update is not None else item.update_reason
        typer.echo(f"update  {item.trial.name}: {told}")
    typer.echo(f"report  {result.report}")
    typer.echo(f"run     {result.run_id}")
