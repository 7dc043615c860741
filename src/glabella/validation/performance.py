"""All measures of a candidate, for each design of validation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.validation.calibration import compute_calibration
from glabella.validation.intervals import Estimate, not_estimable
from glabella.validation.metrics import (
    compute_brier_score,
    compute_concordance,
    compute_log_loss,
)
from glabella.validation.rubin import pool_estimates
from glabella.validation.sample import Sample

MEASURES = (
    "auc",
    "auc_control",
    "auc_all",
    "brier",
    "log_loss",
    "calibration_slope",
    "calibration_intercept",
)


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
        By measure, as in `MEASURES`. ``auc`` is the headline: concordance over pairs of the same
        trial, arm and outer fold in the active arms; ``auc_control`` is its mirror in the control
        arms; ``auc_all`` pairs all arms and trials of an outer fold.
    pairs, pairs_control : int
        Pairs behind ``auc`` and ``auc_control``, in one repetition.
    """

    n: int
    events: float
    estimates: dict[str, Estimate]
    pairs: int
    pairs_control: int


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


def measure_performance(predictions: pd.DataFrame, sample: Sample) -> Performance:
    """Compute every measure; where outcomes are imputed, pool it by Rubin's rules.

    Parameters
    ----------
    predictions : DataFrame
        Rows of `collect_predictions` of one candidate and design.
    sample : Sample
        The participants.

    Returns
    -------
    Performance
        With intervals, or reasons.
    """
    each = [
        _measure_completed(predictions, sample, outcomes.astype(bool))
        for outcomes in sample.outcomes
    ]
    if len(each) == 1:
        return each[0]
    units = len(np.unique(sample.people[predictions["row"].to_numpy()]))
    return Performance(
        n=each[0].n,
        events=float(np.mean([one.events for one in each])),
        estimates={
            name: pool_estimates([one.estimates[name] for one in each], units=units)
            for name in MEASURES
        },
        pairs=round(float(np.mean([one.pairs for one in each]))),
        pairs_control=round(float(np.mean([one.pairs_control for one in each]))),
    )


def _measure_completed(
    predictions: pd.DataFrame, sample: Sample, outcomes: npt.NDArray[np.bool_]
) -> Performance:
    rows = predictions["row"].to_numpy()
    person = sample.people[rows]
    outcome = outcomes[rows]
    probability = predictions["probability"].to_numpy(dtype=float)
    repeats = int(predictions["repeat"].nunique())
    outer = predictions.groupby(["repeat", "fold", "group"], sort=False).ngroup().to_numpy()
    cells = pd.factorize(sample.strata[rows])[0]
    within = outer * (cells.max() + 1) + cells
    active = sample.active[rows]

    def concordance(mask: np.ndarray, strata: np.ndarray) -> tuple[Estimate, int]:
        return compute_concordance(
            outcome[mask],
            probability[mask],
            strata=strata[mask],
            participant=person[mask],
            repeats=repeats,
        )

    headline, pairs = concordance(active, within)
    mirror, pairs_control = (
        concordance(~active, within)
        if sample.has_arms
        else (not_estimable("the analysis has no control arm"), 0)
    )
    calibration = compute_calibration(outcome, probability, participant=person)
    participants = np.unique(rows)
    return Performance(
        n=len(participants),
        events=int(outcomes[participants].sum()),
        estimates={
            "auc": headline,
            "auc_control": mirror,
            "auc_all": concordance(np.ones(len(rows), dtype=bool), outer)[0],
            "brier": compute_brier_score(outcome, probability, participant=person),
            "log_loss": compute_log_loss(outcome, probability, participant=person),
            "calibration_slope": calibration.slope,
            "calibration_intercept": calibration.intercept,
        },
        pairs=pairs,
        pairs_control=pairs_control,
    )


def measure_by_group(predictions: pd.DataFrame, sample: Sample) -> tuple[GroupPerformance, ...]:
    """Compute every measure for each trial or site.

    Parameters
    ----------
    predictions : DataFrame
        Rows of `collect_predictions` of one candidate and design.
    sample : Sample
        The participants.

    Returns
    -------
    tuple of GroupPerformance
        In order of first appearance.
    """
    return tuple(
        GroupPerformance(str(group), measure_performance(part, sample))
        for group, part in predictions.groupby("group", sort=False)
    )
