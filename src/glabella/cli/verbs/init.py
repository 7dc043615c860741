"""The verb `init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder for the new project.")],
) -> None:
    """Copy the shipped definitions into a folder; never overwrite.

    \b
    Example:
      glabella init study
    """
    from glabella.definitions.copy import write_shipped_definitions

    written = write_shipped_definitions(folder)
    typer.echo(f"{len(written)} definitions written to {folder}")
    typer.echo(f"Next: cd {folder} && glabella train bont_pooled")
