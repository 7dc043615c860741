"""Maps a trial's files, wide or long, to the tables of participants and assessments."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import Field, model_validator

from glabella.data.checks import Finding, count_faults, parse_values, refuse_findings
from glabella.data.dictionary import Dictionary, Variable
from glabella.data.ingest.files import read_table
from glabella.data.tables import KEY, PatientTables
from glabella.definitions.reader import Definition, Origin
from glabella.domain.scales import SCALES
from glabella.errors import DataError, DefinitionError, describe_choices

_ROLES = ("site", "cohort", "arm", "scale")
_ROLE_COLUMNS = {"site": "siteid", "cohort": "cohort", "arm": "arm", "scale": "scale"}


class ParticipantsFile(Definition):
    """A file with one row a participant, and which of its columns is what.

    Parameters
    ----------
    file : str
        The file's name, relative to the data folder.
    id : str
        The column that identifies a participant within a trial.
    trial, site, cohort, arm, scale : str, optional
        Columns. Without ``trial`` all rows belong to the one trial that the entry names.
    variables : dict
        The dictionary's name of a variable to the column's; the others are not read.
    """

    file: str
    id: str
    trial: str | None = None
    site: str | None = None
    cohort: str | None = None
    arm: str | None = None
    scale: str | None = None
    variables: dict[str, str] = Field(default_factory=dict)


class AssessmentsFile(Definition):
    """A file with scores, a column a visit (wide) or a row a visit (long).

    Parameters
    ----------
    file : str
        The file's name, relative to the data folder.
    id : str
        The column that identifies a participant within a trial.
    trial : str, optional
        The column of the trial.
    variable : str, optional
        The variable that all values belong to.
    parameter : str, optional
        Long: the column that names the variable, where one file holds several.
    weeks : dict, optional
        Wide: column to week.
    week, value : str, optional
        Long: the columns of week and value.
    """

    file: str
    id: str
    trial: str | None = None
    variable: str | None = None
    parameter: str | None = None
    weeks: dict[str, float] | None = None
    week: str | None = None
    value: str | None = None

    @model_validator(mode="after")
    def _is_wide_or_long(self) -> AssessmentsFile:
        is_long = self.week is not None and self.value is not None
        if (self.weeks is not None) == is_long:
            raise ValueError("name either `weeks` (wide) or both `week` and `value` (long)")
        if (self.variable is None) == (self.parameter is None):
            raise ValueError("name either `variable` or `parameter`")
        if self.weeks is not None and self.variable is None:
            raise ValueError("a wide file needs its `variable`")
        return self


class TrialSource(Definition):
    """One source of data: a trial with its files, or a pooled set that names its trials.

    Parameters
    ----------
    name : str
        The trial, where no column names it.
    participants : ParticipantsFile
        Who took part.
    assessments : tuple of AssessmentsFile
        What was rated, when.
    """

    name: str
    participants: ParticipantsFile
    assessments: tuple[AssessmentsFile, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the source names, each once."""
        named = (self.participants.file, *(item.file for item in self.assessments))
        return tuple(dict.fromkeys(named))

    def find_baseline_column(self, variable: str) -> str:
        """Name the column in which a one-row-a-participant table holds a baseline.

        Parameters
        ----------
        variable : str
            A variable that is assessed at visits.

        Returns
        -------
        str
            A wide file's own column for week 0; the variable's name where the source is long.
        """
        for item in self.assessments:
            if item.variable == variable and item.weeks is not None:
                early = [(week, column) for column, week in item.weeks.items() if week <= 0]
                if early:
                    return max(early)[1]
        return variable


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
    raw = {file: read_table(folder / file) for file in source.files}
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
    findings: list[Finding] = []
    participants = _map_participants(source, raw, dictionary, findings, written, keys)
    parts = [
        _map_assessments(source, index, raw, dictionary, participants, findings, written, keys)
        for index in range(len(source.assessments))
    ]
    refuse_findings(findings)
    assessments = pd.concat(parts, ignore_index=True)
    _refuse_double_visits(assessments, source)
    return PatientTables(participants=participants, assessments=assessments, origin=origin)


def _column(
    frame: pd.DataFrame, name: str, file: str, written: Origin, keys: tuple[str | int, ...]
) -> pd.Series:
    if name not in frame.columns:
        raise DefinitionError(
            f"the table {file} has no column '{name}'",
            place=written.place(*keys),
            remedy=describe_choices(name, [str(column) for column in frame.columns]),
        )
    return frame[name]


def _text(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), "").astype(str).str.strip()


def _map_participants(
    source: TrialSource,
    raw: dict[str, pd.DataFrame],
    dictionary: Dictionary,
    findings: list[Finding],
    written: Origin,
    keys: tuple[str | int, ...],
) -> pd.DataFrame:
    file = source.participants
    frame = raw[file.file]
    at = (*keys, "participants")
    ids = _text(_column(frame, file.id, file.file, written, (*at, "id")))
    columns: dict[str, pd.Series] = {
        "studyid": pd.Series(source.name, index=frame.index)
        if file.trial is None
        else _text(_column(frame, file.trial, file.file, written, (*at, "trial"))),
        "usubjid": ids,
    }
    for role in _ROLES:
        name = getattr(file, role)
        if name is not None:
            column = _text(_column(frame, name, file.file, written, (*at, role)))
            columns[_ROLE_COLUMNS[role]] = column
    blank = int((ids == "").sum())
    if blank:
        findings.append(
            Finding(f"{file.file}, column '{file.id}'", f"{blank} rows have no id", "Fill them in.")
        )
    if "scale" in columns:
        unknown = int((~columns["scale"].isin(list(SCALES))).sum())
        if unknown:
            findings.append(
                Finding(
                    f"{file.file}, column '{file.scale}'",
                    f"{unknown} of {len(frame)} rows name no known scale",
                    f"There are: {', '.join(SCALES)}.",
                )
            )
    for name, column_name in file.variables.items():
        place = (*at, "variables", name)
        variable = dictionary.find(name, place=written.place(*place))
        column = _column(frame, column_name, file.file, written, place)
        parsed = parse_values(column, variable, scales=columns.get("scale"))
        findings += _count(parsed.faults, file.file, column_name, variable)
        columns[name] = parsed.values
    participants = pd.DataFrame(columns).reset_index(drop=True)
    doubled = int(participants.duplicated(KEY).sum())
    if doubled:
        findings.append(
            Finding(
                f"{file.file}, column '{file.id}'",
                f"{doubled} rows repeat a participant of the same trial",
                "Keep one row a participant.",
            )
        )
    return participants


def _count(faults: object, file: str, column: str, variable: Variable) -> list[Finding]:
    return count_faults(
        faults,  # type: ignore[arg-type]
        place=f"{file}, column '{column}'",
        remedy=f"Mend them, or the entry of '{variable.label}' in features/dictionary.yaml.",
    )


def _map_assessments(
    source: TrialSource,
    index: int,
    raw: dict[str, pd.DataFrame],
    dictionary: Dictionary,
    participants: pd.DataFrame,
    findings: list[Finding],
    written: Origin,
    keys: tuple[str | int, ...],
) -> pd.DataFrame:
    file = source.assessments[index]
    at = (*keys, "assessments", index)
    rows = _to_long(source, file, raw[file.file], written, at)
    scales = None
    if "scale" in participants:
        by_key = participants.drop_duplicates(KEY).set_index(KEY)["scale"]
        scales = pd.Series(by_key.reindex(pd.MultiIndex.from_frame(rows[KEY])).to_numpy())
    known = pd.MultiIndex.from_frame(participants[KEY])
    strangers = int((~pd.MultiIndex.from_frame(rows[KEY]).isin(known)).sum())
    if strangers:
        findings.append(
            Finding(
                f"{file.file}, column '{file.id}'",
                f"{strangers} of {len(rows)} rows are of nobody in {source.participants.file}",
                "Add these participants, or leave the rows out.",
            )
        )
    weeks = pd.to_numeric(rows["week"], errors="coerce")
    if weeks.isna().any():
        findings.append(
            Finding(
                f"{file.file}, column '{file.week}'",
                f"{int(weeks.isna().sum())} of {len(rows)} values: each is not a number",
                "Give the week since treatment began; baseline is 0.",
            )
        )
    rows["week"] = weeks.astype(float)
    kept: list[pd.DataFrame] = []
    # Parameters that the dictionary lacks are not read: a trial assesses more than anyone models.
    for name in [name for name in dict.fromkeys(rows["paramcd"]) if name in dictionary.variables]:
        mine = (rows["paramcd"] == name).to_numpy()
        variable = dictionary.variables[name]
        of_mine = None if scales is None else scales[mine].reset_index(drop=True)
        parsed = parse_values(
            rows.loc[mine, "raw"].reset_index(drop=True), variable, scales=of_mine
        )
        findings += _count(parsed.faults, file.file, str(name), variable)
        part = rows.loc[mine, [*KEY, "paramcd", "week"]].reset_index(drop=True)
        part["aval"] = parsed.values.astype(float)
        kept.append(part[part["aval"].notna()])
    if not kept:
        raise DataError(
            "no row is of a variable that the dictionary knows",
            place=file.file,
            remedy=describe_choices("", dictionary.variables),
        )
    return pd.concat(kept, ignore_index=True)


def _to_long(
    source: TrialSource,
    file: AssessmentsFile,
    frame: pd.DataFrame,
    written: Origin,
    at: tuple[str | int, ...],
) -> pd.DataFrame:
    def take(name: str, key: str) -> pd.Series:
        return _column(frame, name, file.file, written, (*at, key)).reset_index(drop=True)

    ids = _text(take(file.id, "id"))
    trials = (
        pd.Series(source.name, index=ids.index)
        if file.trial is None
        else _text(take(file.trial, "trial"))
    )
    key_columns = {"studyid": trials, "usubjid": ids}
    if file.weeks is not None:
        parts = [
            pd.DataFrame(
                {
                    **key_columns,
                    "paramcd": file.variable,
                    "week": week,
                    "raw": take(column, "weeks"),
                }
            )
            for column, week in file.weeks.items()
        ]
        return pd.concat(parts, ignore_index=True)
    names = file.variable if file.parameter is None else _text(take(file.parameter, "parameter"))
    return pd.DataFrame(
        {
            **key_columns,
            "paramcd": names,
            "week": take(str(file.week), "week"),
            "raw": take(str(file.value), "value"),
        }
    )


def _refuse_double_visits(assessments: pd.DataFrame, source: TrialSource) -> None:
    doubled = int(assessments.duplicated([*KEY, "paramcd", "week"]).sum())
    if doubled:
        raise DataError(
            f"{doubled} rows repeat a participant, variable and week",
            place=", ".join(dict.fromkeys(item.file for item in source.assessments)),
            remedy="Keep one value a visit.",
        )
