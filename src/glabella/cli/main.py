"""The command `glabella`: verbs, exit codes, one message for what is refused."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from glabella.cli.faults import print_errors
from glabella.cli.signals import stop_on_signals
from glabella.old_names import OPTIONS

# Each with the first sentence of its own help, which is read only when the verb is asked for:
# `glabella --help` must not wait for what thirteen verbs import.
VERBS = {
    "init": "Copy the shipped definitions into a folder; never overwrite.",
    "example": "Write a real public data set as files; never overwrite.",
    "simulate": "Simulate trials with known truth, and a table of new patients.",
    "check": "Check definitions, data, timing and folds; fit no model.",
    "rehearse": "Simulate and train repeatedly: bias, coverage and power.",
    "train": "Validate the candidates, choose one, fit it and report.",
    "compare": "Show finished runs side by side, with paired differences.",
    "validate": "Validate a model in new trials whose outcomes are known.",
    "update": "Recalibrate or refit a model to a new trial.",
    "promote": "Make a registered version the champion, if it qualifies.",
    "score": "Predict response for a table of new patients.",
    "explain": "Explain the predictions for new patients.",
    "report": "Write the report of a finished run again.",
}


class _LazyVerbs(TyperGroup):
    """Lists the verbs without importing them, and imports the one that is called."""

    # Annotated loosely: click's types come from click in older releases of typer, from a copy of
    # it inside typer in newer ones.
    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed if name is None else _load(name), rest


def _load(verb: str) -> Any:
    alone = typer.Typer(**_PLAIN)
    alone.command(verb)(import_module(f"glabella.cli.verbs.{verb}").command)
    return typer.main.get_command(alone)


def _list_only() -> None:
    raise NotImplementedError  # replaced by the verb's command before it is called


_PLAIN: Any = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
}


def _read_name(name: str) -> str:
    """Read the name of an option, without its dashes, under which it may be known today."""
    return OPTIONS.get(name, name)


app = typer.Typer(
    name="glabella",
    cls=_LazyVerbs,
    help="Predicts which patients respond to a treatment, from pooled patient-level trial data.",
    no_args_is_help=True,
    context_settings={"token_normalize_func": _read_name},
    **_PLAIN,
)
for verb, summary in VERBS.items():
    app.command(verb, help=summary)(_list_only)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("glabella"))
        raise typer.Exit


@app.callback()
def _read_options(
    version: bool = typer.Option(
        False, "--version", help="Print the version.", is_eager=True, callback=_print_version
    ),
) -> None:
    pass


def run() -> None:
    """Run the command line; exit 0 when done, 1 when refused, 2 on usage, 70 on a fault of ours."""
    with stop_on_signals(), print_errors():
        app()
