"""The tables of an analysis, read from files or simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from glabella.analysis.resolve import ResolvedAnalysis
from glabella.data.adam.read import read_adam
from glabella.data.adam.source import AdamSource
from glabella.data.checks import join_refusals
from glabella.data.mapping.labels import NamedArm
from glabella.data.mapping.mapping import map_trial, read_trial
from glabella.data.pool import pool_trials
from glabella.data.tables import PatientTables
from glabella.definitions.locate import Project
from glabella.errors import Refusals
from glabella.simulation.frames import TrialTables, simulate_tables
from glabella.simulation.sources import find_sources, make_raw_tables, make_table_source


def load_tables(resolved: ResolvedAnalysis, data: Path | None, project: Project) -> PatientTables:
    """Read or simulate the tables of an analysis."""
    origin, dictionary = resolved.analysis.origin, resolved.dictionary.value
    if resolved.scenario is not None and data is None:
        seed = resolved.analysis.value.seed
        return map_simulated(resolved, simulate_tables(resolved.scenario.value, seed=seed))
    folder = data or project.home
    sources = resolved.sources
    if resolved.scenario is not None:
        sources = find_sources(resolved.scenario.value, dictionary, folder)
    arms = [
        NamedArm(arm.all_codes, (arm.name, arm.label or arm.name))
        for arm in resolved.analysis.value.arms
    ]
    parts, refusals = [], Refusals()
    for index, source in enumerate(sources):
        keys = ("data", "simulate") if resolved.is_simulated else ("data", "trials", index)
        whence: Literal["real", "simulated"] = "simulated" if resolved.is_simulated else "real"
        with refusals.collect():
            if isinstance(source, AdamSource):
                read = read_adam(
                    source, folder, dictionary, written=origin, keys=keys, origin=whence
                )
            else:
                read = read_trial(
                    source, folder, dictionary, written=origin, keys=keys, origin=whence, arms=arms
                )
            parts.append(read)
    if refusals.errors:
        raise join_refusals(refusals.errors)
    return pool_trials(parts, place=origin.name_place("data", "trials"))


def map_simulated(resolved: ResolvedAnalysis, simulated: TrialTables) -> PatientTables:
    """Read simulated tables through the mapping of any other source."""
    dictionary = resolved.dictionary.value
    return map_trial(
        make_table_source(
            simulated.scenario, dictionary, tabulated=list(simulated.participants.columns)
        ),
        make_raw_tables(simulated),
        dictionary,
        origin="simulated",
        written=resolved.analysis.origin,
        keys=("data", "simulate"),
    )
