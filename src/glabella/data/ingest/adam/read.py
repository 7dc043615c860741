"""A trial's ADaM datasets to participants and assessments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pandas as pd

from glabella.data.checks import refuse_findings
from glabella.data.dictionary import Dictionary
from glabella.data.ingest.adam.events import map_events
from glabella.data.ingest.adam.source import AdamSource
from glabella.data.ingest.adam.subjects import State, map_subjects, refuse_unknown_names
from glabella.data.ingest.adam.visits import map_parameter
from glabella.data.ingest.files import read_table
from glabella.data.ingest.raw import RawTable
from glabella.data.tables import PatientTables
from glabella.definitions.reader import Origin


def read_adam(
    source: AdamSource,
    folder: Path,
    dictionary: Dictionary,
    *,
    written: Origin,
    keys: tuple[str | int, ...],
) -> PatientTables:
    """Read a source's datasets and map them.

    Parameters
    ----------
    source : AdamSource
        The datasets.
    folder : Path
        Where the files are.
    dictionary : Dictionary
        The variables.
    written : Origin
        The analysis that declares the source, for messages.
    keys : tuple
        Where in the analysis the source stands.

    Returns
    -------
    PatientTables
        Typed and checked.

    Raises
    ------
    DataError
        If a file can't be read, or its values break the dictionary or the standard.
    DefinitionError
        If the source names what does not exist.
    """
    raw = {file: read_table(folder / file, source.read.get(file)) for file in source.files}
    return map_adam(source, raw, dictionary, origin="real", written=written, keys=keys)


def map_adam(
    source: AdamSource,
    raw: Mapping[str, RawTable],
    dictionary: Dictionary,
    *,
    origin: Literal["real", "simulated"],
    written: Origin,
    keys: tuple[str | int, ...],
) -> PatientTables:
    """Map ADaM datasets to participants and assessments.

    Parameters
    ----------
    source : AdamSource
        The datasets.
    raw : mapping of RawTable
        The tables by file name.
    dictionary : Dictionary
        The variables.
    origin : str
        ``real`` or ``simulated``.
    written : Origin
        The analysis that declares the source, for messages.
    keys : tuple
        Where in the analysis the source stands.

    Returns
    -------
    PatientTables
        Typed and checked; what was left aside stands in its findings, counted.

    Raises
    ------
    DataError
        If values break the dictionary or the standard.
    DefinitionError
        If the source names what does not exist.
    """
    state: State = State(source, raw, dictionary, written, keys)
    refuse_unknown_names(state)
    subjects = map_subjects(state)
    for name, flags in map_events(state, subjects).items():
        subjects[name] = flags
    visits = [
        map_parameter(state, variable, subjects).assign(paramcd=variable)
        for variable in source.parameters
    ]
    refuse_findings(state.findings, rows=state.list_rows())
    columns = ["person", "period", "week", "aval", "paramcd"]
    rows = pd.concat(visits, ignore_index=True) if visits else pd.DataFrame(columns=columns)
    people, assessments = _divide_periods(source, subjects, rows)
    return PatientTables(
        participants=people,
        assessments=assessments,
        origin=origin,
        findings=tuple(state.findings),
    )


def _divide_periods(
    source: AdamSource, subjects: pd.DataFrame, rows: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give each subject a row, or one for each period that counts."""
    arms = [name for name in subjects if str(name).startswith("arm/")]
    plain = subjects.drop(columns=[*arms, "counts"])
    people, visits = [], []
    for name in arms:
        period = int(str(name).partition("/")[2])
        took = subjects["counts"] & (subjects[name] != "")
        names = subjects["usubjid"] + (f"/{period}" if len(arms) > 1 else "")
        part = plain.assign(arm=subjects[name], usubjid=names)
        if len(arms) > 1:
            part = part.assign(person=subjects["usubjid"])
        people.append(part[took])
        of_period = rows[(rows["period"] == period) & rows["person"].isin(subjects.index[took])]
        person = of_period["person"].to_numpy(dtype=int)
        visits.append(
            pd.DataFrame(
                {
                    "studyid": subjects["studyid"].to_numpy()[person],
                    "usubjid": names.to_numpy()[person],
                    "paramcd": of_period["paramcd"].to_numpy(),
                    "week": of_period["week"].to_numpy(dtype=float),
                    "aval": of_period["aval"].to_numpy(dtype=float),
                }
            )
        )
    return pd.concat(people, ignore_index=True), pd.concat(visits, ignore_index=True)
