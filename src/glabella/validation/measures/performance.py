"""All measures of a candidate, for each design of validation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.validation.folds.sample import Sample
from glabella.validation.measures.calibration_curve import (
    CalibrationCurve,
    fit_calibration_curve,
    make_missing_curve,
)
from glabella.validation.measures.discrimination import count_pairs
from glabella.validation.measures.estimation.attempt import attempt
from glabella.validation.measures.estimation.estimate import Estimate
from glabella.validation.measures.evaluation import DEFAULT_THRESHOLD, Evaluation
from glabella.validation.measures.registry import MEASURES

__all__ = ["Performance"]


@dataclass(frozen=True)
class Performance:
    """The measures of one set of out-of-fold predictions.

    Parameters
    ----------
    n : int
        Participants.
    events : float
        Responders; where outcomes are imputed, their mean number.
    estimates : dict of Estimate
        By measure of `MEASURES`. ``auc`` is the headline: concordance over pairs of the same
        trial, arm and outer fold in the active arms; ``auc_control`` is its mirror in the control
        arms; ``auc_all`` pairs all arms and trials of an outer fold.
    pairs, pairs_control : int
        Pairs behind ``auc`` and ``auc_control``, in one repetition.
    threshold : float
        Of ``sensitivity``, ``specificity``, ``ppv`` and ``npv``.
    """

    n: int
    events: float
    estimates: dict[str, Estimate]
    pairs: int
    pairs_control: int
    threshold: float = DEFAULT_THRESHOLD


@dataclass(frozen=True)
class GroupPerformance:
    """The measures for one trial or site.

    Parameters
    ----------
    group : str
        Its name.
    performance : Performance
        Its measures.
    """

    group: str
    performance: Performance


def measure_performance(
    predictions: pd.DataFrame, sample: Sample, *, threshold: float = DEFAULT_THRESHOLD
) -> Performance:
    """Compute every measure; if outcomes are imputed, pool it by Rubin's rules.

    Parameters
    ----------
    predictions : DataFrame
        Rows of `collect_predictions` of one candidate and design.
    sample : Sample
        The participants.
    threshold : float
        Predictions at or above it say response, for sensitivity and its like.

    Returns
    -------
    Performance
        With intervals, or reasons.
    """
    evaluation = match_predictions(predictions, sample, threshold=threshold)
    participants = np.unique(predictions["row"].to_numpy())
    events = [int(each[participants].sum()) for each in sample.outcomes.astype(bool)]
    return Performance(
        n=len(participants),
        events=events[0] if len(events) == 1 else float(np.mean(events)),
        estimates={name: measure.measure(evaluation) for name, measure in MEASURES.items()},
        pairs=_average_pairs(evaluation, evaluation.active),
        pairs_control=_average_pairs(evaluation, ~evaluation.active) if sample.has_arms else 0,
        threshold=threshold,
    )


def match_predictions(
    predictions: pd.DataFrame, sample: Sample, *, threshold: float = DEFAULT_THRESHOLD
) -> Evaluation:
    """Put the predictions of one candidate and design beside the outcomes.

    Parameters
    ----------
    predictions : DataFrame
        Rows of `collect_predictions`.
    sample : Sample
        The participants.
    threshold : float
        As in `measure_performance`.

    Returns
    -------
    Evaluation
        In the order of the rows.
    """
    rows = predictions["row"].to_numpy()
    fold = _number(predictions, "repeat", "fold", "group")
    cells = pd.factorize(sample.strata[rows])[0]
    return Evaluation(
        outcomes=sample.outcomes[:, rows].astype(bool),
        probability=predictions["probability"].to_numpy(dtype=float),
        who=pd.factorize(sample.people[rows])[0],
        active=sample.active[rows],
        fold=fold,
        stratum=fold * (cells.max(initial=0) + 1) + cells,
        # A trial validated inside is ranked by itself, whatever the number of its repetition.
        repetition=_number(predictions, "repeat", "group"),
        repeats=int(predictions["repeat"].nunique()),
        has_arms=sample.has_arms,
        threshold=threshold,
    )


def _average_pairs(evaluation: Evaluation, among: npt.NDArray[np.bool_]) -> int:
    return round(float(np.mean([count_pairs(one, among) for one in evaluation.split()])))


def fit_curve(predictions: pd.DataFrame, sample: Sample) -> CalibrationCurve:
    """Fit the calibration curve of the out-of-fold predictions in the active arms.

    Parameters
    ----------
    predictions : DataFrame
        Rows of `collect_predictions` of one candidate and design.
    sample : Sample
        The participants.

    Returns
    -------
    CalibrationCurve
        Of all repetitions together, with participants as clusters; without points and with the
        reason where it could not be computed.
    """
    predictions = predictions[sample.active[predictions["row"].to_numpy()]]
    rows = predictions["row"].to_numpy()
    return attempt(
        lambda: fit_calibration_curve(
            sample.outcomes[:, rows],
            predictions["probability"].to_numpy(dtype=float),
            participant=sample.people[rows],
        ),
        lambda failure: make_missing_curve(failure.words),
    )


def _number(predictions: pd.DataFrame, *columns: str) -> npt.NDArray[np.int_]:
    """Number the combinations of some columns in order of first appearance."""
    numbers = np.zeros(len(predictions), dtype=int)
    for column in columns:
        codes, levels = pd.factorize(predictions[column])
        numbers = numbers * (len(levels) + 1) + codes
    return np.asarray(pd.factorize(numbers)[0], dtype=int)


def measure_by_group(
    predictions: pd.DataFrame, sample: Sample, *, threshold: float = DEFAULT_THRESHOLD
) -> tuple[GroupPerformance, ...]:
    """Compute every measure for each trial or site.

    Parameters
    ----------
    predictions : DataFrame
        Rows of `collect_predictions` of one candidate and design.
    sample : Sample
        The participants.
    threshold : float
        As in `measure_performance`.

    Returns
    -------
    tuple of GroupPerformance
        In order of first appearance.
    """
    return tuple(
        GroupPerformance(str(group), measure_performance(part, sample, threshold=threshold))
        for group, part in predictions.groupby("group", sort=False)
    )


def measure_by_arm(
    predictions: pd.DataFrame, sample: Sample, *, threshold: float = DEFAULT_THRESHOLD
) -> tuple[GroupPerformance, ...]:
    """Compute every measure within each arm.

    Parameters
    ----------
    predictions : DataFrame
        Rows of `collect_predictions` of one candidate and design.
    sample : Sample
        The participants.
    threshold : float
        As in `measure_performance`.

    Returns
    -------
    tuple of GroupPerformance
        Active arms first, then in order of first appearance; empty where there are no arms.
        ``auc`` is the concordance within the arm, whatever its role.
    """
    if not sample.has_arms:
        return ()
    arm = sample.arm[predictions["row"].to_numpy()]
    names = dict.fromkeys([*sample.arm[sample.active], *sample.arm])
    within = replace(sample, active=np.ones(sample.n, dtype=bool))
    return tuple(
        GroupPerformance(
            str(name), measure_performance(predictions[arm == name], within, threshold=threshold)
        )
        for name in names
    )
