"""What repeated use of a procedure with known truth shows: bias, coverage, width, error, power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.validation.measures.estimation.estimate import LEVEL
from glabella.validation.measures.registry import MEASURES

Floats = npt.NDArray[np.float64]

# Of the error of a coverage whose truth is itself estimated.
_SEED_OF_ERRORS, _DRAWS_OF_ERRORS = 20261128, 100


@dataclass(frozen=True)
class Proportion:
    """A share of repeats with its Monte Carlo error.

    Parameters
    ----------
    value : float or None
        In [0, 1]; None where there is no repeat.
    error : float or None
        Its standard error.
    repeats : int
        How many were counted.
    """

    value: float | None
    error: float | None
    repeats: int

    def is_compatible(self, low: float, high: float) -> bool:
        """Say whether it lies within two of its standard errors of a range.

        Examples
        --------
        >>> Proportion(0.92, 0.006, 2000).is_compatible(0.93, 0.97)
        True
        """
        if self.value is None or self.error is None:
            return False
        return bool(low - 2 * self.error <= self.value <= high + 2 * self.error)


def count_share(held: npt.ArrayLike) -> Proportion:
    """Count the share of repeats in which something held.

    Returns
    -------
    Proportion
        With a standard error that does not vanish where all or none did: that of Agresti and
        Coull's proportion, two added to each side.

    References
    ----------
    .. [1] Agresti A, Coull BA. Approximate is better than "exact" for interval estimation of
       binomial proportions. Am Stat 1998;52:119-126.

    Examples
    --------
    >>> found = count_share([True, True, False, True])
    >>> found.value, round(found.error, 3), found.repeats
    (0.75, 0.171, 4)
    """
    flags = np.asarray(held, dtype=bool)
    n = len(flags)
    if n == 0:
        return Proportion(None, None, 0)
    nudged = (flags.sum() + 2.0) / (n + 4.0)
    error = float(np.sqrt(nudged * (1.0 - nudged) / (n + 4.0)))
    return Proportion(float(flags.mean()), error, n)


@dataclass(frozen=True)
class Repeated:
    """What repeats say of one figure.

    Parameters
    ----------
    repeats : int
        Those in which it was estimated.
    not_estimated : int
        Those in which it was not.
    truth, truth_error : float or None
        The expected value and its Monte Carlo error.
    truth_sd : float or None
        How much that which an interval must hold differs between repeats: the expected value in
        these trials, or a new trial's own; 0 where it is the same for all.
    mean : float or None
        Of the estimates.
    bias, bias_error : float or None
        Mean estimate less truth.
    sd : float or None
        Standard deviation of the estimates over repeats.
    rmse : float or None
        Root mean squared error of the estimates.
    width : float or None
        Mean width of the interval.
    coverage : Proportion
        Of the truth: the expected value, or of a prediction interval the new trial's own.
    power : Proportion
        The share of intervals that lie above what is no better than nothing; without repeats for
        a measure that has no such value.
    worse : Proportion
        The share of those that lie below it.
    """

    repeats: int
    not_estimated: int
    truth: float | None
    truth_error: float | None
    truth_sd: float | None
    mean: float | None
    bias: float | None
    bias_error: float | None
    sd: float | None
    rmse: float | None
    width: float | None
    coverage: Proportion
    power: Proportion
    worse: Proportion


def summarise_repeats(
    *,
    value: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    truth: npt.ArrayLike,
    again: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    is_prediction: bool = False,
    null_value: float | None = None,
) -> Repeated:
    """Summarise one figure over repeats.

    References
    ----------
    .. [1] Morris TP, White IR, Crowther MJ. Using simulation studies to evaluate statistical
       methods. Stat Med 2019;38:2074-2102.

    Examples
    --------
    >>> found = summarise_repeats(value=[0.6, 0.7], low=[0.5, 0.64], high=[0.7, 0.8],
    ...     truth=[0.6, 0.64], null_value=0.5)
    >>> round(found.bias, 3), found.coverage.value, found.power.value
    (0.03, 0.5, 0.5)
    """
    estimates, lows, highs, truths = (
        np.asarray(item, dtype=float) for item in (value, low, high, truth)
    )
    weights = np.ones(len(truths)) if weight is None else np.asarray(weight, dtype=float)
    truths = np.where(weights > 0.0, truths, np.nan)
    second = None if again is None else np.asarray(again, dtype=float)
    if second is not None and np.isnan(second).all():
        second = None
    first, truths = truths, truths if second is None else (truths + second) / 2.0
    expected, error = _average(truths, weights)
    is_known = ~np.isnan(estimates)
    bounded = ~np.isnan(lows) & ~np.isnan(highs)
    if second is not None:
        held, coverage = _judge_own(estimates, lows, highs, first, second)
    else:
        held = truths if is_prediction else np.full(len(truths), _convert_none(expected))
        coverage = count_share(((lows <= held) & (held <= highs))[bounded & ~np.isnan(held)])
    judged = bounded & ~np.isnan(held)
    both = is_known & ~np.isnan(truths)
    bias = bias_error = None
    if expected is not None and is_known.any():
        bias = float(estimates[is_known].mean()) - expected
        if both.sum() > 1:
            # Estimate and truth of a repeat are of the same training, so their errors are not
            # independent; the weighted mean varies by how far each truth is from it.
            moved = weights / weights[both].mean() * (truths - expected)
            bias_error = float((estimates - moved)[both].std(ddof=1) / np.sqrt(both.sum()))
    return Repeated(
        repeats=int(is_known.sum()),
        not_estimated=int((~is_known).sum()),
        truth=expected,
        truth_error=error,
        truth_sd=float(held[judged].std(ddof=1)) if judged.sum() > 1 else None,
        mean=_compute_mean(estimates[is_known]),
        bias=bias,
        bias_error=bias_error,
        sd=float(estimates[is_known].std(ddof=1)) if is_known.sum() > 1 else None,
        rmse=None
        if expected is None or not is_known.any()
        else float(np.sqrt(((estimates[is_known] - expected) ** 2).mean())),
        width=_compute_mean((highs - lows)[bounded]),
        coverage=coverage,
        power=count_share([] if null_value is None else lows[bounded] > null_value),
        worse=count_share([] if null_value is None else highs[bounded] < null_value),
    )


def _judge_own(
    estimates: Floats, lows: Floats, highs: Floats, first: Floats, second: Floats
) -> tuple[Floats, Proportion]:
    """Hold intervals against the expected performance in each repeat's own trials.

    What is known of that depends on all repeats, so the error of the share does too: it is that
    over repeats drawn again, where that is larger than that of a share of so many.
    """
    draw = np.random.default_rng(_SEED_OF_ERRORS)

    def judge(rows: npt.NDArray[np.int_]) -> tuple[Floats, npt.NDArray[np.bool_]]:
        held, unknown = _find_own(first[rows], second[rows])
        judged = ~np.isnan(lows[rows]) & ~np.isnan(highs[rows]) & ~np.isnan(held)
        seen = _correct_distance(held, estimates[rows], judged, unknown)
        return held, ((lows[rows] <= seen) & (seen <= highs[rows]))[judged]

    n = len(estimates)
    held, covered = judge(np.arange(n))
    share = count_share(covered)
    if share.error is None:
        return held, share
    again = [judge(draw.integers(n, size=n))[1] for _ in range(_DRAWS_OF_ERRORS)]
    spread = float(np.std([each.mean() for each in again if len(each)], ddof=1))
    return held, Proportion(share.value, max(share.error, spread), share.repeats)


def _find_own(first: Floats, second: Floats) -> tuple[Floats, float]:
    """Predict the expected performance in each repeat's own trials, from two trainings in each.

    Gives it with the variance that it leaves unexplained.
    """
    mean = (first + second) / 2.0
    is_known = ~np.isnan(mean)
    if is_known.sum() < 2:
        return np.where(is_known, mean, np.nan), 0.0
    total = float(mean[is_known].var(ddof=1))
    # Half the mean squared difference is the variance of one training; that of their mean is half.
    chance = float(((first - second)[is_known] ** 2).mean()) / 4.0
    share = max(total - chance, 0.0) / total if total > 0.0 else 0.0
    centre = float(mean[is_known].mean())
    return centre + share * (mean - centre), share * (1.0 - share) * total


def _correct_distance(
    held: Floats, estimates: Floats, judged: npt.NDArray[np.bool_], unknown: float
) -> Floats:
    """Take what is unknown of the truth out of the variance of its distance from estimates."""
    if unknown <= 0.0 or judged.sum() < 2:
        return held
    distance = estimates - held
    centre, variance = float(distance[judged].mean()), float(distance[judged].var(ddof=1))
    left = np.sqrt(max(1.0 - unknown / variance, 0.0)) if variance > 0.0 else 0.0
    return np.asarray(estimates - (centre + left * (distance - centre)))


def _convert_none(value: float | None) -> float:
    return float("nan") if value is None else value


def _average(values: Floats, weights: Floats) -> tuple[float | None, float | None]:
    is_known = ~np.isnan(values)
    if not is_known.any():
        return None, None
    mine, share = values[is_known], weights[is_known] / weights[is_known].sum()
    mean = float(mine @ share)
    if len(mine) < 2:
        return mean, None
    return mean, float(np.sqrt((share**2 * (mine - mean) ** 2).sum() * len(mine) / (len(mine) - 1)))


def _compute_mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None


def find_null(measure: str) -> float | None:
    """Find what is no better than nothing: an interval that leaves it out says there is more.

    Examples
    --------
    >>> find_null("auc"), find_null("gain_log_loss"), find_null("brier")
    (0.5, 0.0, None)
    """
    if measure.startswith("gain_"):
        return 0.0
    return MEASURES[measure].null if measure in MEASURES else None


FIGURE_KEYS = ("design", "candidate", "kind", "measure")
CLAIM_KEYS = ("claim", "of")


def tabulate_repeats(figures: pd.DataFrame) -> pd.DataFrame:
    """Summarise every figure of a table of repeats.

    Returns
    -------
    DataFrame
        One row a figure, in order of first appearance: the fields of `Repeated`, with those of
        `coverage`, `power` and `worse` as ``coverage``, ``coverage_error`` and so on.
    """
    rows = []
    for keys, part in figures.groupby(list(FIGURE_KEYS), sort=False, observed=True):
        named = dict(zip(FIGURE_KEYS, keys, strict=True))
        found = summarise_repeats(
            value=part["value"],
            low=part["low"],
            high=part["high"],
            truth=part["truth"],
            again=part["again"],
            weight=part["weight"],
            is_prediction=str(named["kind"]).startswith("prediction"),
            null_value=find_null(str(named["measure"])),
        )
        plain = {name: item for name, item in vars(found).items() if name not in _SHARES}
        for name in _SHARES:
            share: Proportion = getattr(found, name)
            plain |= {name: share.value, f"{name}_error": share.error}
        rows.append({**named, **plain})
    return pd.DataFrame(rows)


_SHARES = ("coverage", "power", "worse")
LEAST_COVERAGE, MOST_COVERAGE = LEVEL - 0.02, LEVEL + 0.02


def tabulate_claims(claims: pd.DataFrame, *, repeats: int) -> pd.DataFrame:
    """Count how often each claim was made, and whether it was true.

    Returns
    -------
    DataFrame
        One row a claim and what it is of: ``true`` (None where the scenario does not say),
        ``rate`` and ``rate_error``: power where it is true, error where it is not. Then one row a
        claim that is made of several: ``of`` is ``any, falsely`` and the rate that of at least one
        false claim in a repeat, over all features.
    """
    rows = []

    def add(claim: str, of: str, truth: bool | None, made: Sequence[bool]) -> None:
        share = count_share(made)
        rows.append(
            {
                "claim": claim,
                "of": of,
                "true": truth,
                "rate": share.value,
                "rate_error": share.error,
                "repeats": share.repeats,
            }
        )

    for (claim, of), part in claims.groupby(list(CLAIM_KEYS), sort=False, observed=True):
        known = part["true"].dropna().unique().tolist()
        add(str(claim), str(of), bool(known[0]) if len(known) == 1 else None, part["made"].tolist())
    for claim, part in claims.groupby("claim", sort=False, observed=True):
        told = part[part["true"].notna()]
        if part["of"].nunique() < 2 or told.empty:
            continue
        false = told["made"].astype(bool) & ~told["true"].astype(bool)
        any_false = false.groupby(told["repeat"]).any()
        # A repeat in which the claim could be made of nothing made none falsely.
        made = any_false.tolist() + [False] * (repeats - len(any_false))
        add(str(claim), "any, falsely", False, made)
    return pd.DataFrame(rows, columns=["claim", "of", "true", "rate", "rate_error", "repeats"])
