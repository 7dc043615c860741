"""Options that several verbs share, and how progress and results are printed."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from glabella.errors import escape_controls

# Shorter work needs no estimate of the time left.
_SECONDS_OF_LONG_WORK = 10.0
# Seconds over which the speed is averaged.
_SPEED_PERIOD = 900.0

# Columns of a stage that has just begun.
_NOTHING_YET: dict[str, Any] = {"count": "", "rate": "", "left": ""}

AnalysisArgument = Annotated[
    str,
    typer.Argument(
        metavar="ANALYSIS", help="An analysis: its name in pipelines/, or the path of its file."
    ),
]
ProjectOption = Annotated[
    Path | None,
    typer.Option(
        "--project",
        metavar="DIR",
        help="The folder that holds features/, models/ and pipelines/; by default the nearest.",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="The folder of the data files that an analysis names; by default the project.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON object and nothing else.")
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="A bundle folder, or NAME, NAME@ALIAS or NAME/VERSION in the registry; by default "
        "the project's only champion.",
        show_default=False,
    ),
]
ArmOption = Annotated[
    str | None,
    typer.Option(
        "--arm",
        metavar="ARM",
        help="Predict response under this arm; by default the first active one. With score, `all` "
        "adds every arm and the differences from the control.",
    ),
]
TableArgument = Annotated[
    Path,
    typer.Argument(
        metavar="TABLE",
        help="A CSV, TSV, Parquet, Excel, SAS, SPSS or Stata file, or a folder of Parquet files; "
        "one row per patient.",
    ),
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Continue an interrupted job for the same output.")
]
WorkersOption = Annotated[
    str | None,
    typer.Option(
        "--workers",
        metavar="N",
        help="Number of processes, or dask://HOST:PORT for a cluster; by default one per core. "
        "The results do not depend on it.",
        show_default=False,
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        help="Number of threads; by default one per core. The output does not depend on it.",
        show_default=False,
    ),
]
FormOption = Annotated[
    str | None,
    typer.Option(
        "--form",
        metavar="NAME",
        help="The training source whose names and codes the table has, or dictionary.",
    ),
]
EncodingOption = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="The encoding of a text file, such as cp1252."),
]
DelimiterOption = Annotated[
    str | None,
    typer.Option(
        "--delimiter", metavar="SIGN", help="What separates the cells of a text file, or: tab."
    ),
]
DecimalOption = Annotated[
    str | None,
    typer.Option(
        "--decimal", metavar="SIGN", help="The decimal sign of a text file: a point or a comma."
    ),
]
SheetOption = Annotated[
    str | None, typer.Option("--sheet", metavar="NAME", help="The sheet of a workbook.")
]
EventOption = Annotated[
    str | None,
    typer.Option(
        "--event",
        metavar="CODE",
        help="The value of the outcome column, or its label, that means response.",
    ),
]
ReversedOption = Annotated[
    bool,
    typer.Option(
        "--allow-reversed",
        help="Allow an outcome that fits the model much better with its classes swapped.",
    ),
]
OutcomeOption = Annotated[
    str | None,
    typer.Option(
        "--outcome",
        metavar="COLUMN",
        help="The table's column of response: 1 or 0, yes or no; blank if unknown.",
    ),
]
ArmColumnOption = Annotated[
    str | None,
    typer.Option(
        "--arm-column", metavar="COLUMN", help="The table's column of each participant's arm."
    ),
]
ArmOfAllOption = Annotated[
    str | None,
    typer.Option("--arm", metavar="ARM", help="The arm of all participants, if no column has it."),
]
OverlapOption = Annotated[
    bool,
    typer.Option("--allow-overlap", help="Allow participants on whom the model was trained."),
]
AllowSimulatedOption = Annotated[
    bool, typer.Option("--allow-simulated", help="Allow a model trained on simulated data.")
]


def read_workers(workers: str | None) -> int | str | None:
    """Read the number or address that `WorkersOption` was given; anything else is wrong usage."""
    from glabella.validation.fitting.workers import parse_workers

    try:
        return None if workers is None else parse_workers(workers)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--workers") from None


def collect_read_options(
    encoding: str | None, delimiter: str | None, decimal: str | None, sheet: str | None
) -> dict[str, str | None]:
    """Collect what the options say of a file, for the verbs that take a table."""
    return {
        "encoding": encoding,
        "delimiter": delimiter,
        "decimal": decimal,
        "sheet": sheet,
    }


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object of plain values, in which an estimate that is not possible is null."""
    typer.echo(json.dumps(content, indent=2, allow_nan=False))


@contextlib.contextmanager
def print_progress(*, of: str | None = None) -> Iterator[Callable[[str, int, int], None]]:
    """Show progress on standard error: a bar on a terminal, a line per stage elsewhere.

    The function takes a stage, the number done and the total, which is 0 if it is not known. `of`
    names what is counted, in the plural, if its rate is worth showing.
    """
    # There is none where the shell closed it.
    if sys.stderr is None or not sys.stderr.isatty():
        yield _make_line_printer()
        return
    # rich takes a while to import; only work that lasts shows progress.
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        *([TextColumn("{task.fields[rate]}")] if of else []),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    # A long period keeps the estimate while a single fit or repeat takes minutes.
    with Progress(
        *columns,
        # The bar steers the terminal itself; what it shows must not.
        console=Console(file=getattr(sys.stderr, "plain", sys.stderr)),
        transient=True,
        speed_estimate_period=_SPEED_PERIOD,
    ) as bar:
        started = bar.get_time()

        def print_line(stage: str, done: int, total: int) -> None:
            shown = bar.tasks[0]
            words = escape(escape_controls(stage))
            if words != shown.description:
                # A new task: rich can't take a total away, and the speed of one stage says
                # nothing about the next.
                bar.remove_task(shown.id)
                bar.add_task(words, total=total or None, **_NOTHING_YET)
                shown = bar.tasks[0]
                shown.start_time = started
            bar.update(shown.id, completed=done, total=total or None)
            bar.update(
                shown.id,
                count=_name_count(done, total),
                rate=f"{shown.speed:,.0f} {of}/s" if of and shown.speed else "",
                left=_name_time_left(shown.time_remaining),
            )

        bar.add_task("starting", total=None, **_NOTHING_YET)
        yield print_line


def _name_count(done: int, total: int) -> str:
    if total:
        return f"{done:,} of {total:,}"
    return f"{done:,}" if done else ""


def _name_time_left(seconds: float | None) -> str:
    return f"about {_name_duration(seconds)} left" if seconds else ""


def _make_line_printer() -> Callable[[str, int, int], None]:
    started = time.monotonic()
    last: dict[str, Any] = {"stage": "", "since": started, "from": 0, "tenth": 0}

    def write(now: float, stage: str, *known: str) -> None:
        words = ", ".join(filter(None, known))
        typer.echo(f"[{now - started:5.1f} s] {stage}{f' ({words})' if words else ''}", err=True)

    def print_line(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage != last["stage"]:
            last.update({"stage": stage, "since": now, "from": done, "tenth": 0})
            write(now, stage, _name_count(done, total))
            return
        tenth, advanced = 10 * done // total if total else 0, done - last["from"]
        if tenth > last["tenth"] and advanced and now - last["since"] > _SECONDS_OF_LONG_WORK:
            last["tenth"] = tenth
            left = (now - last["since"]) / advanced * (total - done)
            write(now, stage, _name_count(done, total), _name_time_left(left))

    return print_line


def _name_duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
