"""The verb `example`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(help="beat_the_blues, indomethacin_pep or cdisc_pilot.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go.")],
) -> None:
    """Write a real public table as files; never overwrite.

    Example: glabella example beat_the_blues data

    Parameters
    ----------
    name : str
        Which example.
    folder : Path
        Where the files go.
    """
    from glabella.data.examples import write_example

    for path in write_example(name, folder):
        typer.echo(str(path))
    typer.echo(f"Next: glabella train {name} --data {folder}")
