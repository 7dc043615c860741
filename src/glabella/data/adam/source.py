"""The typed definition of a source in CDISC ADaM."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from glabella.data.reading.raw import ReadOptions
from glabella.definitions.reader import Definition
from glabella.domain.scales import SCALES
from glabella.errors import describe_choices

__all__ = ["AdamFiles", "AdamSource"]

Values = Annotated[tuple[str, ...], Field(min_length=1)]
Conditions = Annotated[dict[str, Values], Field(min_length=1)]


class AdamFiles(Definition):
    """The datasets of a trial.

    Parameters
    ----------
    adsl : str
        The file of the subject-level dataset.
    bds : tuple of str
        The files of datasets in the Basic Data Structure; none where the endpoint is a flag.
    adae : str, optional
        The file of adverse events.
    """

    adsl: str
    bds: tuple[str, ...] = ()
    adae: str | None = None


class AdamSource(Definition):
    """A trial, or several, as ADaM datasets; only the parameters are mapped by hand.

    Parameters
    ----------
    name : str
        What the source is called; the trial is what ``STUDYID`` says.
    adam : AdamFiles
        The datasets.
    parameters : dict
        The dictionary's name of a variable to its ``PARAMCD``. One of timing ``visit`` becomes
        assessments; one of timing ``baseline`` the participants' value at baseline.
    variables : dict
        The dictionary's name of a variable to a column of ADSL, where neither the standard's name
        nor the variable's own, in capitals, leads there.
    events : dict
        The dictionary's name of a flag to what makes it ``1`` in ADAE: column to values, in
        small letters or capitals. One record must meet all columns.
    treatment : str
        ``planned`` or ``actual``.
    population : str, optional
        The flag of who counts; the first of ``ITTFL``, ``FASFL``, ``RANDFL`` and ``SAFFL`` that
        is there unless stated; ``all`` for everybody.
    site : str, optional
        The column of the site; ``SITEID`` unless stated.
    cohort : str, optional
        The column of the cohort, where sites were assigned to cohorts before randomisation.
    analysis_flag : str, optional
        The flag of the records that count; ``ANL01FL`` where it is there unless stated; ``none``
        for all records.
    basetype : str, optional
        The ``BASETYPE`` whose baselines and changes count, where records differ in it.
    imputed : str
        Records whose ``DTYPE`` says that the sponsor imputed them: ``leave_out`` or ``keep`` them.
        One that sums up observed records, such as an ``AVERAGE``, counts where none of these
        stands for its week.
    week : str
        What gives a record's week: ``auto`` takes ``AWTARGET``, else an ``AVISIT`` such as
        "Week 8", whichever is filled in at all scheduled visits; else ``ADY``.
    periods : str
        Of a crossover, the ``first`` period or ``all``.
    scale : str, optional
        The scale of a score that each trial rates on its own.
    read : dict of ReadOptions
        File to what it does not say of itself.
    """

    name: str
    adam: AdamFiles
    parameters: dict[str, str] = Field(default_factory=dict)
    variables: dict[str, str] = Field(default_factory=dict)
    events: dict[str, Conditions] = Field(default_factory=dict)
    treatment: Literal["planned", "actual"] = "planned"
    population: str | None = None
    site: str | None = None
    cohort: str | None = None
    analysis_flag: str | None = None
    basetype: str | None = None
    imputed: Literal["leave_out", "keep"] = "leave_out"
    week: Literal["auto", "awtarget", "avisit", "avisitn", "ady"] = "auto"
    periods: Literal["first", "all"] = "first"
    scale: str | None = None
    read: dict[str, ReadOptions] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_consistent(self) -> AdamSource:
        if bool(self.parameters) != bool(self.adam.bds):
            raise ValueError("`parameters` go with the datasets that `bds` names")
        if bool(self.events) != (self.adam.adae is not None):
            raise ValueError("`events` go with the dataset that `adae` names")
        named = [*self.parameters, *self.variables, *self.events]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(
                f"'{twice[0]}' stands in more than one of `parameters`, `variables` and `events`"
            )
        if self.scale is not None and self.scale not in SCALES:
            raise ValueError(
                f"there is no scale '{self.scale}'. {describe_choices(self.scale, SCALES)}"
            )
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
        named = (self.adam.adsl, *self.adam.bds, self.adam.adae)
        return tuple(dict.fromkeys(name for name in named if name is not None))
