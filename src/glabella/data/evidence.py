"""The published findings that ship with the program."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from glabella.definitions.reader import Definition


class ResponseFinding(Definition):
    """Published response of one arm at week 6.

    Parameters
    ----------
    trial, arm : str
        As the simulator names them.
    responders, analysed : int
        Counts of the published analysis set.
    source : str
        Where it was published.
    confidence : str
        ``read`` in the source's own abstract or record, ``secondary`` where quoted elsewhere,
        ``recalled`` from memory and never calibrated to.
    derived : bool
        Whether a count was computed from published figures.
    """

    trial: str
    arm: str
    responders: int = Field(ge=0)
    analysed: int = Field(ge=1)
    source: str
    confidence: Literal["read", "secondary", "recalled"]
    derived: bool = False

    @model_validator(mode="after")
    def _counts_fit(self) -> ResponseFinding:
        if self.responders > self.analysed:
            raise ValueError("there are more responders than analysed participants")
        return self


class Evidence(Definition):
    """Published findings.

    Parameters
    ----------
    kind : str
        ``evidence``.
    description : str
        What the findings are of.
    response_week6 : tuple of ResponseFinding
        By trial and arm.
    """

    kind: Literal["evidence"]
    description: str
    response_week6: tuple[ResponseFinding, ...]
