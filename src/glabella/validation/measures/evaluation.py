"""What a measure is computed of: held-out predictions beside their outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Evaluation"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int_]
Result = TypeVar("Result")

FEWEST_OF_A_CLASS = 5
# Likelier to respond than not, which needs no view of what a false hope costs.
DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Held-out predictions, with what is known of those who were predicted.

    Parameters
    ----------
    outcomes : array of bool, shape (n_sets, n_predictions)
        Who responded: one row, or one for each completed set if outcomes are imputed.
    probability : array of float, shape (n_predictions,)
        The prediction in [0, 1].
    who : array of int, shape (n_predictions,)
        The participant of each prediction, numbered from 0 without gaps. A participant has one in
        each repetition, and one for each period of a crossover.
    active : array of bool, shape (n_predictions,)
        Whether in an active arm; all are if there are no arms.
    fold : array of int, shape (n_predictions,)
        The outer fold, of one repetition and group.
    stratum : array of int, shape (n_predictions,)
        Trial, cohort, arm and outer fold together.
    repetition : array of int, shape (n_predictions,)
        Predictions of the same repetition and group.
    repeats : int
        How many repetitions.
    has_arms : bool
        Whether there is a control arm.
    threshold : float
        A prediction at or above it says response.
    """

    outcomes: Bools
    probability: Floats
    who: Ints
    active: Bools
    fold: Ints
    stratum: Ints
    repetition: Ints
    repeats: int = 1
    has_arms: bool = True
    threshold: float = DEFAULT_THRESHOLD
    _known: dict[Callable[..., Any], Any] = field(default_factory=dict, repr=False)

    @property
    def outcome(self) -> Bools:
        """Who responded, in the only completed set."""
        [outcome] = self.outcomes
        return cast(Bools, outcome)

    def split(self) -> tuple[Evaluation, ...]:
        """Give each completed set by itself."""
        if len(self.outcomes) == 1:
            return (self,)
        return tuple(replace(self, outcomes=each[None], _known={}) for each in self.outcomes)

    def select_active(self) -> Evaluation:
        """Select the predictions of participants in an active arm."""
        if self.active.all():
            return self
        kept = self.active
        return replace(
            self,
            outcomes=self.outcomes[:, kept],
            probability=self.probability[kept],
            who=pd.factorize(self.who[kept])[0],
            active=kept[kept],
            fold=self.fold[kept],
            stratum=self.stratum[kept],
            repetition=self.repetition[kept],
            _known={},
        )

    def compute_once(self, compute: Callable[[Evaluation], Result]) -> Result:
        """Compute once what several measures are taken from."""
        if compute not in self._known:
            self._known[compute] = compute(self)
        return cast(Result, self._known[compute])

    def explain_few(self) -> str | None:
        """Say that a class has too few participants in some completed set, if so."""
        reasons = (explain_few(outcome, self.who) for outcome in self.outcomes)
        return next((reason for reason in reasons if reason is not None), None)


def make_evaluation(
    responded: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    participant: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    repetition: npt.ArrayLike | None = None,
    threshold: float = DEFAULT_THRESHOLD,
) -> Evaluation:
    """Make an evaluation of participants of one arm.

    Parameters
    ----------
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability : array of float, shape (n_predictions,)
        The prediction in [0, 1].
    participant : array, shape (n_predictions,)
        Who each prediction is of.
    strata : array, shape (n_predictions,), optional
        Only a responder and a non-responder of the same stratum form a pair; one stratum by
        default.
    repetition : array, shape (n_predictions,), optional
        Predictions of two repetitions are not ranked together; one repetition by default.
    threshold : float
        A prediction at or above it says response.

    Returns
    -------
    Evaluation
        Without a control arm.
    """
    outcome = np.asarray(responded, dtype=bool)
    nought = np.zeros(len(outcome), dtype=int)
    stratum = nought if strata is None else pd.factorize(np.asarray(strata))[0]
    return Evaluation(
        outcome[None],
        np.asarray(probability, dtype=float),
        pd.factorize(np.asarray(participant))[0],
        np.ones(len(outcome), dtype=bool),
        fold=stratum,
        stratum=stratum,
        repetition=nought if repetition is None else pd.factorize(np.asarray(repetition))[0],
        has_arms=False,
        threshold=threshold,
    )


def explain_few(outcome: Bools, who: Ints) -> str | None:
    """Say that a class has too few participants for a figure.

    Parameters
    ----------
    outcome : array of bool, shape (n_predictions,)
        The outcome.
    who : array of int, shape (n_predictions,)
        The participant.

    Returns
    -------
    str or None
        The reason, which goes into a bundle and a store, so without the counts; None where both
        classes have at least five.
    """
    responders = len(np.unique(who[outcome]))
    others = len(np.unique(who[~outcome]))
    if min(responders, others) >= FEWEST_OF_A_CLASS:
        return None
    return f"under {FEWEST_OF_A_CLASS} of a class"
