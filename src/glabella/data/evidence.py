"""The published findings that ship with the program."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field, model_validator

from glabella.definitions.reader import Definition

Quantity = Literal[
    "response", "partial_response", "remission", "self_report_response", "fall_percent",
    "difference_points", "difference_percent", "standardised_difference", "pooled_difference",
    "between_trials_sd", "baseline_mean", "women", "age_mean", "age_sd", "left",
    "any_event", "agitation_mean", "best_item_auc",
]  # fmt: skip


class PublishedFinding(Definition):
    """One published figure.

    Parameters
    ----------
    of : str
        What was measured. Falls and differences are positive where the score fell more (in the
        active arm than in the control); shares are of those with a score at the week, ``left`` of
        those randomised.
    trials : tuple of str
        The trials that it was measured in.
    arm : str, optional
        ``active`` or ``control``; both unless stated.
    cohort : str, optional
        Of a trial whose sites were assigned to cohorts.
    responders : bool, optional
        Only those who responded, or only those who did not.
    week : float
        When it was measured.
    count, n : int, optional
        A share: how many of how many.
    value : float, optional
        Any other figure.
    standard_error : float, optional
        Published, or computed from a published p-value or interval.
    pooled : bool
        Whether it is of pooled trials, so that the simulated mean must come close to it.
    source : str
        Where it was published.
    confidence : str
        ``read`` in the source's own abstract or record, ``secondary`` where quoted elsewhere,
        ``recalled`` from memory and never calibrated to.
    derived : bool
        Whether it was computed from published figures.
    conflict : str
        What it contradicts.
    remark : str
        Why a simulation need not reproduce it.
    """

    of: Quantity
    trials: tuple[str, ...] = Field(min_length=1)
    arm: Literal["active", "control"] | None = None
    cohort: str | None = None
    responders: bool | None = None
    week: float = 6
    count: int | None = Field(default=None, ge=0)
    n: int | None = Field(default=None, ge=1)
    value: float | None = None
    standard_error: float | None = Field(default=None, gt=0)
    pooled: bool = False
    source: str
    confidence: Literal["read", "secondary", "recalled"]
    derived: bool = False
    conflict: str = ""
    remark: str = ""

    @model_validator(mode="after")
    def _is_one_figure(self) -> PublishedFinding:
        if (self.value is None) == (self.count is None):
            raise ValueError("a finding has either a `value`, or a `count` with its `n`")
        if (self.count is None) != (self.n is None):
            raise ValueError("`count` and `n` go together")
        if self.count is not None and self.n is not None and self.count > self.n:
            raise ValueError("there are more counted than were there")
        return self

    @property
    def figure(self) -> float:
        """The published figure; of a count its share."""
        if self.count is not None and self.n is not None:
            return self.count / self.n
        return float(self.value or 0.0)

    @property
    def error(self) -> float | None:
        """Its standard error; of a count the binomial one, and None where nothing tells."""
        if self.standard_error is None and self.n is not None:
            return math.sqrt(self.figure * (1 - self.figure) / self.n) or None
        return self.standard_error


class Evidence(Definition):
    """Published findings.

    Parameters
    ----------
    kind : str
        ``evidence``.
    description : str
        What the findings are of.
    findings : tuple of PublishedFinding
        In the order in which they are shown.
    """

    kind: Literal["evidence"]
    description: str
    findings: tuple[PublishedFinding, ...]
