"""Whether one column follows from another, and how likely chance alone would make it so.

Each chance is that of the values of one column being dealt out anew among the same participants,
given as its logarithm: the number of orders in which they would still follow, over all orders.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import gammaln
from scipy.stats import rankdata

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# Ninths and thirds have no exact decimals: what differs by less was computed another way.
_DECIMALS = 9
_SAME = 1e-9
_MOST_DECIMALS_OF_A_ROUNDED = 4


def count_orders(values: npt.ArrayLike) -> float:
    """Count the different orders of some values.

    Examples
    --------
    >>> round(float(np.exp(count_orders([1, 1, 2, 2]))))
    6
    """
    counts = np.bincount(pd.factorize(np.asarray(values))[0])
    return float(gammaln(counts.sum() + 1) - gammaln(counts + 1).sum())


def count_uncommon(values: npt.ArrayLike) -> int:
    """Count those who do not have the commonest value.

    Examples
    --------
    >>> count_uncommon([0, 0, 0, 1, 2])
    2
    """
    counts = np.bincount(pd.factorize(np.asarray(values))[0])
    return int(counts.sum() - counts.max()) if len(counts) else 0


def find_decision(values: Floats, outcome: Bools, *, is_ordered: bool) -> float | None:
    """Find whether each value belongs to one outcome alone.

    Returns
    -------
    float or None
        The logarithm of the chance: of a threshold, of the two that part the classes; else of all
        ways to give each value an outcome, so that a column of names decides nothing. None where
        some value has both outcomes or everybody has the same.

    Examples
    --------
    >>> x, y = np.array([1.0, 1.0, 2.0, 2.0]), np.array([True, True, False, False])
    >>> round(float(np.exp(find_decision(x, y, is_ordered=True))), 3)
    0.333
    """
    levels, codes = np.unique(values, return_inverse=True)
    total = np.bincount(codes)
    ones = np.bincount(codes, weights=outcome)
    if len(levels) < 2 or ((ones > 0) & (ones < total)).any() or outcome.all() or not outcome.any():
        return None
    turns = int((np.diff((ones > 0).astype(int)) != 0).sum())
    is_parted = turns == 1 and (is_ordered or len(levels) == 2)
    ways = np.log(2.0) * (1 if is_parted else len(levels))
    return float(ways - count_orders(outcome))


def find_function(
    made: Floats, source: Floats, *, is_ordered: bool, sharing: int = 5
) -> float | None:
    """Find whether one column has a single value for each value of another.

    Returns
    -------
    float or None
        The logarithm of the chance: of rising or falling throughout, of those two orders; else of
        all ways to give each value of `source` one of `made`. None where it does not follow, is
        the same for everybody, or could not help following.

    Examples
    --------
    >>> score = np.array([3.0, 8.0, 8.0, 20.0])
    >>> made = np.array([1.0, 2.0, 2.0, 2.0])
    >>> round(float(np.exp(find_function(made, score, is_ordered=True))), 2)
    0.5
    >>> find_function(np.array([1.0, 1.0, 2.0, 2.0]), score, is_ordered=True) is None
    True
    """
    if not len(source):
        return None
    made, source = np.round(made, _DECIMALS), np.round(source, _DECIMALS)
    order = np.argsort(source, kind="stable")
    values, by = made[order], source[order]
    starts = np.flatnonzero(np.append(True, np.diff(by) != 0))
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    levels = len(np.unique(low))
    if (low != high).any() or levels < 2:
        return None
    steps = np.diff(low)
    is_monotone = (is_ordered or levels == 2) and bool((steps >= 0).all() or (steps <= 0).all())
    if not is_monotone and len(values) < sharing * len(starts):
        return None
    ways = np.log(2.0) if is_monotone else len(starts) * np.log(levels)
    chance = float(ways - count_orders(values))
    return chance if chance < 0 else None


def is_in_same_order(one: Floats, other: Floats) -> bool:
    """Say whether two columns rise together, or one as the other falls, without exception.

    Returns
    -------
    bool
        True where either has one value for each value of the other, in order.

    Examples
    --------
    >>> is_in_same_order(np.array([0.0, 1.0, 1.0]), np.array([5.0, 8.0, 9.0]))
    True
    """
    for made, source in ((one, other), (other, one)):
        order = np.lexsort((made, source))
        values, by = np.round(made[order], _DECIMALS), np.round(source[order], _DECIMALS)
        steps = np.diff(values)
        if (steps[np.diff(by) == 0] == 0).all() and ((steps >= 0).all() or (steps <= 0).all()):
            return True
    return False


def count_decimals(values: Floats) -> int | None:
    """Count the decimals to which values were rounded.

    Examples
    --------
    >>> count_decimals(np.array([33.3, 50.0])), count_decimals(np.array([1 / 3]))
    (1, None)
    """
    for decimals in range(_MOST_DECIMALS_OF_A_ROUNDED + 1):
        if (np.abs(values - np.round(values, decimals)) <= _SAME).all():
            return decimals
    return None


def is_equal(values: Floats, target: Floats, *, decimals: int | None) -> Bools:
    """Say which values equal a target's, up to the decimals to which they were rounded.

    Returns
    -------
    array of bool, shape (n,)
        Where the target has more decimals, half a unit of the last may lie between.

    Examples
    --------
    >>> is_equal(np.array([33.3, 50.0]), np.array([100 / 3, 50.4]), decimals=1).tolist()
    [True, False]
    """
    apart = np.abs(values - target)
    equal = apart <= 1e-6 * np.maximum(1.0, np.abs(target))
    if decimals is not None:
        is_finer = np.abs(target - np.round(target, decimals)) > _SAME
        equal |= is_finer & (apart <= 0.5 * 10.0**-decimals + _SAME)
    return np.asarray(equal, dtype=bool)


def compute_separation(values: Floats, outcome: Bools) -> float:
    """How well a column tells two outcomes apart, either way round.

    Returns
    -------
    float
        The area under the ROC curve or its complement, whichever is more; 0.5 where the outcome
        is the same for all.

    Examples
    --------
    >>> compute_separation(np.array([4.0, 3.0, 1.0, 2.0]), np.array([False, False, True, True]))
    1.0
    """
    ones = int(outcome.sum())
    zeros = len(outcome) - ones
    if not ones or not zeros:
        return 0.5
    above = rankdata(values)[outcome].sum() - ones * (ones + 1) / 2
    area = float(above / (ones * zeros))
    return max(area, 1 - area)


def compute_rank_correlation(one: Floats, other: Floats) -> float:
    """How alike in rank two columns are, either way round.

    Returns
    -------
    float
        Spearman's correlation without its sign; ties share their mean rank. 0 where one is the
        same for all.

    Examples
    --------
    >>> round(compute_rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([9.0, 4.0, 1.0])), 6)
    1.0
    """
    if min(count_uncommon(one), count_uncommon(other)) == 0:
        return 0.0
    return float(abs(np.corrcoef(rankdata(one), rankdata(other))[0, 1]))
