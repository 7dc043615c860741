"""The typed definition of a source: a trial's files, wide or long, and their columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from glabella.data.reading.raw import ReadOptions
from glabella.definitions.reader import Definition
from glabella.domain.scales import SCALES
from glabella.errors import describe_choices

__all__ = ["AssessmentsFile", "ParticipantsFile", "TrialSource", "VariableColumn"]


def name_missing(codes: Mapping[str, str]) -> bool:
    """Say whether codes name nothing but what means missing or stands for itself.

    Parameters
    ----------
    codes : mapping
        The source's code to what it stands for, blank for missing.

    Returns
    -------
    bool
        False where there are none.
    """
    return bool(codes) and all(meant in ("", code) for code, meant in codes.items())


class VariableColumn(Definition):
    """A column that holds a variable in the source's own codes or unit.

    Parameters
    ----------
    column : str
        The column.
    codes : dict
        The source's code to the dictionary's, or to nothing where it means missing; a code that
        is not listed is refused. Of what is no category, codes that mean missing, such as 999,
        may be listed alone, and with them labelled values that stand for themselves: every other
        value then stands for itself too.
    unit : str, optional
        The source's unit, where it is not the dictionary's.
    """

    column: str
    codes: dict[str, str] = Field(default_factory=dict)
    unit: str | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> VariableColumn:
        if self.unit is not None and self.codes and not self.names_missing:
            raise ValueError("beside a `unit`, `codes` can only say what means missing")
        return self

    @property
    def names_missing(self) -> bool:
        """Whether the codes say nothing but what means missing or stands for itself."""
        return name_missing(self.codes)

    @property
    def is_recoded(self) -> bool:
        """Whether the values change on reading."""
        return bool(self.codes) or self.unit is not None


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
    arms : dict, optional
        Of a crossover, in place of ``arm``: period to the column of the arm taken in it.
    variables : dict
        The dictionary's name of a variable to the column's, or to the column with its codes and
        unit; the others are not read.
    """

    file: str
    id: str
    trial: str | None = None
    site: str | None = None
    cohort: str | None = None
    arm: str | None = None
    scale: str | None = None
    arms: dict[int, str] = Field(default_factory=dict)
    variables: dict[str, str | VariableColumn] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_arms_once(self) -> ParticipantsFile:
        if self.arm is not None and self.arms:
            raise ValueError("name either `arm`, or `arms` by period")
        return self

    def find_column(self, variable: str) -> VariableColumn:
        """Find the column of a variable.

        Parameters
        ----------
        variable : str
            A key of `variables`.

        Returns
        -------
        VariableColumn
            With its codes and unit.
        """
        given = self.variables[variable]
        return given if isinstance(given, VariableColumn) else VariableColumn(column=given)


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
    parameters : dict
        The dictionary's name of a variable to the file's, where they differ.
    period : str, optional
        Long, of a crossover: the column of the period, in which weeks count from its own start.
    unit : str, optional
        Of the values of ``variable``, where it is not the dictionary's.
    codes : dict
        Of the values, as in `VariableColumn`; where one file holds several variables, only what
        means missing or stands for itself.
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
    parameters: dict[str, str] = Field(default_factory=dict)
    period: str | None = None
    unit: str | None = None
    codes: dict[str, str] = Field(default_factory=dict)
    weeks: dict[str, float] | None = Field(default=None, min_length=1)
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
        if self.parameters and self.parameter is None:
            raise ValueError("`parameters` needs the column that holds them: `parameter`")
        if self.period is not None and self.weeks is not None:
            raise ValueError("periods need a long file, with `week` and `value`")
        if self.unit is not None and self.variable is None:
            raise ValueError("a `unit` needs the one `variable` that is in it")
        if self.codes and not name_missing(self.codes) and (self.unit or self.parameter):
            raise ValueError(
                "beside a `unit` or a `parameter`, `codes` can only say what means missing"
            )
        return self

    def find_column(self, column: str) -> VariableColumn:
        """Give a column of values its codes and unit.

        Parameters
        ----------
        column : str
            Its name.

        Returns
        -------
        VariableColumn
            With the file's codes and unit.
        """
        return VariableColumn(column=column, codes=self.codes, unit=self.unit)


class TrialSource(Definition):
    """One source of data: a trial with its files, or a pooled set that names its trials.

    Parameters
    ----------
    name : str
        The trial, where no column names it.
    scale : str, optional
        The scale on which the whole trial rates, where no column names it.
    design : str
        ``parallel`` or ``crossover``.
    periods : str
        Of a crossover, which periods count: the ``first``, where nothing is carried over from
        another treatment, or ``all``. Both periods of a person share every fold.
    participants : ParticipantsFile
        Who took part.
    assessments : tuple of AssessmentsFile
        What was rated, when; empty where the endpoint is a flag.
    read : dict of ReadOptions
        File to what it does not say of itself: encoding, decimal sign, sheet.
    """

    name: str
    scale: str | None = None
    design: Literal["parallel", "crossover"] = "parallel"
    periods: Literal["first", "all"] = "first"
    participants: ParticipantsFile
    assessments: tuple[AssessmentsFile, ...] = ()
    read: dict[str, ReadOptions] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_consistent(self) -> TrialSource:
        if self.scale is not None and self.scale not in SCALES:
            raise ValueError(
                f"there is no scale '{self.scale}'. {describe_choices(self.scale, SCALES)}"
            )
        if self.scale is not None and self.participants.scale is not None:
            raise ValueError("name either the trial's `scale`, or the participants' column of it")
        if self.participants.trial is not None and any(
            item.trial is None for item in self.assessments
        ):
            raise ValueError(
                "the participants have a column of the trial, so the assessments need one too"
            )
        periodic = [item for item in self.assessments if item.period is not None]
        is_crossover = bool(self.participants.arms) or bool(periodic)
        if is_crossover != (self.design == "crossover"):
            raise ValueError(
                "`design: crossover` goes with `arms` by period and the `period` of assessments"
            )
        if is_crossover and len(periodic) < len(self.assessments):
            raise ValueError("each assessments' file of a crossover needs its `period`")
        unknown = sorted(set(self.read) - set(self.files))
        if unknown:
            raise ValueError(
                f"`read` names a file that the source has not. "
                f"{describe_choices(unknown[0], self.files)}"
            )
        return self

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the source names, each once."""
        named = (self.participants.file, *(item.file for item in self.assessments))
        return tuple(dict.fromkeys(named))

    @property
    def is_recoded(self) -> bool:
        """Whether codes, units or parameters of the source differ from the dictionary's."""
        columns = [self.participants.find_column(name) for name in self.participants.variables]
        return any(column.is_recoded for column in columns) or any(
            item.unit is not None or item.parameters or item.codes for item in self.assessments
        )

    def list_baseline_columns(self, variable: str) -> list[tuple[float, VariableColumn]]:
        """List the columns of wide files in which a variable is recorded at or before baseline.

        Parameters
        ----------
        variable : str
            A variable that is assessed at visits.

        Returns
        -------
        list of tuple of float and VariableColumn
            Week and column, the last before treatment first; none if the source is long.
        """
        early = [
            (week, item.find_column(column))
            for item in self.assessments
            for column, week in (item.weeks or {}).items()
            if item.variable == variable and week <= 0
        ]
        return sorted(early, key=lambda found: -found[0])
