"""What moves a simulated score: effects, chance, random effects, course, belief and events."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator
from scipy.special import expit

from glabella.definitions.reader import Definition
from glabella.errors import describe_choices
from glabella.simulation.scenario.marginals import Shares

__all__ = [
    "AdverseEvent",
    "BetweenTrials",
    "Course",
    "Curve",
    "Effect",
    "Factor",
    "Individual",
    "LevelEffect",
    "Missing",
    "Nominal",
    "Product",
    "Unblinding",
]

Floats = npt.NDArray[np.float64]


# A part of the logarithm of a fall: 5 leaves a hundredth and a half of the score.
Part = Annotated[float, Field(ge=-5, le=5)]
Deviation = Annotated[float, Field(ge=0, le=5)]
# No value is missing, or there, for certain: given the table some point must be possible.
_LEAST_CHANCE = 1e-9
# What a missing value may depend on beside variables.
RESPONSE = "response"
Proportion = Annotated[float, Field(ge=0, le=1)]


class Curve(Definition):
    """A part of a variable's effect that is not linear.

    Parameters
    ----------
    shape : str
        With *z* the distance from ``at`` in units of the effect: ``squared`` is z², ``cubed`` z³,
        ``hinge`` z above ``at`` and 0 below, ``step`` 1 above ``at`` and 0 up to it, and
        ``saturating`` tanh(z), which levels off at -1 and 1.
    at : float, optional
        Where the curve is 0; the effect's centre by default.
    prognostic, predictive : float
        Its weights, as those of `Effect`.
    """

    shape: Literal["squared", "cubed", "hinge", "step", "saturating"]
    at: float | None = None
    prognostic: Part = 0.0
    predictive: Part = 0.0

    @model_validator(mode="after")
    def _does_something(self) -> Curve:
        check_weights(self.prognostic, self.predictive)
        return self

    def find_values(self, distance: Floats) -> Floats:
        """Give the curve at distances from where it is 0."""
        if self.shape == "squared":
            return np.asarray(distance**2)
        if self.shape == "cubed":
            return np.asarray(distance**3)
        if self.shape == "hinge":
            return np.maximum(distance, 0.0)
        if self.shape == "step":
            return np.asarray(distance > 0.0, dtype=float)
        return np.tanh(distance)


def check_weights(prognostic: float, predictive: float) -> None:
    """Refuse a term that has no weight.

    Raises
    ------
    ValueError
        If both weights are 0.
    """
    if prognostic == 0.0 and predictive == 0.0:
        raise ValueError("both weights are 0. Give it a `prognostic` or a `predictive` weight")


class Effect(Definition):
    """What a variable does to the logarithm of the fall.

    Parameters
    ----------
    centre : float
        The value at which it does nothing.
    unit : float
        By how much it differs for the weights to hold.
    prognostic : float
        Weight in every arm; above 0 a higher value goes with a larger fall.
    predictive : float
        Weight added where the arm has an effect of its own: the interaction with treatment.
    curves : tuple of Curve
        What is added to the straight line.
    """

    centre: float = 0.0
    unit: float = Field(default=1.0, gt=0)
    prognostic: Part = 0.0
    predictive: Part = 0.0
    curves: tuple[Curve, ...] = ()

    def find_start(self, curve: Curve) -> float:
        """Give the value at which a curve is 0."""
        return self.centre if curve.at is None else curve.at

    def find_curve(self, curve: Curve, numbers: Floats) -> Floats:
        """Give a curve at values of the variable."""
        return curve.find_values((numbers - self.find_start(curve)) / self.unit)


class Factor(Definition):
    """One of the two variables of a product.

    Parameters
    ----------
    variable : str
        Its name.
    centre, unit : float
        The value at which it is 0, and by how much it differs to be 1.
    code : str, optional
        A code of the variable: the factor is then 1 in participants with that code and 0 in
        others.
    """

    variable: str
    centre: float = 0.0
    unit: float = Field(default=1.0, gt=0)
    code: str | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> Factor:
        if self.code is not None and (self.centre != 0.0 or self.unit != 1.0):
            raise ValueError(
                "a `code` makes it 0 or 1, so `centre` and `unit` do nothing. Leave them out"
            )
        return self

    @property
    def name(self) -> str:
        """The variable, with the code if it has one."""
        return self.variable if self.code is None else f"{self.variable}={self.code}"


class Product(Definition):
    """What two variables do together, beyond what each does alone.

    Parameters
    ----------
    of : tuple of Factor
        The two factors.
    prognostic, predictive : float
        The weights of their product, as those of `Effect`.
    """

    of: tuple[Factor, Factor]
    prognostic: Part = 0.0
    predictive: Part = 0.0

    @model_validator(mode="after")
    def _is_of_two(self) -> Product:
        one, other = self.of
        if one.variable == other.variable:
            raise ValueError(
                f"both factors are '{one.variable}'. Name two variables, or give the effect of "
                f"'{one.variable}' a squared curve"
            )
        check_weights(self.prognostic, self.predictive)
        return self


class LevelEffect(Definition):
    """What a level of a nominal variable does to the logarithm of the fall.

    Parameters
    ----------
    prognostic, predictive : float
        Its weights, as those of `Effect`.
    """

    prognostic: Part = 0.0
    predictive: Part = 0.0

    @model_validator(mode="after")
    def _does_something(self) -> LevelEffect:
        check_weights(self.prognostic, self.predictive)
        return self


class Nominal(Shares):
    """A variable whose levels have no order.

    Parameters
    ----------
    shares : dict
        Level to share; together 1.
    effects : dict
        Level to its effect; a level that is not named has none.
    """

    effects: dict[str, LevelEffect] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_levels(self) -> Nominal:
        if len(self.shares) < 2:
            raise ValueError(
                "a nominal variable needs two levels or more. Add a level, or leave it out"
            )
        for level in self.effects:
            if level not in self.shares:
                choices = describe_choices(level, self.codes)
                raise ValueError(f"there is no level '{level}'. {choices}")
        return self


class Missing(Definition):
    """How a baseline value comes to be missing.

    Parameters
    ----------
    share : float
        The proportion missing, in [0, 1), in non-responders who are at the mean of every variable
        that `on` names.
    on : dict
        Variable, or ``response``, to what a standard deviation of the variable, or having
        responded at the endpoint, adds to the logit of the chance. A value may depend on itself.
    """

    share: float = Field(ge=0, lt=1)
    on: dict[str, Annotated[float, Field(ge=-10, le=10)]] = Field(default_factory=dict)

    def find_chance(
        self, deviates: Mapping[str, Floats], responds: npt.NDArray[np.bool_] | bool
    ) -> Floats:
        """Give the chance that a value is missing.

        Parameters
        ----------
        deviates : mapping of array, shape (n,)
            Variable to the standard normal deviates behind its true values.
        responds : array of bool, shape (n,), or bool
            Response at the endpoint.

        Returns
        -------
        array of float, shape (n,) or ()
            Inside (0, 1).
        """
        logit: Floats = np.asarray(math.log(self.share) - math.log1p(-self.share))
        for name, slope in self.on.items():
            logit = logit + slope * (
                np.asarray(responds, dtype=float) if name == RESPONSE else deviates[name]
            )
        return np.clip(expit(logit), _LEAST_CHANCE, 1.0 - _LEAST_CHANCE)


class Spontaneous(Definition):
    """Recovery that comes by itself, to anybody alike.

    Parameters
    ----------
    share : float
        Of participants, in [0, 1].
    fall : float
        What it adds to the logarithm of the fall.
    """

    share: float = Field(default=0.0, ge=0, le=1)
    fall: Deviation = 0.0


class Individual(Definition):
    """What no variable explains, as standard deviations of the logarithm of the fall.

    Parameters
    ----------
    background_sd : float
        In every arm.
    effect_sd : float
        Of the effect, in arms that have one.
    spontaneous : Spontaneous
        Recovery that comes by itself.
    """

    background_sd: Deviation
    effect_sd: Deviation
    spontaneous: Spontaneous = Spontaneous()


class BetweenTrials(Definition):
    """Random effects of a trial, drawn anew with each seed, as standard deviations.

    Parameters
    ----------
    severity_sd : float
        Of the logarithm of mean severity at entry.
    background_sd, effect_sd : float
        Of the logarithm of the fall in every arm, and of each effect.
    weights_sd : float
        Of what one unit of each variable that has a weight adds to the logarithm of the fall, by
        its prognostic weight: in another trial it predicts more, less or the other way.
    predictive_sd : float
        The same of its predictive weight: in another trial it modifies the effect more, less or
        the other way.
    """

    severity_sd: Deviation = 0.0
    background_sd: Deviation = 0.0
    effect_sd: Deviation = 0.0
    weights_sd: Deviation = 0.0
    predictive_sd: Deviation = 0.0


class Course(Definition):
    """The share of each part of the fall that is reached by a week, linear in between.

    Parameters
    ----------
    background, effect, belief : dict
        Week to share; 0 at week 0 and 1 at the endpoint.
    """

    background: dict[float, float]
    effect: dict[float, float]
    belief: dict[float, float]

    @field_validator("background", "effect", "belief")
    @classmethod
    def _is_possible(cls, course: dict[float, float]) -> dict[float, float]:
        if any(week < 0 or not 0 <= share <= 2 for week, share in course.items()):
            raise ValueError("a course runs over weeks from 0 and shares from 0 to 2")
        if course.get(0.0) != 0.0:
            raise ValueError("a course must be 0 at week 0")
        return course

    def find_share(self, part: str, week: float) -> float:
        """Give the share of a part by a week.

        Parameters
        ----------
        part : str
            ``background``, ``effect`` or ``belief``.
        week : float
            After injection.

        Returns
        -------
        float
            After the last week that is named, the last share.
        """
        weeks, shares = zip(*sorted(getattr(self, part).items()), strict=True)
        return float(np.interp(week, weeks, shares))


class Unblinding(Definition):
    """How participants come to believe that they got the active treatment.

    Parameters
    ----------
    relaxation : tuple of float
        Shares of those in whom an injected frown relaxes by 0, 1, 2 and 3 grades, as far as
        there was a grade to lose.
    guess : tuple of float
        The chance of believing in the active arm where 0, 1, 2 and 3 grades were seen to go.
    effect : float
        What that belief adds to the logarithm of the fall.
    lasts : tuple of float
        The weeks between which the frown returns.
    """

    relaxation: tuple[float, float, float, float]
    guess: tuple[float, float, float, float]
    effect: Part = 0.0
    lasts: tuple[float, float] = (12.0, 16.0)

    @field_validator("relaxation", "guess")
    @classmethod
    def _are_chances(cls, chances: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 <= chance <= 1 for chance in chances):
            raise ValueError("a chance is outside 0 to 1")
        return chances

    @field_validator("relaxation")
    @classmethod
    def _add_up(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        if abs(math.fsum(shares) - 1) > 1e-6:
            raise ValueError(f"the shares add up to {math.fsum(shares):g} and not to 1")
        return shares

    @field_validator("lasts")
    @classmethod
    def _rises(cls, weeks: tuple[float, float]) -> tuple[float, float]:
        if not 0 < weeks[0] <= weeks[1]:
            raise ValueError("the two weeks must be above 0 and rise")
        return weeks

    def find_chance(self, frown_max: Floats, *, relaxes: bool) -> Floats:
        """Give the chance of believing in the active arm.

        Parameters
        ----------
        frown_max : array of float, shape (n,)
            Grades at maximum frown before injection.
        relaxes : bool
            Whether the arm's injection relaxes the frown.

        Returns
        -------
        array of float, shape (n,)
            Over the grades that may go.
        """
        if not relaxes:
            return np.full(len(frown_max), self.guess[0])
        by_grade = [
            math.fsum(
                share * self.guess[min(loss, grade)] for loss, share in enumerate(self.relaxation)
            )
            for grade in range(4)
        ]
        return np.asarray(np.take(by_grade, frown_max.astype(int)), dtype=float)


class AdverseEvent(Definition):
    """The chance of an event by dose, linear on the logit.

    Parameters
    ----------
    at_0_units, at_40_units : float
        Chances at two doses, inside (0, 1).
    """

    at_0_units: float = Field(gt=0, lt=1)
    at_40_units: float = Field(gt=0, lt=1)

    def find_chance(self, units: Floats) -> Floats:
        """Give the chance at a dose.

        Parameters
        ----------
        units : array of float, shape (n,)
            Doses.

        Returns
        -------
        array of float, shape (n,)
            Inside (0, 1).
        """
        zero, forty = (math.log(p / (1 - p)) for p in (self.at_0_units, self.at_40_units))
        return np.asarray(1 / (1 + np.exp(-(zero + (forty - zero) * units / 40.0))), dtype=float)
