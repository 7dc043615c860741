"""Simulates a scenario into files, or holds it against the published figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from glabella.data.evidence import Evidence
from glabella.definitions.locate import find_project
from glabella.errors import DefinitionError
from glabella.reporting.figures.calibration import render_calibration_text, write_calibration
from glabella.simulation.export import write_simulated
from glabella.simulation.frames import simulate_trials
from glabella.simulation.published.published_check import calibrate
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.scenario.reading import read_scenario

__all__ = ["simulate"]

DEFAULT_REPLICATES = 400


@dataclass(frozen=True)
class Calibration:
    """Published figures beside their simulated distributions.

    Parameters
    ----------
    scenario : str
        Its name.
    replicates, seed : int
        How many simulations, and the seed of the first.
    table : DataFrame
        One row a figure, as `glabella.simulation.published.published_check.calibrate` makes it.
    files : tuple of Path
        What was written.
    """

    scenario: str
    replicates: int
    seed: int
    table: pd.DataFrame
    files: tuple[Path, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Give the table.

        Returns
        -------
        DataFrame
            A copy.
        """
        return self.table.copy()

    def render_text(self) -> str:
        """Render the table for a terminal.

        Returns
        -------
        str
            A line a figure.
        """
        return render_calibration_text(self.table)

    @property
    def verdicts(self) -> dict[str, int]:
        """How many figures have each verdict."""
        counts = self.table["verdict"].value_counts()
        return {str(name): int(count) for name, count in counts.items()}

    def as_json(self) -> dict[str, Any]:
        """Give plain values.

        Returns
        -------
        dict
            What was not simulated is null.
        """
        rows = self.table.astype(object).where(self.table.notna(), None)
        return {
            "scenario": self.scenario,
            "replicates": self.replicates,
            "seed": self.seed,
            "verdicts": self.verdicts,
            "figures": rows.to_dict(orient="records"),
        }


def simulate(
    scenario: str,
    *,
    out: str | Path,
    seed: int = 1,
    format: Literal["csv", "parquet", "adam"] = "csv",
    participants: int | None = None,
    workers: int = 1,
    project: str | Path | None = None,
) -> list[Path]:
    """Simulate trials with known truth into files.

    Parameters
    ----------
    scenario : str
        A name in ``pipelines/scenarios``.
    out : str or Path
        An empty folder, or one to be made.
    seed : int
        The same seed gives the same tables.
    format : str
        ``csv``, ``parquet`` or ``adam``, CDISC transport files.
    participants : int, optional
        How many in all; as many as the scenario says unless stated. Each arm keeps its share.
    workers : int
        Threads; they change nothing but the time.
    project : str or Path, optional
        The project; the nearest one unless stated.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    GlabellaError
        If the scenario is impossible, or a file is there already.
    """
    home = find_project(Path(project) if project is not None else None)
    value: Scenario = read_scenario(home, scenario).value
    if participants is not None:
        least = sum(len(trial.arms) for trial in value.trials)
        if participants < least:
            raise DefinitionError(
                f"{participants} participants are fewer than the {least} arms",
                place=f"scenario '{scenario}'",
                remedy="Ask for at least one in each arm.",
            )
        value = value.with_participants(participants)
    simulated = simulate_trials(value, seed=seed, workers=workers)
    return write_simulated(simulated, Path(out), format=format)


def calibrate_scenario(
    scenario: str,
    *,
    seed: int = 1,
    replicates: int = DEFAULT_REPLICATES,
    out: str | Path | None = None,
    project: str | Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Calibration:
    """Hold a scenario against the published figures that the project ships.

    Parameters
    ----------
    scenario : str
        A name in ``pipelines/scenarios``.
    seed : int
        Of the first replicate; each other has the next.
    replicates : int
        How many, at least 2.
    out : str or Path, optional
        A folder for the table, as CSV and Markdown, and its figures; what an earlier calibration
        wrote there is replaced.
    project : str or Path, optional
        The project; the nearest one unless stated.
    progress : callable, optional
        Called with a stage, the number done and the number in all.

    Returns
    -------
    Calibration
        A figure a line.

    Raises
    ------
    GlabellaError
        If the scenario is impossible, or no figure was published on its trials.
    """
    home = find_project(Path(project) if project is not None else None)
    read = read_scenario(home, scenario)
    evidence = home.read("features", "evidence", Evidence).value
    table = calibrate(read.value, evidence, seed=seed, replicates=replicates, progress=progress)
    if table.empty:
        raise DefinitionError(
            "nothing is published on any of its trials",
            place=read.origin.name,
            remedy="Calibrate a scenario whose trials stand in features/evidence.yaml.",
        )
    files: tuple[Path, ...] = ()
    if out is not None:
        files = write_calibration(
            read.value, evidence, table, Path(out), name=scenario, seed=seed, replicates=replicates
        )
    return Calibration(scenario, replicates, seed, table, files)
