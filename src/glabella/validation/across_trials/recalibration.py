"""Recalibration of a model to a new trial, and the test that says how much of it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from glabella.models.penalised import find_losses
from glabella.validation.measures.estimation.estimate import LEVEL
from glabella.validation.measures.estimation.logistic import Maximum, find_maximum
from glabella.validation.measures.evaluation import FEWEST_OF_A_CLASS

Update = Literal["none", "in the large", "intercept and slope", "refit"]
UPDATES: tuple[Update, ...] = ("none", "in the large", "intercept and slope", "refit")
# A revision of every coefficient is tested where each has so many of the rarer class.
EVENTS_FOR_EACH = 5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recalibration:
    """Log odds of a model multiplied by a slope and shifted.

    Parameters
    ----------
    slope, intercept : float
        1 and 0 leave them as they are.
    log_likelihood : float
        Of the participants that they were learnt from.
    """

    slope: float
    intercept: float
    log_likelihood: float

    def apply(self, log_odds: Floats) -> Floats:
        """Recalibrate log odds.

        Returns
        -------
        array of float, shape (n,)
            Recalibrated.
        """
        return np.asarray(self.slope * log_odds + self.intercept, dtype=float)


@dataclass(frozen=True)
class UpdateTest:
    """One step of the closed test.

    Parameters
    ----------
    update : str
        The lesser update that is held against the greatest.
    against : str
        The greatest that could be tested.
    statistic : float
        Twice the difference of log likelihoods.
    freedom : int
        Its degrees of freedom.
    p_value : float
        Under the hypothesis that the lesser update suffices.
    """

    update: Update
    against: Update
    statistic: float
    freedom: int
    p_value: float

    @property
    def rejects(self) -> bool:
        """Whether the lesser update does not suffice."""
        return self.p_value < 1.0 - LEVEL


@dataclass(frozen=True)
class UpdateChoice:
    """How much of an update the new trial asks for.

    Parameters
    ----------
    chosen : str
        The least update that no test speaks against.
    tests : tuple of UpdateTest
        In the order in which they were made.
    in_the_large, logistic : Recalibration
        Both recalibrations, learnt from the new trial.
    largest : str
        The greatest update that could be tested.
    reason : str
        Why a revision of coefficients was not tested; blank where it was.
    """

    chosen: Update
    tests: tuple[UpdateTest, ...]
    in_the_large: Recalibration
    logistic: Recalibration
    largest: Update
    reason: str = ""

    def find(self, update: Update) -> Recalibration:
        """Give the recalibration of an update that is one."""
        if update == "in the large":
            return self.in_the_large
        if update == "intercept and slope":
            return self.logistic
        return Recalibration(1.0, 0.0, float("nan"))

    def describe(self) -> str:
        """Say what was tested and what follows."""
        words = [
            f"Against {_NAMES[test.against]}, {_NAMES[test.update]} "
            f"{'does not suffice' if test.rejects else 'is not shown to fall short'} (likelihood "
            f"ratio {test.statistic:.2f} on {test.freedom} degree"
            f"{'' if test.freedom == 1 else 's'} of freedom, p = {test.p_value:.3g})."
            for test in self.tests
        ]
        if self.reason:
            words.append(f"A revision of the coefficients was not tested: {self.reason}.")
        return " ".join([*words, f"Chosen: {_NAMES[self.chosen]}."])

    def as_json(self) -> dict[str, Any]:
        """Give the choice as plain values.

        Returns
        -------
        dict
            ``chosen``, ``tests``, both recalibrations, ``reason`` and ``statement``.
        """
        return {
            "chosen": self.chosen,
            "largest": self.largest,
            "tests": [{**vars(test), "rejects": test.rejects} for test in self.tests],
            "in_the_large": {"slope": 1.0, "intercept": self.in_the_large.intercept},
            "intercept_and_slope": {
                "slope": self.logistic.slope,
                "intercept": self.logistic.intercept,
            },
            "reason": self.reason or None,
            "statement": self.describe(),
        }


_NAMES: dict[Update, str] = {
    "none": "the model as it is",
    "in the large": "recalibration in the large",
    "intercept and slope": "recalibration of intercept and slope",
    "refit": "a revision of the coefficients",
}


def fit_in_the_large(log_odds: npt.ArrayLike, responded: npt.ArrayLike) -> Recalibration:
    """Find the intercept that makes as many responses expected as there were.

    References
    ----------
    .. [1] Steyerberg EW, Borsboom GJJM, van Houwelingen HC, Eijkemans MJC, Habbema JDF. Validation
       and updating of predictive logistic regression models. Stat Med 2004;23:2567-2586.

    Examples
    --------
    >>> round(fit_in_the_large([0.0, 0.0, 0.0, 0.0], [1, 1, 1, 0]).intercept, 4)
    1.0986
    """
    told, outcome = np.asarray(log_odds, dtype=float), np.asarray(responded, dtype=float)
    fit = _fit(np.ones((len(told), 1)), outcome, told)
    return Recalibration(1.0, float(fit.coefficients[0]), fit.log_likelihood)


def fit_intercept_and_slope(log_odds: npt.ArrayLike, responded: npt.ArrayLike) -> Recalibration:
    """Fit a logistic regression of the outcome on a model's log odds.

    References
    ----------
    .. [1] Cox DR. Two further applications of a model for binary regression. Biometrika
       1958;45:562-565.
    """
    told, outcome = np.asarray(log_odds, dtype=float), np.asarray(responded, dtype=float)
    if np.ptp(told) < 1e-9:
        raise ValueError("the model predicts the same for all")
    cases, others = told[outcome == 1], told[outcome == 0]
    if others.max() <= cases.min() or cases.max() <= others.min():
        raise ValueError("the predictions separate the classes")
    fit = _fit(np.column_stack([np.ones(len(told)), told]), outcome, np.zeros(len(told)))
    return Recalibration(float(fit.coefficients[1]), float(fit.coefficients[0]), fit.log_likelihood)


def choose_update(
    log_odds: npt.ArrayLike,
    responded: npt.ArrayLike,
    *,
    features: Floats | None = None,
) -> UpdateChoice:
    """Choose the least update that suffices, by a closed test.

    The model as it is, then with a new intercept, then with intercept and slope, are each held
    against a revision of all coefficients; the first that is not rejected is taken. The chance of
    an update that is not needed stays at 5 % over all steps.

    References
    ----------
    .. [1] Vergouwe Y et al. A closed testing procedure to select an appropriate method for updating
       prediction models. Stat Med 2017;36:4529-4539.
    .. [2] Marcus R, Peritz E, Gabriel KR. On closed testing procedures with special reference to
       ordered analysis of variance. Biometrika 1976;63:655-660.
    """
    told, outcome = np.asarray(log_odds, dtype=float), np.asarray(responded, dtype=float)
    rarer = int(min(outcome.sum(), (1 - outcome).sum()))
    if rarer < FEWEST_OF_A_CLASS:
        raise ValueError(
            f"the rarer class has under {FEWEST_OF_A_CLASS} participants, too few to recalibrate"
        )
    large, logistic = fit_in_the_large(told, outcome), fit_intercept_and_slope(told, outcome)
    reached: dict[Update, tuple[float, int]] = {
        "none": (_find_log_likelihood(told, outcome), 0),
        "in the large": (large.log_likelihood, 1),
        "intercept and slope": (logistic.log_likelihood, 2),
    }
    reason = ""
    revision = None if features is None else _fit_revision(told, outcome, features, rarer)
    if revision is None:
        reason = "no features were given"
    elif isinstance(revision, str):
        reason = revision
    else:
        reached["refit"] = revision
    largest = list(reached)[-1]
    tests: list[UpdateTest] = []
    chosen = largest
    for update in list(reached)[:-1]:
        statistic = max(0.0, 2 * (reached[largest][0] - reached[update][0]))
        freedom = reached[largest][1] - reached[update][1]
        p_value = float(chi2.sf(statistic, freedom))
        tests.append(UpdateTest(update, largest, statistic, freedom, p_value))
        if not tests[-1].rejects:
            chosen = update
            break
    return UpdateChoice(chosen, tuple(tests), large, logistic, largest, reason)


def _fit_revision(
    log_odds: Floats, outcome: Floats, features: Floats, rarer: int
) -> tuple[float, int] | str:
    """The log likelihood and coefficients of a revision, or why there is none."""
    design = np.column_stack([np.ones(len(log_odds)), log_odds, features])
    columns = [0, 1]
    for column in range(2, design.shape[1]):
        # The log odds of a linear model are a sum of its features: one of these says nothing new.
        if np.linalg.matrix_rank(design[:, [*columns, column]], tol=1e-6) > len(columns):
            columns.append(column)
    freedom = len(columns)
    if freedom <= 2:
        return "there is no feature beside the model's own prediction"
    if rarer < EVENTS_FOR_EACH * freedom:
        return (
            f"the rarer class has under {EVENTS_FOR_EACH} participants for each of {freedom} "
            "coefficients"
        )
    try:
        fit = _fit(design[:, columns], outcome, np.zeros(len(outcome)))
    except ValueError:
        return "the features separate the classes"
    return fit.log_likelihood, freedom


def _find_log_likelihood(log_odds: Floats, outcome: Floats) -> float:
    return -float(find_losses(log_odds, outcome).sum())


def _fit(design: Floats, outcome: Floats, offset: Floats) -> Maximum:
    """The fit of maximum likelihood; refuses classes that are separated."""
    fit = find_maximum(outcome, design, offset=offset)
    if fit is None:
        raise ValueError("the classes are separated")
    return fit
