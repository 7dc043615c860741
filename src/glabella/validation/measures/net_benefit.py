"""Decision curves: what acting on a prediction is worth, in responders per participant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.validation.folds.sample import Sample
from glabella.validation.measures.estimation.estimate import (
    Estimate,
    compute_error_of_sum,
    estimate_mean,
)
from glabella.validation.measures.estimation.rubin import pool_estimates
from glabella.validation.measures.evaluation import explain_few

__all__ = ["compute_net_benefit"]

Floats = npt.NDArray[np.float64]

THRESHOLDS = tuple(percent / 100 for percent in range(1, 100))


@dataclass(frozen=True)
class NetBenefitPoint:
    """Net benefit at one threshold, in true positives per participant.

    Parameters
    ----------
    threshold : float
        The probability of response from which one would treat.
    model : Estimate
        Treating who reaches it.
    treat_all : Estimate
        Treating everybody; treating nobody gives 0.
    gain : Estimate
        The model's, less the better of treating all and none; above 0 the model is worth using.
    """

    threshold: float
    model: Estimate
    treat_all: Estimate
    gain: Estimate


@dataclass(frozen=True)
class NetBenefitCurve:
    """Net benefit over thresholds.

    Parameters
    ----------
    points : tuple of NetBenefitPoint
        In order of threshold; empty where there is no curve.
    n : int
        Participants.
    events : float
        Responders; where outcomes are imputed, their mean number.
    reason : str or None
        Why there is no curve.
    """

    points: tuple[NetBenefitPoint, ...]
    n: int
    events: float
    reason: str | None = None

    def frame(self) -> pd.DataFrame:
        """Tabulate the curve.

        Returns
        -------
        DataFrame
            A row a threshold: ``threshold``, and ``model``, ``treat_all`` and ``gain``, each with
            ``_low`` and ``_high``; missing where there is no interval.
        """
        names = ("model", "treat_all", "gain")
        rows = []
        for point in self.points:
            row: dict[str, float | None] = {"threshold": point.threshold}
            for name in names:
                row |= getattr(point, name).as_columns(name)
            rows.append(row)
        columns = [f"{name}{bound}" for name in names for bound in ("", "_low", "_high")]
        return pd.DataFrame(rows, columns=["threshold", *columns], dtype=float)


def compute_net_benefit(
    responded: npt.ArrayLike, probability: npt.ArrayLike, *, threshold: float
) -> float:
    """Net true positives per participant when acting from a threshold on.

    Parameters
    ----------
    responded : array of bool, shape (n_participants,)
        Observed response; no missing values.
    probability : array of float, shape (n_participants,)
        Predicted probability of response in [0, 1]; same order. Higher means likelier.
    threshold : float
        Probability from which one would act, inside (0, 1).

    Returns
    -------
    float
        True less false positives per participant, the false weighted by
        ``threshold / (1 - threshold)``; acting on nobody gives 0.

    Raises
    ------
    ValueError
        If the arrays are empty or differ in length, or ``threshold`` is not inside (0, 1).

    References
    ----------
    .. [1] Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating prediction
       models. Med Decis Making 2006;26:565-574.

    Examples
    --------
    >>> compute_net_benefit([True, False, False, True], [0.8, 0.6, 0.1, 0.3], threshold=0.2)
    0.4375
    """
    outcome = np.asarray(responded, dtype=bool)
    predicted = np.asarray(probability, dtype=float)
    if outcome.shape != predicted.shape or not outcome.size:
        raise ValueError("`responded` and `probability` are of the same people, at least one")
    if not 0.0 < threshold < 1.0:
        raise ValueError(f"a threshold lies inside (0, 1), and {threshold:g} does not")
    return float((_compute_worth(outcome, threshold) * (predicted >= threshold)).mean())


def measure_net_benefit(
    predictions: pd.DataFrame, sample: Sample, *, thresholds: Sequence[float] = THRESHOLDS
) -> NetBenefitCurve:
    """Compute net benefit over thresholds within the active arm, with a pointwise band.

    Parameters
    ----------
    predictions : DataFrame
        Rows of `collect_predictions` of one candidate and design.
    sample : Sample
        The participants; those of the active arms count, and all where there are no arms.
    thresholds : sequence of float
        Inside (0, 1).

    Returns
    -------
    NetBenefitCurve
        With 95 % intervals that take participants as the unit and which of treating all and none
        is better as known; without one where a rule treats everybody or nobody by the same rule.
        Without points and with a reason where the active arm has under five of a class.

    Raises
    ------
    ValueError
        If a threshold is not inside (0, 1).

    References
    ----------
    .. [1] Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating prediction
       models. Med Decis Making 2006;26:565-574.
    .. [2] Sande SZ, Li J, D'Agostino R, Yin Wong T, Cheng CY. Statistical inference for decision
       curve analysis, with applications to cataract diagnosis. Stat Med 2020;39:2980-3002.
    """
    for threshold in thresholds:
        if not 0.0 < threshold < 1.0:
            raise ValueError(f"a threshold lies inside (0, 1), and {threshold:g} does not")
    mine = predictions[sample.active[predictions["row"].to_numpy()]]
    rows = mine["row"].to_numpy()
    members = np.unique(rows)
    events = sample.count_events(members)
    who = pd.factorize(sample.people[rows])[0]
    outcomes = sample.outcomes[:, rows].astype(bool)
    for outcome in outcomes:
        few = explain_few(outcome, who)
        if few:
            return NetBenefitCurve((), len(members), events, few)
    probability = mine["probability"].to_numpy(dtype=float)
    units = int(who.max()) + 1

    def measure(threshold: float) -> NetBenefitPoint:
        each = [_measure_point(outcome, probability, threshold, who) for outcome in outcomes]
        model, treat_all, gain = (
            pool_estimates([getattr(point, name) for point in each], units=units)
            for name in ("model", "treat_all", "gain")
        )
        return NetBenefitPoint(threshold, model, treat_all, gain)

    return NetBenefitCurve(tuple(measure(each) for each in thresholds), len(members), events)


def _compute_worth(outcome: npt.NDArray[np.bool_], threshold: float) -> Floats:
    """Give what acting on each is worth: 1 for a responder, a cost for another."""
    return np.where(outcome, 1.0, -threshold / (1.0 - threshold))


def _measure_point(
    outcome: npt.NDArray[np.bool_],
    probability: Floats,
    threshold: float,
    who: npt.NDArray[np.int_],
) -> NetBenefitPoint:
    everybody = _compute_worth(outcome, threshold)
    model = everybody * (probability >= threshold)
    cost = threshold / (1.0 - threshold)
    if everybody.mean() > 0:
        gain = _average(model - everybody, who, lowest=-1.0, highest=cost)
    else:
        gain = _average(model, who, lowest=-cost, highest=1.0)
    return NetBenefitPoint(
        threshold,
        _average(model, who, lowest=-cost, highest=1.0),
        _average(everybody, who, lowest=-cost, highest=1.0),
        gain,
    )


def _average(
    values: Floats, who: npt.NDArray[np.int_], *, lowest: float, highest: float
) -> Estimate:
    if not values.any():
        return Estimate(0.0, reason="both rules treat the same participants")
    value = float(values.mean())
    influence = np.bincount(who, weights=values - value) / len(values)
    error = compute_error_of_sum(influence)
    return estimate_mean(value, error, lowest=lowest, highest=highest)
