"""The typed definition of a simulated trial: its arms, sites, visits, entry and drop-out."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

import numpy as np
from pydantic import Field, field_validator, model_validator
from scipy.special import ndtr

from glabella.definitions.reader import Definition
from glabella.domain.scales import SCALES, Scale, find_scale
from glabella.errors import describe_choices
from glabella.simulation.scenario.marginals import Distribution, Shares
from glabella.simulation.scenario.mechanism import (
    Deviation,
    Effect,
    Missing,
    Part,
    Product,
    Proportion,
)

__all__ = ["Dropout", "LeavingWell", "ScenarioArm", "ScenarioTrial", "SelfReport", "Severity"]

# The centre of the fall from which leaving is counted: 30 % below baseline.
USUAL_FALL = -math.log(0.7)
_FEWEST_ADMITTED = 1e-3
# In weeks, a little less than a day, so that 1/7 is one.
_DAY = 0.14


class LeavingWell(Definition):
    """Leaving because one does well.

    Parameters
    ----------
    share : float
        Gone by the week, in [0, 1), of participants who do well from the start.
    by_week : float
        The week.
    fall : float
        What doing well is: at the visit before, the score was lower than at baseline by at least
        this fraction of it.
    """

    share: float = Field(ge=0, lt=1)
    by_week: float = Field(gt=0)
    fall: float = Field(default=0.5, gt=0, lt=1)

    @property
    def rate(self) -> float:
        """The rate a week."""
        return _find_rate(self.share, self.by_week)


class Dropout(Definition):
    """Leaving, between visits.

    Parameters
    ----------
    share : float
        Gone by the week, in [0, 1), of participants whose scores fall by 30 %.
    by_week : float
        The week.
    seen, unseen : float
        How the logarithm of the rate rises with the logarithm of the score, against 30 % below
        baseline: ``seen`` at the visit before (at random, given what was observed), ``unseen`` at
        the visit that is missed (not at random).
    well : LeavingWell, optional
        Leaving because one does well, in addition.
    """

    share: float = Field(ge=0, lt=1)
    by_week: float = Field(gt=0)
    seen: float = Field(default=0.0, ge=-10, le=10)
    unseen: float = Field(default=0.0, ge=-10, le=10)
    well: LeavingWell | None = None

    @property
    def rate(self) -> float:
        """The rate a week."""
        return _find_rate(self.share, self.by_week)


def _find_rate(share: float, by_week: float) -> float:
    return -math.log1p(-share) / by_week


class ScenarioArm(Definition):
    """One arm of a trial.

    Parameters
    ----------
    code : str
        As it stands in the data.
    role : str
        ``active``, or ``control``: a placebo, an injection at another site, or another treatment.
    n : int
        Participants randomised.
    effect : float
        What the arm adds to the logarithm of the fall at the endpoint, for a participant whose
        variables are all at their centre; 0.7 halves the score once more.
    units_women, units_men : float
        Dose in units.
    cohort : str
        The cohort, where sites were assigned to cohorts before randomisation.
    relaxes_frown : bool
        Whether the injected muscles are those of the frown.
    guess : float, optional
        The chance of believing in the active arm, where something else than the frown tells.
    adverse_events : dict
        Name to its chance, where the dose does not say it.
    dropout : Dropout, optional
        Leaving, if it is not as in the trial's other arms.
    response_rate : float, optional
        The proportion of the arm that is expected to respond, inside (0, 1), in a trial whose
        random effects are 0. An active arm's effect is solved for, and a control arm's gives the
        trial's background.
    """

    code: str = Field(min_length=1, max_length=40, pattern=r"^\S(.*\S)?$")
    role: Literal["active", "control"]
    n: int = Field(ge=1, le=10_000_000)
    effect: Part = 0.0
    units_women: float = Field(ge=0, le=20_000)
    units_men: float = Field(ge=0, le=20_000)
    cohort: str = ""
    relaxes_frown: bool = False
    guess: float | None = Field(default=None, ge=0, le=1)
    adverse_events: dict[str, float] = Field(default_factory=dict)
    dropout: Dropout | None = None
    response_rate: float | None = Field(default=None, gt=0, lt=1)

    @field_validator("adverse_events")
    @classmethod
    def _are_chances(cls, chances: dict[str, float]) -> dict[str, float]:
        if any(not 0 <= chance <= 1 for chance in chances.values()):
            raise ValueError("a chance is outside 0 to 1")
        return chances

    @model_validator(mode="after")
    def _has_one_effect(self) -> ScenarioArm:
        if self.role == "active" and self.response_rate is not None and self.effect != 0.0:
            raise ValueError(
                f"the effect of '{self.code}' is stated, and its `response_rate` asks for one that "
                "is solved for. Remove one of the two"
            )
        return self


class Severity(Definition):
    """The baseline total: lognormal in all who were screened, cut at entry.

    Parameters
    ----------
    mean, sd : float
        In points, before the cut.
    low, high : float
        The lowest and the highest total that is admitted, whole points.
    """

    mean: float = Field(ge=1, le=100)
    sd: float = Field(gt=0, le=100)
    low: int = Field(ge=1)
    high: int

    @model_validator(mode="after")
    def _holds_its_mean(self) -> Severity:
        if not self.low < self.high:
            raise ValueError("`low` must be below `high`")
        if not self.mean <= self.high:
            raise ValueError("the mean lies above `high`")
        if self.find_admitted() < _FEWEST_ADMITTED:
            raise ValueError("hardly anybody who is screened is between `low` and `high`")
        return self

    def find_admitted(self) -> float:
        """Give the share of those screened who are admitted.

        Returns
        -------
        float
            In (0, 1).
        """
        edges = (np.log([self.low - 0.5, self.high + 0.5]) - self.log_mean) / self.log_sd
        return float(np.diff(ndtr(edges))[0])

    @property
    def log_sd(self) -> float:
        """Standard deviation of the logarithm."""
        return math.sqrt(math.log1p((self.sd / self.mean) ** 2))

    @property
    def log_mean(self) -> float:
        """Mean of the logarithm."""
        return math.log(self.mean) - self.log_sd**2 / 2


class SelfReport(Definition):
    """A self-report beside the rater's total.

    Parameters
    ----------
    variable : str
        Its name in the dictionary: ``bdi_total`` or ``bdi2_total``.
    intercept, slope : float
        Its points from those of the trial's own scale, without error.
    error : float
        Standard deviation of one report's error on the logarithm.
    belief : float
        By how much the belief in the active arm lowers its logarithm beyond what raters see.
    """

    variable: Literal["bdi_total", "bdi2_total"]
    intercept: float = Field(ge=-50, le=50)
    slope: float = Field(gt=0, le=10)
    error: float = Field(ge=0, le=1)
    belief: Part = 0.0

    @property
    def rating(self) -> Scale:
        """Its scale."""
        return find_scale({"bdi_total": "bdi", "bdi2_total": "bdi_ii"}[self.variable])


class ScenarioTrial(Definition):
    """One trial.

    Parameters
    ----------
    id : str
        Its name.
    scale : str
        A depression scale.
    weeks : tuple of float
        Visits; 0, the baseline, first.
    severity : Severity
        The total at baseline.
    background : float, optional
        The logarithm of the fall at the endpoint without an effect of the arm, for a participant
        whose variables are all at their centre: 0.22 is a fall by a fifth. Solved for if a
        control arm has a `response_rate`.
    variables : dict
        Distributions that are not the scenario's.
    effects : dict
        Effects that are not the scenario's.
    products : tuple of Product, optional
        Instead of the scenario's products.
    nominal : dict
        Nominal variable to the shares of its levels that are not the scenario's.
    tied_to_site : dict
        Variable to the proportion of its variance that lies between sites, if it is not the
        scenario's.
    measurement_error : dict
        Variable to the error of its recorded value, if it is not the scenario's.
    missing : dict
        Variable to how its baseline value comes to be missing, if it is not as the scenario
        says.
    sites : int
        How many; shared evenly among cohorts.
    items : bool
        Whether a Hamilton scale is simulated by item, its agitation among them.
    dropout : Dropout
        Leaving, in arms that state no other.
    self_report : SelfReport, optional
        Where the trial had one.
    arms : tuple of ScenarioArm
        At least two.
    """

    id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")
    scale: str
    weeks: tuple[float, ...]
    severity: Severity
    background: Part | None = None
    variables: dict[str, Distribution] = Field(default_factory=dict)
    effects: dict[str, Effect] = Field(default_factory=dict)
    products: tuple[Product, ...] | None = None
    nominal: dict[str, Shares] = Field(default_factory=dict)
    tied_to_site: dict[str, Proportion] = Field(default_factory=dict)
    measurement_error: dict[str, Deviation] = Field(default_factory=dict)
    missing: dict[str, Missing] = Field(default_factory=dict)
    sites: int = Field(default=1, ge=1, le=100_000)
    items: bool = True
    dropout: Dropout = Dropout(share=0, by_week=1)
    self_report: SelfReport | None = None
    arms: tuple[ScenarioArm, ...] = Field(min_length=2)

    @field_validator("scale")
    @classmethod
    def _is_known(cls, scale: str) -> str:
        depression = [name for name, known in SCALES.items() if known.item_maxima]
        if scale not in depression:
            raise ValueError(
                f"there is no depression scale '{scale}'. {describe_choices(scale, depression)}"
            )
        return scale

    @field_validator("weeks")
    @classmethod
    def _rise(cls, weeks: tuple[float, ...]) -> tuple[float, ...]:
        if any(week < 0 for week in weeks):
            raise ValueError("a visit lies before baseline, which is week 0")
        if list(weeks) != sorted(set(weeks)) or not weeks or weeks[0] != 0:
            raise ValueError("the `weeks` must begin with 0, the baseline, and rise")
        if any(later - week < _DAY for week, later in pairwise(weeks)):
            raise ValueError("two visits are on the same day")
        return weeks

    @field_validator("arms")
    @classmethod
    def _are_pairs(cls, arms: tuple[ScenarioArm, ...]) -> tuple[ScenarioArm, ...]:
        for cohort in {arm.cohort for arm in arms}:
            roles = sorted(arm.role for arm in arms if arm.cohort == cohort)
            if roles != ["active", "control"]:
                where = f"cohort '{cohort}'" if cohort else "a trial without cohorts"
                raise ValueError(f"{where} needs one active and one control arm")
            codes = {arm.code for arm in arms if arm.cohort == cohort}
            if len(codes) < len(roles):
                raise ValueError(f"two arms are called '{codes.pop()}'")
        return arms

    @model_validator(mode="after")
    def _is_possible(self) -> ScenarioTrial:
        if self.severity.high > self.rating.maximum:
            raise ValueError(f"`severity` reaches past the top of {self.scale}")
        if self.sites < len(self.cohorts):
            raise ValueError("there are fewer sites than cohorts")
        asked = [
            arm for arm in self.arms if arm.role == "control" and arm.response_rate is not None
        ]
        if len(asked) > 1:
            raise ValueError(
                "two control arms have a `response_rate`, and a trial has one background. Give the "
                "rate of one of them"
            )
        if asked and self.background is not None:
            raise ValueError(
                f"the `background` is stated, and the `response_rate` of '{asked[0].code}' asks "
                "for one that is solved for. Remove one of the two"
            )
        if not asked and self.background is None:
            raise ValueError(
                "there is no `background`. State it, or give a control arm a `response_rate`"
            )
        return self

    @property
    def asks_for_rates(self) -> bool:
        """Whether a response rate is asked for."""
        return any(arm.response_rate is not None for arm in self.arms)

    @property
    def rating(self) -> Scale:
        """The scale itself."""
        return find_scale(self.scale)

    @property
    def has_items(self) -> bool:
        """Whether items are simulated, and agitation is one that is seen."""
        return self.items and self.scale.startswith("hamd")

    @property
    def cohorts(self) -> tuple[str, ...]:
        """Cohorts, each once."""
        return tuple(sorted({arm.cohort for arm in self.arms}))

    @property
    def size(self) -> int:
        """Participants randomised."""
        return sum(arm.n for arm in self.arms)
