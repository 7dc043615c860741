"""Maps a trial's files, wide or long, to the tables of participants and assessments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from glabella.data.checks import Finding, parse_values, raise_findings
from glabella.data.dictionary import Dictionary
from glabella.data.mapping.interpret import (
    MappingState,
    read_identifiers,
    read_source_column,
    read_trial_names,
)
from glabella.data.mapping.labels import (
    NamedArm,
    Reading,
    read_arm_labels,
    read_labelled,
    read_name_labels,
)
from glabella.data.mapping.long import map_assessments
from glabella.data.mapping.sources import AssessmentsFile, ParticipantsFile, TrialSource
from glabella.data.reading.files import read_table
from glabella.data.reading.raw import RawTable
from glabella.data.tables import KEY, PatientTables
from glabella.definitions.reader import Origin
from glabella.domain.scales import SCALES
from glabella.errors import Refusals

__all__ = ["AssessmentsFile", "ParticipantsFile", "TrialSource", "map_trial", "read_trial"]

# Of fewer rows it is no wonder that each has a trial of its own.
_FEWEST_TO_COMPARE = 10
_ROLE_COLUMNS = {"site": "siteid", "cohort": "cohort", "arm": "arm", "scale": "scale"}


def read_trial(
    source: TrialSource,
    folder: Path,
    dictionary: Dictionary,
    *,
    origin: Literal["real", "simulated"],
    written: Origin,
    keys: tuple[str | int, ...],
    arms: Sequence[NamedArm] = (),
) -> PatientTables:
    """Read a source's files and map them.

    Parameters
    ----------
    source : TrialSource
        The files and their columns.
    folder : Path
        Where the files are.
    dictionary : Dictionary
        The variables.
    origin : str
        ``real`` or ``simulated``.
    written : Origin
        The analysis that declares the source, for messages.
    keys : tuple
        Where in the analysis the source stands.
    arms : sequence of NamedArm
        The arms of the analysis, where it declares such.

    Returns
    -------
    PatientTables
        Typed and checked.

    Raises
    ------
    DataError
        If a file can't be read or its values break the dictionary.
    DefinitionError
        If the mapping names a column or variable that does not exist.
    """
    raw = read_files(source, folder)
    return map_trial(source, raw, dictionary, origin=origin, written=written, keys=keys, arms=arms)


def read_files(source: TrialSource, folder: Path) -> dict[str, RawTable]:
    """Read a source's files.

    Parameters
    ----------
    source : TrialSource
        The files.
    folder : Path
        Where they are.

    Returns
    -------
    dict of RawTable
        By the file's name.

    Raises
    ------
    DataError
        With every file that can't be read.
    """
    raw, refusals = {}, Refusals()
    for file in source.files:
        with refusals.collect():
            raw[file] = read_table(folder / file, source.read.get(file))
    refusals.raise_all()
    return raw


def map_trial(
    source: TrialSource,
    raw: Mapping[str, RawTable],
    dictionary: Dictionary,
    *,
    origin: Literal["real", "simulated"],
    written: Origin,
    keys: tuple[str | int, ...],
    arms: Sequence[NamedArm] = (),
) -> PatientTables:
    """Map raw tables to participants and assessments.

    Parameters
    ----------
    source : TrialSource
        The files and their columns.
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
    arms : sequence of NamedArm
        The arms of the analysis, where it declares such.

    Returns
    -------
    PatientTables
        Typed and checked.

    Raises
    ------
    DataError
        If values break the dictionary, or participants are doubled or unknown. Its ``rows`` say
        which rows of which file, for a file that stays where the data are.
    DefinitionError
        If the mapping names a column or variable that does not exist.
    """
    state = MappingState(source, raw, dictionary, written, keys, tuple(arms))
    _check_names(state)
    people = _map_participants(state)
    assessments = map_assessments(state, people)
    if source.design == "crossover":
        people, assessments = _select_periods_of_person(state, people, assessments)
    raise_findings(state.findings, rows=state.list_rows())
    return PatientTables(
        participants=people,
        assessments=assessments,
        origin=origin,
        findings=tuple(state.findings),
    )


def _check_names(state: MappingState[TrialSource]) -> None:
    """Refuse all columns that the files lack and variables that the dictionary lacks at once."""
    refusals = Refusals()

    def check_column(file: str, column: str | None, *keys: str | int) -> None:
        if column is not None:
            with refusals.collect():
                state.take(file, column, *keys)

    def check_variable(name: str, *keys: str | int) -> None:
        with refusals.collect():
            state.find(name, *keys)

    people, at = state.source.participants, ("participants",)
    for role in ("id", "trial", *_ROLE_COLUMNS):
        check_column(people.file, getattr(people, role), *at, role)
    for period, column in people.arms.items():
        check_column(people.file, column, *at, "arms", period)
    for name in people.variables:
        check_variable(name, *at, "variables", name)
        column = people.find_column(name).column
        check_column(people.file, column, *at, "variables", name)
    for index, item in enumerate(state.source.assessments):
        where = ("assessments", index)
        for role in ("id", "trial", "parameter", "period", "week", "value"):
            check_column(item.file, getattr(item, role), *where, role)
        for column in item.weeks or ():
            check_column(item.file, column, *where, "weeks", column)
        if item.variable is not None:
            check_variable(item.variable, *where, "variable")
        for name in item.parameters:
            check_variable(name, *where, "parameters", name)
    refusals.raise_all()


def _map_participants(state: MappingState[TrialSource]) -> pd.DataFrame:
    file = state.source.participants
    at = ("participants",)
    n_rows = len(state.raw[file.file].frame)
    columns = {
        "studyid": pd.Series(state.source.name, index=range(n_rows))
        if file.trial is None
        else read_trial_names(state, file.file, file.trial, *at, "trial").astype(object),
        "usubjid": read_identifiers(state, file.file, file.id, *at, "id").astype(object),
    }
    for role, column in _ROLE_COLUMNS.items():
        name = getattr(file, role)
        if name is not None:
            columns[column] = _read_role(state, role, name, *at, role)
    for period, name in file.arms.items():
        columns[f"arm/{period}"] = _read_role(state, "arm", name, *at, "arms", period)
    if state.source.scale is not None:
        columns["scale"] = pd.Series(state.source.scale, index=range(n_rows))
    _check_roles(state, columns)
    for name in file.variables:
        keys = (*at, "variables", name)
        variable = state.find(name, *keys)
        given = file.find_column(name)
        raw = read_source_column(state, file.file, given, variable, keys)
        scales = columns.get("scale")
        # A scale that is none was noted with the column that names it.
        parsed = parse_values(raw, variable, scales=scales, notes_scales=scales is None)
        state.note_faults(parsed.faults, file.file, given.column, name)
        columns[name] = parsed.values
    return pd.DataFrame(columns)


def _read_role(
    state: MappingState[TrialSource], role: str, column: str, *keys: str | int
) -> pd.Series:
    """Read arms and scales by their labels too; a site or cohort is whatever stands there."""
    file = state.source.participants.file
    raw = state.take(file, column, *keys)
    text, labels = read_labelled(raw, state.raw[file].value_labels.get(column, {}))
    reading, remedy = Reading({}), ""
    if role == "arm" and state.arms:
        reading = read_arm_labels(labels, state.arms)
        remedy = (
            "List the label among `codes:` of the arm that it names, and take the value out of "
            "another's; or write the arms in words into the file."
        )
    elif role == "scale":
        reading = read_name_labels(labels, SCALES)
        remedy = "Mend the label, or the value."
    state.note_reading(text, reading, file, column, remedy)
    return text.replace(dict(reading.taken)) if reading.taken else text


def _check_roles(state: MappingState[TrialSource], columns: dict[str, pd.Series]) -> None:
    file = state.source.participants
    for name, key, what in ((file.id, "usubjid", "id"), (file.trial, "studyid", "trial")):
        state.note_rows(
            (columns[key] == "").to_numpy(),
            file.file,
            name,
            f"{{count}} rows have no {what}",
            "Fill them in.",
        )
    _check_groups(state, columns)
    if "scale" in columns:
        state.note_rows(
            ~columns["scale"].isin(list(SCALES)).to_numpy(),
            file.file,
            file.scale,
            f"{{count}} of {len(columns['scale'])} rows name no known scale",
            f"There are: {', '.join(SCALES)}.",
        )
    keys = pd.DataFrame({key: columns[key] for key in KEY})
    # Rows without an id were noted as such, and are not one participant.
    state.note_rows(
        (keys.duplicated() & (keys != "").all(axis=1)).to_numpy(),
        file.file,
        file.id,
        "{count} rows repeat a participant of the same trial",
        "Keep one row a participant.",
    )


def _check_groups(state: MappingState[TrialSource], columns: dict[str, pd.Series]) -> None:
    """Refuse groups of one: their names are shown, and may be those of participants."""
    file = state.source.participants
    n_rows = len(columns["usubjid"])
    for name, key, what in (
        (file.trial, "studyid", "trials"),
        (file.site, "siteid", "sites"),
        (file.cohort, "cohort", "cohorts"),
    ):
        groups = 0 if name is None else columns[key].nunique()
        # Many sites recruit one participant each, but hardly all; trials do not.
        most = n_rows / 2 if key == "studyid" else n_rows - 1
        if n_rows >= _FEWEST_TO_COMPARE and groups > most:
            state.note_rows(
                np.ones(n_rows, dtype=bool),
                file.file,
                name,
                f"{{count}} participants are in {groups} {what}",
                "Name the column of these, and not one in which everybody differs.",
            )


def _select_periods_of_person(
    state: MappingState[TrialSource], people: pd.DataFrame, assessments: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give a crossover one row a participant, or one for each period of each."""
    arms = state.source.participants.arms
    plain = people.drop(columns=[f"arm/{period}" for period in arms])
    chosen = sorted(arms) if state.source.periods == "all" else [min(arms)]
    in_period = assessments["period"].isin(chosen)
    if not in_period.all():
        state.findings.append(
            Finding(
                place=state.source.name,
                finding=f"{int((~in_period).sum())} assessments are of another period than the "
                "first and are excluded",
                remedy="`periods: all` takes them in.",
                severity="note",
            )
        )
    parts, rows = [], []
    for period in chosen:
        part = plain.assign(arm=people[f"arm/{period}"])
        visits = assessments[assessments["period"] == period]
        if len(chosen) > 1:
            part = part.assign(person=part["usubjid"], usubjid=part["usubjid"] + f"/{period}")
            names = visits["usubjid"].astype(object) + f"/{period}"
            visits = visits.assign(usubjid=names)
        parts.append(part)
        rows.append(visits.drop(columns="period"))
    taken = pd.concat(parts, ignore_index=True)
    untreated = (taken["arm"] == "").to_numpy()
    if untreated.any():
        # Who left before a later period took no arm in it, and adds nothing to it.
        state.findings.append(
            Finding(
                place=state.source.name,
                finding=f"{int(np.sum(untreated))} participants took no arm in a period that "
                "counts and are left out of it",
                remedy="Fill the arm in where one was taken.",
                severity="note",
            )
        )
    visits = pd.concat(rows, ignore_index=True)
    kept = taken[~untreated].reset_index(drop=True)
    people_left = pd.MultiIndex.from_frame(kept[KEY])
    stays = pd.MultiIndex.from_frame(visits[KEY].astype(object)).isin(people_left)
    return kept, visits[stays].reset_index(drop=True)
