"""The verb `example`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="beat_the_blues, indomethacin_pep or cdisc_pilot.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder for the files.")],
) -> None:
    """Write a real public data set as files; never overwrite.

    \b
    Example:
      glabella example beat_the_blues data
    """
    from glabella.data.examples import write_example

    for path in write_example(name, folder):
        typer.echo(str(path))
    typer.echo(f"Next: glabella train {name} --data {folder}")
