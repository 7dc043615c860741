"""The verb `check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glabella.cli.options import (
    AnalysisArgument,
    DataOption,
    JsonOption,
    ProjectOption,
    print_json,
)

if TYPE_CHECKING:
    import pandas as pd

    from glabella.pipelines.check.check import CheckResult

OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write the check as an HTML page.")
]


def command(
    analysis: AnalysisArgument,
    out: OutOption = None,
    data: DataOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check definitions, data, timing and folds; fit no model.

    \b
    Example:
      glabella check cdystonia --data FOLDER --out check.html
    """
    from glabella.pipelines.check.check import check

    result = check(analysis, project=project, data=data, out=out)
    if as_json:
        print_json(result.as_json())
        return
    _print_tables(result)
    fits = ", ".join(f"{count} {design}" for design, count in result.folds.items())
    typer.echo(f"Fits for each candidate: {fits}; {result.parameters} parameters after encoding")
    for finding in result.findings:
        typer.echo(f"{finding.severity}: {finding.place}: {finding.finding}")
        if finding.remedy:
            typer.echo(f"  {finding.remedy}")


def _print_tables(result: CheckResult) -> None:
    from glabella.reporting.check_page import tabulate_definitions

    typer.echo(f"{result.analysis}: {result.endpoint}")
    typer.echo("For those who have the data: counts under ten are shown here.")
    typer.echo(f"{result.n} participants, {result.events:g} responders, {result.origin} data")
    for attribute, sentences in result.estimand.items():
        typer.echo(f"{attribute}: {'; '.join(sentences)}")
    typer.echo("")
    typer.echo(result.participants.to_string(index=False) + "\n")
    for reason, count in result.left_out.items():
        typer.echo(f"excluded: {count} with {reason}")
    for title, table in (
        ("Responders among the analysed, by definition", tabulate_definitions(result.strategies)),
        ("Features of the analysed participants", result.table_one),
        ("Proportion of missing values", result.missing),
        ("Assessed, by week", _tabulate_weeks(result.schedule, ["trial"], "seen")),
        ("Visits used for the endpoint", result.visits),
        (
            "Still followed, by week",
            _tabulate_weeks(result.followed, ["trial", "arm", "of"], "followed"),
        ),
        ("Smallest class in the folds", result.classes),
        ("Responders held out, first repetition", result.by_fold),
        ("Events of the rarer outcome for each parameter", result.candidates),
        ("Participants needed, by Riley's criteria", result.sizes),
    ):
        if len(table):
            typer.echo(f"{title}:")
            text = table.to_string(index=False, na_rep="none", float_format=_write_number)
            typer.echo(text + "\n")
    alike = result.membership
    typer.echo(
        f"The trials were not compared: {alike.reason}\n"
        if alike.auc is None
        else f"The features distinguish the trials with an AUC of {alike.auc:.2f}; which of them "
        f"are missing, with an AUC of {alike.auc_missing:.2f}\n"
    )


def _tabulate_weeks(table: pd.DataFrame, rows: list[str], values: str) -> pd.DataFrame:
    """Put weeks into columns: one line per trial or arm, whatever the number of visits."""
    import pandas as pd

    if table.empty:
        return table
    spread = table.pivot(index=rows, columns="week", values=values)
    spread.columns = pd.Index([f"{week:g}" for week in spread.columns])
    counts = spread.astype("Int64").astype(object).fillna("").reset_index()
    return table[rows].drop_duplicates().merge(counts, on=rows, how="left")


def _write_number(value: float) -> str:
    return f"{value:g}" if float(value).is_integer() else f"{value:.4g}"
