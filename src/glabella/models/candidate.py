"""The typed definition of a candidate."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from glabella.definitions.reader import Definition
from glabella.models.space import Space


class Candidate(Definition):
    """A model to be fitted, tuned and validated.

    Parameters
    ----------
    kind : str
        ``candidate``.
    description : str
        What it is.
    estimator : str
        A registered estimator.
    role : str
        ``candidate``, or ``reference``: validated like any other, and never chosen while there is
        a candidate, because it is what a choice must beat.
    settings : dict
        Fixed settings of the estimator.
    search : dict of Space
        Settings to tune.
    draws : int
        How many settings are tried.
    """

    kind: Literal["candidate"]
    description: str
    estimator: str
    role: Literal["candidate", "reference"] = "candidate"
    settings: dict[str, Any] = Field(default_factory=dict)
    search: dict[str, Space] = Field(default_factory=dict)
    draws: int = Field(default=8, ge=1, le=1000)
