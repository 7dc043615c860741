"""Locates the definition folders and the runs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from glabella.definitions.reader import DefinitionT, Read, read_definition
from glabella.errors import DefinitionError, describe_choices

FOLDERS = ("features", "models", "pipelines")


@dataclass(frozen=True)
class Project:
    """A set of definition folders, and the folder in which its runs are kept.

    Parameters
    ----------
    definitions : Path
        The folder that holds ``features``, ``models`` and ``pipelines``.
    home : Path
        The folder that holds, or will hold, ``mlruns``; data files are relative to it.
    """

    definitions: Path
    home: Path

    @property
    def runs(self) -> Path:
        """The folder of MLflow's store and of what a run writes."""
        return self.home / "mlruns"

    def list_names(self, folder: str) -> list[str]:
        """List the definitions of a folder."""
        return sorted(path.stem for path in (self.definitions / folder).glob("*.yaml"))

    def read(self, folder: str, name: str, model: type[DefinitionT]) -> Read[DefinitionT]:
        """Read a definition by its name."""
        path = self.definitions / folder / f"{name}.yaml"
        if name not in self.list_names(folder):
            raise DefinitionError(
                f"there is no '{name}' in {folder}/",
                remedy=describe_choices(name, self.list_names(folder)),
            )
        return read_definition(path, model, name=f"{folder}/{name}.yaml")

    def read_analysis(self, reference: str, model: type[DefinitionT]) -> Read[DefinitionT]:
        """Read an analysis by its name in ``pipelines`` or by a path."""
        if reference.endswith((".yaml", ".yml")):
            path = Path(reference)
            shown = path
            if path.resolve().is_relative_to(self.definitions.resolve()):
                shown = path.resolve().relative_to(self.definitions.resolve())
            return read_definition(path, model, name=shown.as_posix())
        return self.read("pipelines", reference, model)


def find_shipped() -> Path:
    """Find the definitions that ship with the package.

    Returns
    -------
    Path
        ``shipped`` inside an installed package; the checkout's root in an editable install,
        where the folders at the top are the only copy.
    """
    package = Path(str(files("glabella")))
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parents[1]


def is_project(folder: Path) -> bool:
    """Say whether a folder holds a set of definitions."""
    return (
        (folder / "features" / "dictionary.yaml").is_file()
        and any((folder / "models").glob("*.yaml"))
        and any((folder / "pipelines").glob("*.yaml"))
    )


def find_project(stated: Path | None = None, *, start: Path | None = None) -> Project:
    """Find the project: the stated folder, the nearest parent that is one, or the shipped set.

    Returns
    -------
    Project
        The definitions and the home of the runs. With the shipped definitions, runs are kept in
        the current folder.
    """
    if stated is not None:
        if not is_project(stated):
            raise DefinitionError(
                "this folder is not a project: it needs features/dictionary.yaml and at least "
                "one YAML file in models/ and in pipelines/",
                place=str(stated),
                remedy=f"Make one with `glabella init {stated}`.",
            )
        return Project(definitions=stated.resolve(), home=stated.resolve())
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if is_project(folder):
            return Project(definitions=folder, home=folder)
    return Project(definitions=find_shipped(), home=here)
