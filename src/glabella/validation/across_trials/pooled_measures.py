"""What a candidate's figures in each trial left out say of a new trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from glabella.validation.across_trials.meta_analysis import PooledMeasure, pool_trials
from glabella.validation.measures.estimation.attempt import attempt
from glabella.validation.measures.estimation.estimate import make_missing_estimate
from glabella.validation.measures.performance import GroupPerformance, Performance
from glabella.validation.measures.registry import MEASURES


@dataclass(frozen=True)
class Gaps:
    """The headline concordance under one design less that with each trial left out.

    Parameters
    ----------
    pooled, inside : float or None
        Of pooled cross-validation, and of cross-validation inside trials (their random-effects
        mean): what is lost on the way to a new trial. None where one of the two is not known.
    """

    pooled: float | None
    inside: float | None


def pool_groups(groups: Sequence[GroupPerformance]) -> dict[str, PooledMeasure]:
    """Pool each measure over trials or sites."""
    return {
        measure: attempt(
            partial(
                pool_trials,
                [(group.group, group.performance.estimates[measure]) for group in groups],
            ),
            lambda failure: PooledMeasure(make_missing_estimate(failure.words), (), {}),
        )
        for measure, described in MEASURES.items()
        if described.pooled_on is not None
    }


def find_gaps(
    pooled: Performance | None,
    inside: Sequence[GroupPerformance] | None,
    groups: Sequence[GroupPerformance],
) -> Gaps:
    """Find what is lost on the way to a new trial.

    Returns
    -------
    Gaps
        Above 0 where a new trial is worse; all three as means over the trials that have a figure,
        the first over pairs.
    """
    left_out = pool_groups(groups)["auc"].estimate.value

    def subtract(value: float | None) -> float | None:
        return None if value is None or left_out is None else value - left_out

    return Gaps(
        pooled=subtract(None if pooled is None else pooled.estimates["auc"].value),
        inside=subtract(pool_groups(inside)["auc"].estimate.value if inside else None),
    )


def describe_pooled(pooled: PooledMeasure) -> dict[str, Any]:
    """Give a pooled measure as plain values.

    Returns
    -------
    dict
        Value, interval, the same by Hartung and Knapp, heterogeneity, and a list of predictions;
        what is not known is None.
    """
    return {
        **pooled.estimate.as_json(),
        "hartung_knapp": pooled.hartung_knapp.as_json(),
        "trials": list(pooled.trials),
        "left_out": pooled.left_out,
        "scale": pooled.scale,
        "tau2": pooled.tau2,
        "tau2_low": pooled.tau2_low,
        "tau2_high": pooled.tau2_high,
        "i2": pooled.i2,
        "q": pooled.q,
        "q_p": pooled.q_p,
        "predictions": [
            {"low": item.low, "high": item.high, "method": item.method}
            for item in pooled.predictions
        ],
    }
