"""The typed definition of a scenario: trials, their participants, and what is true of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator

from glabella.definitions.reader import Definition
from glabella.errors import describe_choices
from glabella.simulation.new_patients import FAULTS
from glabella.simulation.scenario.marginals import Distribution, Shares, Spread
from glabella.simulation.scenario.mechanism import (
    AdverseEvent,
    BetweenTrials,
    Course,
    Deviation,
    Effect,
    Individual,
    Missing,
    Nominal,
    Product,
    Proportion,
    Unblinding,
)
from glabella.simulation.scenario.trials import ScenarioTrial

__all__ = ["Scenario"]

# What is drawn of each participant before entry; `severity` is the baseline total, in standard
# deviations of its logarithm before the entry threshold.
VARIABLES: dict[str, type[Spread] | type[Shares]] = {
    "age_years": Spread,
    "sex": Shares,
    "illness_months": Spread,
    "episodes": Shares,
    "antidepressant": Shares,
    "resistance": Shares,
    "expectancy": Spread,
    "agitation": Shares,
    "frown_max": Shares,
    "frown_rest": Shares,
}
SEVERITY = "severity"
COVARIATES = (SEVERITY, *VARIABLES)
_CODES = {
    "sex": ("M", "F"),
    "antidepressant": ("no", "yes"),
    "agitation": ("0", "1", "2", "3", "4"),
    "frown_max": ("0", "1", "2", "3"),
    "frown_rest": ("0", "1", "2", "3"),
}
# What the shipped dictionary allows.
_RANGES = {
    "age_years": (18, 95),
    "illness_months": (0, 720),
    "episodes": (1, 60),
    "resistance": (0, 3),
    "expectancy": (0, 10),
}
_LEAST_EIGENVALUE = 1e-9
# Columns of ADSL that the simulator writes, in small letters.
_TAKEN_IN_ADAM = (
    "age", "ageu", "trt01p", "trt01a", "ittfl", "saffl", "illmon", "antidep", "resist", "expect",
    "dose", "belief",
)  # fmt: skip
_SCORES = ("depression_total", "bdi_total", "bdi2_total")
_TAKEN = ("studyid", "usubjid", "siteid", "cohort", "arm", "scale", "dose_units", "believed_arm")

Floats = npt.NDArray[np.float64]
Value = TypeVar("Value")


class NewPatients(Definition):
    """The table to be scored.

    Parameters
    ----------
    rows : int
        How many.
    faulty : int
        How many of them have a fault, each another.
    """

    rows: int = Field(ge=1, le=1_000_000)
    faulty: int = Field(ge=0)

    @model_validator(mode="after")
    def _has_room(self) -> NewPatients:
        most = min(len(FAULTS), self.rows - 1)
        if self.faulty > most:
            raise ValueError(f"at most {most} of {self.rows} rows can have a fault of their own")
        return self


class Scenario(Definition):
    """Trials with known truth.

    Parameters
    ----------
    kind : str
        ``scenario``.
    description : str
        What is simulated.
    endpoint_week : float
        The week at which truth is stated.
    variables : dict
        Each variable's distribution, where a trial states no other.
    correlations : dict
        Variable to variable to the correlation of their normal deviates; what is not named is 0.
    effects : dict
        Variable to its effect, where a trial states no other.
    products : tuple of Product
        What two variables do together, if a trial states no other.
    nominal : dict
        Variable of the scenario's own, without order, to its levels and their effects.
    tied_to_site : dict
        Variable to the proportion of the variance of its deviate that lies between sites, if a
        trial states no other.
    measurement_error : dict
        Variable to the standard deviation of the error of its recorded value, in standard
        deviations of the variable, if a trial states no other.
    missing : dict
        Variable to how its baseline value comes to be missing, if a trial says nothing else.
    individual : Individual
        What no variable explains.
    between_trials : BetweenTrials
        Random effects of trials.
    between_sites_sd : float
        Standard deviation of sites' effects on the logarithm of the fall in every arm.
    rating_error : float
        Standard deviation of one rating's error on the logarithm: 0.1 is a tenth of the score.
    course : Course
        Onset and waning.
    unblinding : Unblinding
        How participants come to believe which arm is theirs, and what that does.
    adverse_events : dict
        Name to the chance by dose.
    trials : tuple of ScenarioTrial
        The trials.
    new_patients : NewPatients
        The table to be scored.
    """

    kind: Literal["scenario"]
    description: str
    endpoint_week: float = Field(gt=0)
    variables: dict[str, Distribution]
    correlations: dict[str, dict[str, float]] = Field(default_factory=dict)
    effects: dict[str, Effect] = Field(default_factory=dict)
    products: tuple[Product, ...] = ()
    nominal: dict[str, Nominal] = Field(default_factory=dict)
    tied_to_site: dict[str, Proportion] = Field(default_factory=dict)
    measurement_error: dict[str, Deviation] = Field(default_factory=dict)
    missing: dict[str, Missing] = Field(default_factory=dict)
    individual: Individual
    between_trials: BetweenTrials = BetweenTrials()
    between_sites_sd: Deviation = 0.0
    rating_error: float = Field(ge=0, lt=1)
    course: Course
    unblinding: Unblinding
    adverse_events: dict[str, AdverseEvent] = Field(default_factory=dict)
    trials: tuple[ScenarioTrial, ...] = Field(min_length=1)
    new_patients: NewPatients

    @field_validator("variables")
    @classmethod
    def _are_variables(cls, given: dict[str, Distribution]) -> dict[str, Distribution]:
        missing = [name for name in VARIABLES if name not in given]
        if missing:
            raise ValueError(f"there is no '{missing[0]}'")
        return given

    @field_validator("correlations")
    @classmethod
    def _are_possible(cls, given: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        make_correlation_matrix(given)
        return given

    @field_validator("adverse_events")
    @classmethod
    def _have_names(cls, given: dict[str, AdverseEvent]) -> dict[str, AdverseEvent]:
        for name in given:
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) or name in (*_TAKEN, *VARIABLES):
                raise ValueError(
                    f"'{name}' can't be the name of an adverse event: small letters, digits and _, "
                    "and no name of another column"
                )
        return given

    @field_validator("nominal")
    @classmethod
    def _have_free_names(cls, given: dict[str, Nominal]) -> dict[str, Nominal]:
        for name in given:
            is_taken = name in (*_TAKEN, *_TAKEN_IN_ADAM, *_SCORES, *COVARIATES)
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,7}", name) or is_taken:
                raise ValueError(
                    f"'{name}' can't be the name of a nominal variable: at most eight small "
                    "letters, digits and _, as in ADaM, and no name of another column"
                )
        return given

    @field_validator("effects")
    @classmethod
    def _are_effects(cls, given: dict[str, Effect]) -> dict[str, Effect]:
        check_names(given, COVARIATES)
        return given

    def find_variables(self, trial: ScenarioTrial) -> dict[str, Distribution]:
        """Give a trial's distributions.

        Parameters
        ----------
        trial : ScenarioTrial
            The trial.

        Returns
        -------
        dict of Spread or Shares
            Its own, and the scenario's for the rest.
        """
        return {name: trial.variables.get(name, self.variables[name]) for name in VARIABLES}

    def find_nominal(self, trial: ScenarioTrial) -> dict[str, Shares]:
        """Give a trial's distributions of nominal variables."""
        return {name: trial.nominal.get(name, given) for name, given in self.nominal.items()}

    def find_ties(self, trial: ScenarioTrial) -> dict[str, float]:
        """Give the proportion of each variable's variance that lies between a trial's sites.

        Returns
        -------
        dict of float
            Only of variables that are tied; of a trial with one site empty.
        """
        ties = {**self.tied_to_site, **trial.tied_to_site}
        return {name: tie for name, tie in ties.items() if tie > 0.0 and trial.sites > 1}

    def find_errors(self, trial: ScenarioTrial) -> dict[str, float]:
        """Give the error of each variable that a trial records with error."""
        errors = {**self.measurement_error, **trial.measurement_error}
        return {name: error for name, error in errors.items() if error > 0.0}

    def find_missing(self, trial: ScenarioTrial) -> dict[str, Missing]:
        """Give each variable that a trial may lack in some participants, and how it comes to."""
        missing = {**self.missing, **trial.missing}
        return {name: how for name, how in missing.items() if how.share > 0.0}

    def find_correlations(self, trial: ScenarioTrial) -> Floats:
        """Give the correlations of all deviates of a participant, over all possible sites.

        Returns
        -------
        array of float, shape (n_names, n_names)
            In the order of `COVARIATES`, and of nominal variables after them.
        """
        matrix = np.eye(len(COVARIATES) + len(self.nominal))
        covariates = slice(0, len(COVARIATES))
        matrix[covariates, covariates] = make_correlation_matrix(self.correlations)
        ties = self.find_ties(trial)
        if ties:
            names = (*COVARIATES, *self.nominal)
            # What lies between sites is separate for each variable, and correlated with nothing.
            within = np.sqrt([1.0 - ties.get(name, 0.0) for name in names])
            matrix *= np.outer(within, within)
            np.fill_diagonal(matrix, 1.0)
        return matrix

    def find_effects(self, trial: ScenarioTrial) -> dict[str, Effect]:
        """Give a trial's effects.

        Parameters
        ----------
        trial : ScenarioTrial
            The trial.

        Returns
        -------
        dict of Effect
            Its own, and the scenario's for the rest.
        """
        return {**self.effects, **trial.effects}

    def find_products(self, trial: ScenarioTrial) -> tuple[Product, ...]:
        """Give a trial's products: its own, or else the scenario's."""
        return self.products if trial.products is None else trial.products

    def with_participants(self, participants: int) -> Scenario:
        """Give the same scenario with another number of participants.

        Parameters
        ----------
        participants : int
            In all arms together, at least one for each; each arm keeps its share.

        Returns
        -------
        Scenario
            Of so many.
        """
        arms = [arm for trial in self.trials for arm in trial.arms]
        edges = np.round(np.cumsum([0, *(arm.n for arm in arms)]) * participants / self.size)
        counts = np.maximum(np.diff(edges), 1).astype(int)
        while counts.sum() > max(participants, len(arms)):
            # Arms that would have none take from the largest.
            counts[np.argmax(counts)] -= 1
        sizes = iter(counts.tolist())
        trials = tuple(
            trial.model_copy(
                update={
                    "arms": tuple(arm.model_copy(update={"n": next(sizes)}) for arm in trial.arms)
                }
            )
            for trial in self.trials
        )
        return self.model_copy(update={"trials": trials})

    def with_trials(self, count: int) -> Scenario:
        """Give the same scenario with another number of trials.

        Parameters
        ----------
        count : int
            How many, at least 1: the scenario's trials in their order, and from the first again
            where they are fewer. One that comes again has a number in its name, and effects and
            participants of its own.

        Returns
        -------
        Scenario
            Of so many trials.
        """
        trials: list[ScenarioTrial] = []
        known = {trial.id for trial in self.trials}
        for at in range(count):
            turn, number = divmod(at, len(self.trials))
            trial = self.trials[number]
            name, again = trial.id, turn + 1
            while turn and name in known:
                name, again = f"{trial.id}_{again}", again + 1
            known.add(name)
            trials.append(trial.model_copy(update={"id": name}))
        return self.model_copy(update={"trials": tuple(trials)})

    @property
    def size(self) -> int:
        """Participants randomised in all trials."""
        return sum(trial.size for trial in self.trials)


def make_correlation_matrix(correlations: Mapping[str, Mapping[str, float]]) -> Floats:
    """Put correlations into a matrix.

    Parameters
    ----------
    correlations : mapping
        Variable to variable to correlation.

    Returns
    -------
    array of float, shape (n_covariates, n_covariates)
        In the order of `COVARIATES`.

    Raises
    ------
    ValueError
        If a correlation names no variable, or the matrix belongs to no distribution.

    Examples
    --------
    >>> float(make_correlation_matrix({"severity": {"age_years": 0.3}})[0, 1])
    0.3
    """
    order = {name: at for at, name in enumerate(COVARIATES)}
    matrix = np.eye(len(order))
    for one, others in correlations.items():
        check_names([one, *others], COVARIATES)
        for other, value in others.items():
            if one == other or not -1 < value < 1:
                raise ValueError(
                    f"the correlation of '{one}' and '{other}' must be of two variables and "
                    "inside -1 to 1"
                )
            row, column = order[one], order[other]
            if matrix[row, column] not in (0.0, value):
                raise ValueError(f"'{one}' and '{other}' have two correlations")
            matrix[row, column] = matrix[column, row] = value
    if np.linalg.eigvalsh(matrix)[0] < _LEAST_EIGENVALUE:
        raise ValueError("they contradict each other: no distribution has all of them")
    return matrix


def check_variables(variables: Mapping[str, Distribution]) -> None:
    """Check that distributions are of variables that have such.

    Parameters
    ----------
    variables : mapping
        Variable to distribution.

    Raises
    ------
    ValueError
        If there is no such variable, or its distribution is of another kind.
    """
    check_names(variables, list(VARIABLES))
    for name, given in variables.items():
        if not isinstance(given, VARIABLES[name]):
            wanted = "a spread" if VARIABLES[name] is Spread else "shares"
            raise ValueError(f"'{name}' needs {wanted}")
        if name in _RANGES:
            _check_range(name, given, *_RANGES[name])
        codes = _CODES.get(name)
        if isinstance(given, Shares) and codes is not None and given.codes != codes:
            raise ValueError(f"'{name}' needs the shares of {', '.join(codes)}, in this order")


def _check_range(name: str, given: Distribution, least: int, most: int) -> None:
    if isinstance(given, Shares):
        if not all(code.isdecimal() for code in given.codes):
            raise ValueError(f"'{name}' needs the shares of whole numbers")
        values = [float(code) for code in given.codes]
        if values != sorted(values):
            raise ValueError(f"the numbers of '{name}' must rise")
    else:
        values = [10.0 ** min(end, 9.0) if given.log10 else end for end in (given.low, given.high)]
    if min(values) < least or max(values) > most + 0.5:
        raise ValueError(f"'{name}' reaches outside {least} to {most}")


def check_names(given: Iterable[str], known: Sequence[str]) -> None:
    """Check that names are known.

    Parameters
    ----------
    given : iterable of str
        Names.
    known : sequence of str
        What they may be.

    Raises
    ------
    ValueError
        If one is not; the nearest is named.
    """
    for name in given:
        if name not in known:
            raise ValueError(f"there is no variable '{name}'. {describe_choices(name, known)}")
