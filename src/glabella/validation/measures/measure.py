"""A measure as one value: its words, how it is computed, and how it is shown and pooled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import Literal

from glabella.validation.measures.estimation.attempt import attempt_estimate
from glabella.validation.measures.estimation.estimate import Estimate, make_missing_estimate
from glabella.validation.measures.estimation.rubin import pool_estimates
from glabella.validation.measures.evaluation import Evaluation, Floats

__all__ = ["Measure", "Tier"]


class Tier(IntEnum):
    """How prominent a measure is: a table shows those of its tier and of those before it."""

    BRIEF = 1
    """In every table, also where there is place for a handful: of rehearsals."""
    TABLE = 2
    """Where candidates or runs are listed beside each other, also on a terminal."""
    PAGE = 3
    """In the first table of a page."""
    FURTHER = 4
    """Among the further measures of a page, in the JSON and in the store of runs."""


@dataclass(frozen=True)
class Measure:
    """A measure of predictions.

    Parameters
    ----------
    name : str
        Its key in JSON, tables and the store of runs.
    label : str
        What pages call it.
    estimates : str
        What it estimates, in a sentence, with its ideal and its chance value.
    reference : str
        Where the method is published.
    compute : callable
        Gives the estimate, with participants as the unit, of an `Evaluation` of one completed set
        of outcomes in which both classes have at least five participants.
    family : str
        Measures of one family are on one page of the reference.
    tier : Tier
        How prominent it is.
    digits : int
        Decimals that a page shows.
    null : float or None
        Its value if predictions say nothing; None if that depends on the participants.
    ideal : float or None
        Its value if predictions are perfect, or perfectly calibrated; None if there is none.
    better : str or None
        ``higher`` or ``lower``; None if the ideal is in the middle, or it depends.
    pooled_on : str or None
        The scale of its standard error, on which trials are pooled; None if a mean over trials is
        of nothing, as of a sensitivity at one threshold.
    weighed_by : str or None
        If it is, over several trials, the mean of what it is in each, what a trial counts by:
        ``participants``, or ``active pairs`` or ``control pairs`` of a responder and another.
    needs_threshold : bool
        Whether it depends on the threshold of the analysis.
    needs_control : bool
        Whether it is of the control arm.
    is_within_arm : bool
        Whether it is shown of one arm by itself.
    takes_all_sets : bool
        Whether `compute` takes all completed sets of imputed outcomes together, for a measure that
        Rubin's rules can't pool, such as a distance without a sign.
    compare : callable or None
        Gives what predictions gain over others of the same participants, above 0 if they are
        better; None if candidates are not compared by it.
    noun : str
        What a sentence calls a gain in it; needed if it is compared.
    """

    name: str
    label: str
    estimates: str
    reference: str
    compute: Callable[[Evaluation], Estimate]
    family: Literal["discrimination", "overall", "calibration", "threshold"]
    tier: Tier = Tier.FURTHER
    digits: int = 2
    null: float | None = None
    ideal: float | None = None
    better: Literal["higher", "lower"] | None = None
    pooled_on: Literal["identity", "logit", "log"] | None = None
    weighed_by: Literal["participants", "active pairs", "control pairs"] | None = None
    needs_threshold: bool = False
    needs_control: bool = False
    is_within_arm: bool = True
    takes_all_sets: bool = False
    compare: Callable[[Evaluation, Floats], Estimate] | None = None
    noun: str = ""

    def measure(self, evaluation: Evaluation) -> Estimate:
        """Compute the measure; if outcomes are imputed, pool it by Rubin's rules.

        Parameters
        ----------
        evaluation : Evaluation
            Predictions and outcomes.

        Returns
        -------
        Estimate
            Null with a reason if a class has under five participants, or it can't be computed.
        """
        if self.takes_all_sets:
            return self._attempt(evaluation)
        each = [self._attempt(one) for one in evaluation.split()]
        units = int(evaluation.who.max(initial=-1)) + 1
        return attempt_estimate(lambda: pool_estimates(each, units=units))

    def measure_gain(self, evaluation: Evaluation, reference: Floats) -> Estimate:
        """Compute what predictions gain over others; pooled as the measure itself.

        Parameters
        ----------
        evaluation : Evaluation
            Predictions and outcomes.
        reference : array of float, shape (n_predictions,)
            The other predictions, of the same participants in the same folds.

        Returns
        -------
        Estimate
            Above 0 if better; null with a reason if it can't be computed.
        """
        compare = self.compare
        if compare is None:
            return make_missing_estimate("candidates are not compared by it")
        each = [attempt_estimate(partial(compare, one, reference)) for one in evaluation.split()]
        units = int(evaluation.who.max(initial=-1)) + 1
        return attempt_estimate(lambda: pool_estimates(each, units=units))

    def _attempt(self, evaluation: Evaluation) -> Estimate:
        def compute() -> Estimate:
            if self.needs_control and not evaluation.has_arms:
                return make_missing_estimate("the analysis has no control arm")
            few = evaluation.compute_once(Evaluation.explain_few)
            return self.compute(evaluation) if few is None else make_missing_estimate(few)

        return attempt_estimate(compute)
