"""The measures, in the order in which they are shown: what is listed here is everywhere."""

from __future__ import annotations

import numpy.typing as npt

from glabella.validation.measures.average_precision import AVERAGE_PRECISION
from glabella.validation.measures.calibration import (
    CALIBRATION_INTERCEPT,
    CALIBRATION_INTERCEPT_ALL,
    CALIBRATION_SLOPE,
    CALIBRATION_SLOPE_ALL,
    OBSERVED_EXPECTED,
)
from glabella.validation.measures.calibration_curve import ICI
from glabella.validation.measures.classification import NPV, PPV, SENSITIVITY, SPECIFICITY
from glabella.validation.measures.discrimination import AUC, AUC_ALL, AUC_CONTROL
from glabella.validation.measures.estimation.estimate import Estimate
from glabella.validation.measures.evaluation import DEFAULT_THRESHOLD, make_evaluation
from glabella.validation.measures.measure import Measure, Tier
from glabella.validation.measures.overall import BRIER, LOG_LOSS, SCALED_BRIER

__all__ = ["compute_measure", "list_measures"]

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        AUC,
        AUC_CONTROL,
        AUC_ALL,
        LOG_LOSS,
        BRIER,
        CALIBRATION_SLOPE,
        CALIBRATION_INTERCEPT,
        CALIBRATION_SLOPE_ALL,
        CALIBRATION_INTERCEPT_ALL,
        AVERAGE_PRECISION,
        SCALED_BRIER,
        OBSERVED_EXPECTED,
        ICI,
        SENSITIVITY,
        SPECIFICITY,
        PPV,
        NPV,
    )
}


def list_measures(tier: Tier) -> tuple[str, ...]:
    """List the measures that a table shows.

    Parameters
    ----------
    tier : Tier
        The last one that it has place for.

    Returns
    -------
    tuple of str
        Their names, in order.

    Examples
    --------
    >>> list_measures(Tier.BRIEF)
    ('auc', 'log_loss', 'brier', 'calibration_slope')
    """
    return tuple(name for name, measure in MEASURES.items() if measure.tier <= tier)


def compute_measure(
    name: str,
    responded: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    participant: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    repetition: npt.ArrayLike | None = None,
    threshold: float = DEFAULT_THRESHOLD,
) -> Estimate:
    """Compute one measure of predictions, with participants as the unit.

    Parameters
    ----------
    name : str
        A measure's name, such as ``brier``.
    responded : array of bool, shape (n_predictions,)
        The outcome.
    probability : array of float, shape (n_predictions,)
        The prediction in [0, 1], made without the participant's own outcome.
    participant : array, shape (n_predictions,)
        Who each prediction is of. A participant has one in each repetition, and one for each
        period of a crossover.
    strata : array, shape (n_predictions,), optional
        For a concordance, trial, arm and outer fold together: only a responder and a non-responder
        of the same stratum form a pair. One stratum by default.
    repetition : array, shape (n_predictions,), optional
        For average precision: predictions of two repetitions are not ranked together. One
        repetition by default.
    threshold : float
        A prediction at or above it says response, for sensitivity, specificity and predictive
        values.

    Returns
    -------
    Estimate
        With a 95 % interval, or with the reason why there is none; null if a class has under five
        participants.

    Raises
    ------
    ValueError
        If there is no measure of this name.

    Examples
    --------
    >>> responded, probability = [1] * 5 + [0] * 5, [0.8] * 5 + [0.2] * 5
    >>> round(compute_measure(
    ...     "scaled_brier", responded, probability, participant=range(10)).value, 10)
    0.84
    >>> compute_measure(
    ...     "sensitivity", [1] * 10 + [0] * 5, [0.9, 0.7, 0.5, 0.4, 0.8] * 2 + [0.1] * 5,
    ...     participant=range(15)).value
    0.8
    >>> ratio = compute_measure(
    ...     "observed_expected", [1] * 6 + [0] * 6, [0.5, 0.3] * 6, participant=range(12))
    >>> round(ratio.value, 4)
    1.25
    >>> precision = compute_measure(
    ...     "average_precision", [1, 1, 1, 1, 0, 1, 0, 0, 0, 0], [*range(10, 0, -1)],
    ...     participant=range(10))
    >>> round(precision.value, 4)
    0.9667
    """
    if name not in MEASURES:
        raise ValueError(f"there is no measure '{name}'; there are {', '.join(MEASURES)}")
    evaluation = make_evaluation(
        responded,
        probability,
        participant=participant,
        strata=strata,
        repetition=repetition,
        threshold=threshold,
    )
    return MEASURES[name].measure(evaluation)
