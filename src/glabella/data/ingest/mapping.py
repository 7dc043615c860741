"""Maps a trial's files, wide or long, to the tables of participants and assessments."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from glabella.data.checks import Finding, count_faults, parse_values, refuse_findings, to_text
from glabella.data.dictionary import Dictionary, Variable
from glabella.data.ingest.files import read_table
from glabella.data.ingest.sources import AssessmentsFile, ParticipantsFile, TrialSource
from glabella.data.tables import KEY, PatientTables
from glabella.definitions.reader import Keys, Origin
from glabella.domain.scales import SCALES
from glabella.errors import DataError, DefinitionError, describe_choices

__all__ = ["AssessmentsFile", "ParticipantsFile", "TrialSource", "map_trial", "read_trial"]

_ROLE_COLUMNS = {"site": "siteid", "cohort": "cohort", "arm": "arm", "scale": "scale"}


@dataclass(frozen=True)
class _Mapping:
    """One source being mapped, and what was found wrong so far."""

    source: TrialSource
    raw: dict[str, pd.DataFrame]
    dictionary: Dictionary
    written: Origin
    keys: Keys
    findings: list[Finding] = field(default_factory=list)

    def take(self, file: str, column: str, *keys: str | int) -> pd.Series:
        frame = self.raw[file]
        if column not in frame.columns:
            raise DefinitionError(
                f"the table {file} has no column '{column}'",
                place=self.written.place(*self.keys, *keys),
                remedy=describe_choices(column, [str(name) for name in frame.columns]),
            )
        return frame[column].reset_index(drop=True)

    def find(self, variable: str, *keys: str | int) -> Variable:
        return self.dictionary.find(variable, place=self.written.place(*self.keys, *keys))

    def note(self, file: str, column: str | None, finding: str, remedy: str) -> None:
        self.findings.append(Finding(f"{file}, column '{column}'", finding, remedy))

    def note_faults(self, faults: np.ndarray, file: str, column: str, variable: str) -> None:
        of = "" if column == variable else f" ({variable})"
        self.findings.extend(
            count_faults(
                faults,
                place=f"{file}, column '{column}'{of}",
                remedy=f"Mend them, or the entry of '{variable}' in features/dictionary.yaml.",
            )
        )


def read_trial(
    source: TrialSource,
    folder: Path,
    dictionary: Dictionary,
    *,
    origin: Literal["real", "simulated"],
    written: Origin,
    keys: tuple[str | int, ...],
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
    raw = {file: read_table(folder / file).frame for file in source.files}
    return map_trial(source, raw, dictionary, origin=origin, written=written, keys=keys)


def map_trial(
    source: TrialSource,
    raw: dict[str, pd.DataFrame],
    dictionary: Dictionary,
    *,
    origin: Literal["real", "simulated"],
    written: Origin,
    keys: tuple[str | int, ...],
) -> PatientTables:
    """Map raw tables to participants and assessments.

    Parameters
    ----------
    source : TrialSource
        The files and their columns.
    raw : dict of DataFrame
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
        Typed and checked.

    Raises
    ------
    DataError
        If values break the dictionary, or participants are doubled or unknown.
    DefinitionError
        If the mapping names a column or variable that does not exist.
    """
    mapping = _Mapping(source, raw, dictionary, written, keys)
    participants = _map_participants(mapping)
    parts = [
        _map_assessments(mapping, index, participants) for index in range(len(source.assessments))
    ]
    refuse_findings(mapping.findings)
    assessments = pd.concat(parts, ignore_index=True)
    _refuse_double_visits(assessments, source)
    return PatientTables(participants=participants, assessments=assessments, origin=origin)


def _map_participants(mapping: _Mapping) -> pd.DataFrame:
    file = mapping.source.participants
    columns = {
        "studyid": pd.Series(mapping.source.name, index=range(len(mapping.raw[file.file])))
        if file.trial is None
        else to_text(mapping.take(file.file, file.trial, "participants", "trial")),
        "usubjid": to_text(mapping.take(file.file, file.id, "participants", "id")),
    }
    for role, column in _ROLE_COLUMNS.items():
        name = getattr(file, role)
        if name is not None:
            columns[column] = to_text(mapping.take(file.file, name, "participants", role))
    _check_roles(mapping, columns)
    for name, column_name in file.variables.items():
        keys = ("participants", "variables", name)
        variable = mapping.find(name, *keys)
        parsed = parse_values(
            mapping.take(file.file, column_name, *keys), variable, scales=columns.get("scale")
        )
        mapping.note_faults(parsed.faults, file.file, column_name, name)
        columns[name] = parsed.values
    return pd.DataFrame(columns)


def _check_roles(mapping: _Mapping, columns: dict[str, pd.Series]) -> None:
    file = mapping.source.participants
    for name, key, what in ((file.id, "usubjid", "id"), (file.trial, "studyid", "trial")):
        blank = int((columns[key] == "").sum())
        if blank:
            mapping.note(file.file, name, f"{blank} rows have no {what}", "Fill them in.")
    if "scale" in columns:
        unknown = int((~columns["scale"].isin(list(SCALES))).sum())
        if unknown:
            mapping.note(
                file.file,
                file.scale,
                f"{unknown} of {len(columns['scale'])} rows name no known scale",
                f"There are: {', '.join(SCALES)}.",
            )
    doubled = int(pd.DataFrame({key: columns[key] for key in KEY}).duplicated().sum())
    if doubled:
        mapping.note(
            file.file,
            file.id,
            f"{doubled} rows repeat a participant of the same trial",
            "Keep one row a participant.",
        )


def _map_assessments(mapping: _Mapping, index: int, participants: pd.DataFrame) -> pd.DataFrame:
    file = mapping.source.assessments[index]
    rows = _to_long(mapping, index)
    rows["week"] = _check_weeks(mapping, file, rows["week"])
    people = pd.MultiIndex.from_frame(rows[KEY])
    strangers = int((~people.isin(pd.MultiIndex.from_frame(participants[KEY]))).sum())
    if strangers:
        mapping.note(
            file.file,
            file.id,
            f"{strangers} of {len(rows)} rows are of nobody in {mapping.source.participants.file}",
            "Add these participants, or leave the rows out.",
        )
    scales = None
    if "scale" in participants:
        by_key = participants.drop_duplicates(KEY).set_index(KEY)["scale"]
        scales = pd.Series(by_key.reindex(people).to_numpy())
    kept: list[pd.DataFrame] = []
    # Parameters that the dictionary lacks are not read: a trial assesses more than anyone models.
    known = mapping.dictionary.variables
    for (name, column), part in rows.groupby(["paramcd", "column"], sort=False):
        if name not in known:
            continue
        of_part = None if scales is None else scales[part.index].reset_index(drop=True)
        typed = part[[*KEY, "paramcd", "week"]].reset_index(drop=True)
        parsed = parse_values(part["raw"].reset_index(drop=True), known[name], scales=of_part)
        mapping.note_faults(parsed.faults, file.file, str(column), str(name))
        typed["aval"] = parsed.values.astype(float)
        kept.append(typed[typed["aval"].notna()])
    if not kept:
        raise DataError(
            "no row is of a variable that the dictionary knows",
            place=file.file,
            remedy=describe_choices("", known),
        )
    return pd.concat(kept, ignore_index=True)


def _check_weeks(mapping: _Mapping, file: AssessmentsFile, weeks: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(weeks, errors="coerce").astype(float)
    wrong = int((~np.isfinite(numbers)).sum())
    if wrong:
        mapping.note(
            file.file,
            file.week,
            f"{wrong} of {len(weeks)} values: each is not a number",
            "Give the week since treatment began; baseline is 0.",
        )
    return numbers


def _to_long(mapping: _Mapping, index: int) -> pd.DataFrame:
    """Put a file into rows of participant, variable, week and raw value, with its column."""
    file, at = mapping.source.assessments[index], ("assessments", index)
    if file.variable is not None:
        mapping.find(file.variable, *at, "variable")
    columns = {
        "studyid": mapping.source.name
        if file.trial is None
        else to_text(mapping.take(file.file, file.trial, *at, "trial")),
        "usubjid": to_text(mapping.take(file.file, file.id, *at, "id")),
    }
    if file.weeks is None:
        value = str(file.value)
        names = (
            file.variable
            if file.parameter is None
            else to_text(mapping.take(file.file, file.parameter, *at, "parameter"))
        )
        week = mapping.take(file.file, str(file.week), *at, "week")
        raw = mapping.take(file.file, value, *at, "value")
        return pd.DataFrame(
            {**columns, "paramcd": names, "week": week, "column": value, "raw": raw}
        )
    parts = []
    for column, week_number in file.weeks.items():
        raw = mapping.take(file.file, column, *at, "weeks", column)
        parts.append(
            pd.DataFrame(
                {
                    **columns,
                    "paramcd": file.variable,
                    "week": week_number,
                    "column": column,
                    "raw": raw,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _refuse_double_visits(assessments: pd.DataFrame, source: TrialSource) -> None:
    doubled = int(assessments.duplicated([*KEY, "paramcd", "week"]).sum())
    if doubled:
        raise DataError(
            f"{doubled} rows repeat a participant, variable and week",
            place=", ".join(dict.fromkeys(item.file for item in source.assessments)),
            remedy="Keep one value a visit.",
        )
