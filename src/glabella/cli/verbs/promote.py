"""The verb `promote`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from glabella.cli.options import JsonOption, ProjectOption, print_json

if TYPE_CHECKING:
    from glabella.pipelines.promotion.promote import Promotion

_WIDTH = 100
_INDENT = " " * 8


def command(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="NAME for its challenger, NAME/VERSION or NAME@ALIAS."
        ),
    ],
    override: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="Promote even if a criterion is not met; the reason is recorded.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the criteria and write nothing.")
    ] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Make the previous champion the champion again.")
    ] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a registered version the champion, if it qualifies.

    \b
    Example:
      glabella promote cdystonia

    The criteria are those that its analysis declares. Exit code 1 if one is not met.
    """
    from glabella.pipelines.promotion.promote import promote, roll_back

    if rollback:
        if override is not None or dry_run:
            raise typer.BadParameter(
                "it takes neither --override nor --dry-run", param_hint="--rollback"
            )
        back = roll_back(model, project=project)
        if as_json:
            print_json(back.as_json())
        else:
            typer.echo(
                f"{back.model}/{back.version} is champion again, in place of "
                f"{back.model}/{back.champion_before}"
            )
        return
    result = promote(model, override=override, dry_run=dry_run, project=project)
    if as_json:
        print_json(result.as_json())
    else:
        _print(result)
    if not result.promoted:
        raise typer.Exit(1)


def _print(result: Promotion) -> None:
    for item in result.criteria:
        mark = "passed" if item.passed else "failed"
        typer.echo(_format_text(f"{mark}  {item.name}: {item.figure}", first=""))
        for text in (f"asked: {item.bound}", item.remedy):
            if text is not None:
                typer.echo(_format_text(text, first=_INDENT))
    name = f"{result.model}/{result.version}"
    met = sum(item.passed for item in result.criteria)
    count = f"{met} of {len(result.criteria)} criteria met"
    if result.dry_run:
        would = "would become champion" if result.promoted else "would be refused"
        typer.echo(f"{name} {would}: {count}; nothing was written")
    elif not result.promoted:
        typer.echo(f"{name} is refused: {count}; the champion stays as it is")
    else:
        before = result.champion_before
        instead = (
            "" if before in (None, result.version) else f", in place of {result.model}/{before}"
        )
        typer.echo(f"{name} is champion{instead}: {count}")
        if result.override is not None:
            typer.echo(f"against the gate, because: {result.override}")


def _format_text(text: str, *, first: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=_INDENT)
