"""The command `glabella`: verbs, exit codes, one message for what is refused."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import typer

from glabella import __version__
from glabella.cli import (
    check,
    compare,
    example,
    explain,
    init,
    promote,
    rehearse,
    report,
    score,
    simulate,
    train,
    update,
    validate,
)
from glabella.errors import GlabellaError

app = typer.Typer(
    name="glabella",
    help="Predicts which patients respond to a treatment, from pooled patient-level trial data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
VERBS = (
    init,
    example,
    simulate,
    check,
    rehearse,
    train,
    compare,
    validate,
    update,
    promote,
    score,
    explain,
    report,
)
for verb in VERBS:
    app.command(verb.__name__.rpartition(".")[2])(verb.command)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _take_options(
    version: bool = typer.Option(
        False, "--version", help="Print the version.", is_eager=True, callback=_print_version
    ),
) -> None:
    pass


def run() -> None:
    """Run the command line; exit 0 when done, 1 when data or analysis are refused, 2 on usage."""
    # A terminated run leaves by the same door as an interrupted one, so that it is marked failed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        app()
    except GlabellaError as error:
        typer.echo(f"glabella: {error}", err=True)
        sys.exit(1)


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Written here: the command line's own framework ends an interrupted verb without a word.
    sys.stderr.write("\nglabella: interrupted\n")
    raise KeyboardInterrupt
