"""The typed definition of a source: a trial's files, wide or long, and their columns."""

from __future__ import annotations

from pydantic import Field, model_validator

from glabella.definitions.reader import Definition


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
    assessments: tuple[AssessmentsFile, ...] = Field(min_length=1)

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
