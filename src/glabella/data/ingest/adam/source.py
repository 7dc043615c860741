"""The typed definition of a source in CDISC ADaM."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from glabella.data.ingest.raw import ReadOptions
from glabella.definitions.reader import Definition
from glabella.domain.scales import SCALES
from glabella.errors import describe_choices


class AdamFiles(Definition):
    """The datasets of a trial.

    Parameters
    ----------
    adsl : str
        The file of the subject-level dataset.
    bds : tuple of str
        The files of datasets in the Basic Data Structure.
    adae : str, optional
        The file of adverse events.
    """

    adsl: str
    bds: tuple[str, ...] = ()
    adae: str | None = None


class AdamSource(Definition):
    """A trial, or several, as ADaM datasets; nothing is mapped by hand but the parameter.

    Parameters
    ----------
    name : str
        What the source is called in messages; the trial is what ``STUDYID`` says.
    adam : AdamFiles
        The datasets.
    parameters : dict
        The dictionary's name of a variable to its ``PARAMCD``.
    variables : dict
        The dictionary's name of a variable to a column of ADSL, where the standard's name or the
        variable's own, in capitals, does not lead there.
    events : dict
        The dictionary's name of a flag to what makes it ``1`` in ADAE: column to values.
    treatment : str
        ``planned`` or ``actual``.
    population : str, optional
        The flag of who counts; the first of ``ITTFL``, ``FASFL``, ``RANDFL`` and ``SAFFL`` that
        is there unless stated; ``all`` for everybody.
    site : str
        The column of the site.
    analysis_flag : str
        The flag of the records that count, where the dataset has it; ``none`` for all records.
    imputed : str
        Records with a ``DTYPE`` were imputed by the sponsor: ``leave_out`` or ``keep`` them.
    week : str
        What gives a record's week: ``auto`` takes ``AWTARGET``, else ``AVISIT`` of the form
        "Week 8", else ``ADY``.
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
    events: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    treatment: Literal["planned", "actual"] = "planned"
    population: str | None = None
    site: str = "SITEID"
    analysis_flag: str = "ANL01FL"
    imputed: Literal["leave_out", "keep"] = "leave_out"
    week: Literal["auto", "awtarget", "avisit", "avisitn", "ady"] = "auto"
    periods: Literal["first", "all"] = "first"
    scale: str | None = None
    read: dict[str, ReadOptions] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_consistent(self) -> AdamSource:
        if self.parameters and not self.adam.bds:
            raise ValueError("`parameters` are of the datasets that `bds` names, and none is")
        if self.events and self.adam.adae is None:
            raise ValueError("`events` are of the dataset that `adae` names, and none is")
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
