"""The typed definition of a scenario: trials, their participants, and what is true of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from glabella.definitions.locate import Project
from glabella.definitions.reader import Definition, Read
from glabella.domain.scales import SCALES, Scale, find_scale
from glabella.errors import describe_choices

# What may be named as prognostic or predictive.
COVARIATES = (
    "severity", "frown_max", "frown_rest", "age_years", "sex", "illness_months", "antidepressant",
)  # fmt: skip
ENDPOINT_WEEK = 6.0


class Spread(Definition):
    """A normal distribution, cut at both ends.

    Parameters
    ----------
    mean, sd : float
        Before it is cut.
    low, high : float
        The ends.
    """

    mean: float
    sd: float = Field(gt=0)
    low: float
    high: float

    @model_validator(mode="after")
    def _holds_its_mean(self) -> Spread:
        if not self.low < self.high:
            raise ValueError("`low` must be below `high`")
        if not self.low <= self.mean <= self.high:
            raise ValueError("the mean must lie between `low` and `high`")
        return self


class ScenarioArm(Definition):
    """One arm of a trial.

    Parameters
    ----------
    code : str
        As it stands in the data.
    role : str
        ``active`` or ``control``.
    n : int
        Participants randomised.
    response : float
        The probability of response at week 6 among those seen then, inside (0, 1).
    units_women, units_men : float, optional
        Dose in units; None where it is not known.
    cohort : str
        Where sites were assigned to cohorts.
    relaxes_frown : bool
        Whether the frown muscles were injected, so that frown lines fade.
    """

    code: str
    role: Literal["active", "control"]
    n: int = Field(ge=1)
    response: float = Field(gt=0, lt=1)
    units_women: float | None = Field(ge=0)
    units_men: float | None = Field(ge=0)
    cohort: str = ""
    relaxes_frown: bool = False


class Dropout(Definition):
    """Leaving at a constant rate.

    Parameters
    ----------
    share : float
        Gone by the week, in [0, 1).
    by_week : float
        The week.
    """

    share: float = Field(ge=0, lt=1)
    by_week: float = Field(gt=0)


class ScenarioTrial(Definition):
    """One trial.

    Parameters
    ----------
    id : str
        Its name.
    scale : str
        A depression scale.
    weeks : tuple of float
        Visits; 0, the baseline, first, and week 6 among them.
    baseline : Spread
        The total at baseline, cut below at the entry threshold.
    age_years : Spread
        Of participants.
    illness_months : Spread
        Of the log10 of months.
    women, antidepressant : float
        Shares, in [0, 1].
    least_frown : int
        The least grade at maximum frown that was admitted.
    sites : int
        How many; shared evenly among cohorts.
    dropout : Dropout
        Leaving.
    arms : tuple of ScenarioArm
        At least two.
    """

    id: str
    scale: str
    weeks: tuple[float, ...]
    baseline: Spread
    age_years: Spread
    illness_months: Spread
    women: float = Field(ge=0, le=1)
    antidepressant: float = Field(ge=0, le=1)
    least_frown: int = Field(default=0, ge=0, le=3)
    sites: int = Field(default=1, ge=1)
    dropout: Dropout
    arms: tuple[ScenarioArm, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _is_possible(self) -> ScenarioTrial:
        if self.scale not in SCALES or not SCALES[self.scale].item_maxima:
            depression = [name for name, scale in SCALES.items() if scale.item_maxima]
            raise ValueError(
                f"there is no depression scale '{self.scale}'. "
                f"{describe_choices(self.scale, depression)}"
            )
        if any(week < 0 for week in self.weeks):
            raise ValueError("a visit lies before baseline, which is week 0")
        if list(self.weeks) != sorted(set(self.weeks)):
            raise ValueError("the `weeks` must rise")
        if not {0.0, ENDPOINT_WEEK} <= set(self.weeks):
            raise ValueError("the `weeks` need 0, the baseline, and 6, the endpoint")
        if self.baseline.low < 1:
            raise ValueError("a `baseline` below 1 leaves nothing to fall from")
        if self.baseline.high > SCALES[self.scale].maximum:
            raise ValueError(f"`baseline` reaches past the top of {self.scale}")
        for cohort in {arm.cohort for arm in self.arms}:
            roles = sorted(arm.role for arm in self.arms if arm.cohort == cohort)
            if roles != ["active", "control"]:
                where = f"cohort '{cohort}'" if cohort else "a trial without cohorts"
                raise ValueError(f"{where} needs one active and one control arm")
        if self.sites < len({arm.cohort for arm in self.arms}):
            raise ValueError("there are fewer sites than cohorts")
        return self

    @property
    def rating(self) -> Scale:
        """The scale itself."""
        return find_scale(self.scale)


class NewPatients(Definition):
    """The table to be scored.

    Parameters
    ----------
    rows : int
        How many.
    faulty : int
        How many of them have a fault, each another.
    """

    rows: int = Field(ge=1)
    faulty: int = Field(ge=0)


class Scenario(Definition):
    """Trials with known truth.

    Parameters
    ----------
    kind : str
        ``scenario``.
    description : str
        What is simulated.
    signal : float
        Correlation of the participants' prognosis with the latent response, in [0, 1).
    spread : float
        Standard deviation of the improvement at week 6, in percent of baseline.
    visit_noise : float
        The same of what one visit adds, at other weeks.
    course : dict
        Week to the share of the improvement of week 6 that is reached; linear in between.
    prognostic : dict
        Covariate to weight, in both arms; only their proportions matter.
    predictive : dict
        Covariate to weight added in active arms only.
    trials : tuple of ScenarioTrial
        The trials.
    new_patients : NewPatients
        The table to be scored.
    """

    kind: Literal["scenario"]
    description: str
    signal: float = Field(ge=0, lt=1)
    spread: float = Field(gt=0)
    visit_noise: float = Field(ge=0)
    course: dict[float, float]
    prognostic: dict[str, float]
    predictive: dict[str, float] = Field(default_factory=dict)
    trials: tuple[ScenarioTrial, ...] = Field(min_length=1)
    new_patients: NewPatients

    @model_validator(mode="after")
    def _is_consistent(self) -> Scenario:
        for name in (*self.prognostic, *self.predictive):
            if name not in COVARIATES:
                raise ValueError(
                    f"there is no covariate '{name}'. {describe_choices(name, COVARIATES)}"
                )
        ids = [trial.id for trial in self.trials]
        if len(set(ids)) < len(ids):
            raise ValueError("two trials have the same id")
        if any(week < 0 or not 0 <= share <= 2 for week, share in self.course.items()):
            raise ValueError("the `course` runs over weeks from 0 and shares from 0 to 2")
        if self.signal > 0 and not any((*self.prognostic.values(), *self.predictive.values())):
            raise ValueError("a `signal` above 0 needs a weight in `prognostic` or `predictive`")
        if self.course.get(0.0) != 0.0 or self.course.get(ENDPOINT_WEEK) != 1.0:
            raise ValueError("the `course` must be 0 at week 0 and 1 at week 6")
        return self


def read_scenario(project: Project, name: str) -> Read[Scenario]:
    """Read a scenario by its name.

    Parameters
    ----------
    project : Project
        The definitions.
    name : str
        A name in ``pipelines/scenarios``.

    Returns
    -------
    Read
        The scenario with its origin.

    Raises
    ------
    DefinitionError
        If there is none, or a parameter is impossible.
    """
    return project.read("pipelines/scenarios", name, Scenario)
