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

# Shorter work ends before anybody wonders how long it lasts.
_SECONDS_OF_LONG_WORK = 10.0
# Seconds over which the speed is averaged.
_SPEED_PERIOD = 900.0

AnalysisArgument = Annotated[
    str, typer.Argument(help="A name in pipelines/, or the path of an analysis.")
]
ProjectOption = Annotated[
    Path | None,
    typer.Option("--project", metavar="DIR", help="The project; the nearest one unless stated."),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The folder of the data files."),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output.")
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="A bundle folder, NAME, NAME@ALIAS or NAME/VERSION; the only champion unless stated.",
        show_default=False,
    ),
]
ArmOption = Annotated[
    str | None,
    typer.Option("--arm", help="The arm asked about; the first active one unless stated."),
]
TableArgument = Annotated[
    Path,
    typer.Argument(
        help="A file of text, Parquet, Excel, SAS, SPSS or Stata, or a folder of Parquet parts; "
        "one row a participant."
    ),
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Go on with an interrupted job for the same output.")
]
WorkersOption = Annotated[
    str | None,
    typer.Option(
        "--workers",
        help="Processes, or dask://HOST:PORT; the results do not depend on it.",
        show_default=False,
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, help="Threads; the output does not depend on it.", show_default=False
    ),
]
OutcomeOption = Annotated[
    str | None,
    typer.Option(
        "--outcome",
        metavar="COLUMN",
        help="A table's column of response: 1 or 0, yes or no; or blank.",
    ),
]
ArmColumnOption = Annotated[
    str | None,
    typer.Option("--arm-column", metavar="COLUMN", help="The column of each participant's arm."),
]
ArmOfAllOption = Annotated[
    str | None, typer.Option("--arm", help="The arm of all participants, where no column says it.")
]
OverlapOption = Annotated[
    bool, typer.Option("--allow-overlap", help="Allow participants who were trained on.")
]
RehearsalOption = Annotated[
    bool, typer.Option("--rehearsal", help="Allow a model trained on simulated data.")
]


def read_workers(workers: str | None) -> int | str | None:
    """Read what `WorkersOption` was given.

    Parameters
    ----------
    workers : str or None
        A number, or the address of a Dask scheduler.

    Returns
    -------
    int, str or None
        As the pipelines take it.

    Raises
    ------
    typer.BadParameter
        If it is neither.
    """
    from glabella.validation.parallel import parse_workers

    try:
        return None if workers is None else parse_workers(workers)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--workers") from None


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object.

    Parameters
    ----------
    content : dict
        Plain values; what can't be estimated is null.
    """
    typer.echo(json.dumps(content, indent=2, allow_nan=False))


@contextlib.contextmanager
def show_progress(*, of: str | None = None) -> Iterator[Callable[[str, int, int], None]]:
    """Show progress on standard error: a bar on a terminal, a line a stage elsewhere.

    Parameters
    ----------
    of : str, optional
        What is counted, in the plural, where its rate is worth showing.

    Yields
    ------
    callable
        Takes a stage, the number done and the number in all.
    """
    if not sys.stderr.isatty():
        yield _make_line_printer()
        return
    # rich takes a while to import; only work that lasts shows progress.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        *([TextColumn("{task.fields[rate]}")] if of else []),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    # Over a fit or a repeat that takes minutes the time left is still told.
    with Progress(
        *columns, console=Console(stderr=True), transient=True, speed_estimate_period=_SPEED_PERIOD
    ) as bar:
        task = bar.add_task("starting", total=None, rate="")

        def show(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total or None)
            speed = bar.tasks[0].speed
            bar.update(task, rate=f"{speed:,.0f} {of}/s" if speed else "")

        yield show


def _make_line_printer() -> Callable[[str, int, int], None]:
    started = time.monotonic()
    last: dict[str, Any] = {"stage": "", "since": started, "from": 0, "tenth": 0}

    def show(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage != last["stage"]:
            last.update({"stage": stage, "since": now, "from": done, "tenth": 0})
            share = f" ({done} of {total})" if total else ""
            typer.echo(f"[{now - started:5.1f} s] {stage}{share}", err=True)
            return
        tenth, advanced = 10 * done // total if total else 0, done - last["from"]
        if tenth > last["tenth"] and advanced and now - last["since"] > _SECONDS_OF_LONG_WORK:
            last["tenth"] = tenth
            left = (now - last["since"]) / advanced * (total - done)
            typer.echo(
                f"[{now - started:5.1f} s] {stage} ({done} of {total}, about "
                f"{_name_duration(left)} left)",
                err=True,
            )

    return show


def _name_duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
