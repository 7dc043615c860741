"""The distribution of each feature in training, and how far that of a new table differs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from glabella.definitions.reader import Definition
from glabella.features.spec import FeatureSpec, FeatureTable

_MOST_BINS = 10
# A bin of fewer training participants could identify them.
_FEWEST_IN_BIN = 10
# This proportion of the indices from sampling alone is below the stated noise.
_NOISE_LEVEL = 0.95
_DRAWS = 2000
_SEED = 20_260_102
# By custom, an index from this value on is a relevant shift.
MARKED = 0.1

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class FeatureDistribution(Definition):
    """The number of training participants in each bin of a feature.

    Parameters
    ----------
    edges : tuple of float
        For a number, the limits between the bins; a value at a limit is in the upper bin. Empty
        for a category.
    groups : tuple of tuple of str
        For a category, the levels of each bin; rare levels are in one bin. Empty for a number.
    counts : tuple of int
        Training participants in each bin; at least ten if there are two bins or more.
    missing : int
        Training participants without a value. If these are fewer than ten, it is 0 and they are
        counted in the largest bin, since the sum would otherwise reveal their number.
    """

    edges: tuple[float, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    counts: tuple[int, ...] = Field(min_length=1)
    missing: int = Field(ge=0)

    @property
    def is_whole(self) -> bool:
        """Whether there is one count for each bin, and none is negative."""
        bins = len(self.groups) or len(self.edges) + 1
        return len(self.counts) == bins and min(self.counts) >= 0

    def count(self, values: pd.Series) -> Counts:
        """Count a table's rows in the same bins.

        Returns
        -------
        array of int, shape (n_bins + 1,)
            The last count is that of rows without a value.
        """
        if self.groups:
            by_level = values.value_counts()
            found = [sum(int(by_level.get(level, 0)) for level in group) for group in self.groups]
            return np.array([*found, len(values) - sum(found)], dtype=np.int64)
        numbers = values.to_numpy(dtype=float)
        present = len(numbers) - int(np.count_nonzero(np.isnan(numbers)))
        above = [int(np.count_nonzero(numbers >= edge)) for edge in self.edges]
        bounds = np.array([present, *above, 0])
        return np.append(bounds[:-1] - bounds[1:], len(numbers) - present)


@dataclass(frozen=True)
class Drift:
    """How far a feature's distribution in a table differs from that in training.

    Parameters
    ----------
    index : float or None
        The population stability index of bins and missing values together; None without rows.
    noise : float or None
        The index that sampling alone exceeds in 5 of 100 tables of this size.
    """

    index: float | None
    noise: float | None

    @property
    def is_marked(self) -> bool:
        """Whether the index is above the noise and large enough to be relevant."""
        if self.index is None or self.noise is None:
            return False
        return bool(self.index > max(self.noise, MARKED))


def describe_distributions(features: FeatureTable) -> dict[str, FeatureDistribution]:
    """Count the training participants in bins of each feature of the patient.

    Returns
    -------
    dict of FeatureDistribution
        By feature. A number has up to ten bins of nearly equal size, each of at least ten
        participants if there are as many.
    """
    return {
        spec.name: _describe(features.frame[spec.name], spec)
        for spec in features.specs
        if spec.part == "patient"
    }


def measure_drift(known: FeatureDistribution, counts: Counts) -> Drift:
    """Measure the drift of a feature from the counts of a table in its bins.

    References
    ----------
    .. [1] Yurdakul B, Naranjo J. Statistical properties of the population stability index.
       J Risk Model Valid 2020;14(4):89-100.
    """
    before = np.array([*known.counts, known.missing], dtype=float)
    after = np.asarray(counts, dtype=float)
    there = (before > 0) | (after > 0)
    before, after = before[there], after[there]
    if not after.sum() or not before.sum():
        return Drift(None, None)
    return Drift(float(_compute_index(before, after)), _draw_noise(before, after))


def _compute_index(before: Floats, after: Floats) -> Floats:
    known = np.maximum(before, 0.5) / before.sum(axis=-1, keepdims=True)
    found = np.maximum(after, 0.5) / after.sum(axis=-1, keepdims=True)
    terms = (found - known) * np.log(found / known)
    return np.asarray(terms.sum(axis=-1))


def _draw_noise(before: Floats, after: Floats) -> float:
    """Draw tables from proportions that fit training, as no formula is valid for few rows."""
    draw = np.random.default_rng(_SEED)
    proportions = draw.dirichlet(np.maximum(before, 0.5), _DRAWS)
    tables = draw.multinomial(int(after.sum()), proportions).astype(float)
    return float(np.quantile(_compute_index(before, tables), _NOISE_LEVEL))


def _describe(values: pd.Series, spec: FeatureSpec) -> FeatureDistribution:
    n_missing = int(values.isna().sum())
    # The number of missing values is suppressed if small; in a scored table any then look new.
    missing = n_missing if n_missing >= _FEWEST_IN_BIN else 0
    known = _describe_known(values, spec, missing)
    if missing == n_missing:
        return known
    counts = list(known.counts)
    counts[counts.index(max(counts))] += n_missing
    return known.model_copy(update={"counts": tuple(counts)})


def _describe_known(values: pd.Series, spec: FeatureSpec, missing: int) -> FeatureDistribution:
    if spec.kind == "category":
        bins: list[tuple[tuple[str, ...], int]] = [
            ((level,), int((values == level).sum())) for level in spec.levels
        ]
        rare = [item for item in bins if item[1] < _FEWEST_IN_BIN]
        kept = [item for item in bins if item[1] >= _FEWEST_IN_BIN]
        if rare:
            together = tuple(level for levels, _ in rare for level in levels)
            kept.append((together, sum(count for _, count in rare)))
        if len(kept) > 1 and kept[-1][1] < _FEWEST_IN_BIN:
            # Too few even together, so they are added to the smallest of the other bins.
            few = kept.pop()
            at = min(range(len(kept)), key=lambda place: kept[place][1])
            kept[at] = ((*kept[at][0], *few[0]), kept[at][1] + few[1])
        return FeatureDistribution(
            groups=tuple(levels for levels, _ in kept),
            counts=tuple(count for _, count in kept),
            missing=missing,
        )
    numbers = np.sort(values.dropna().to_numpy(dtype=float))
    wanted = max(_FEWEST_IN_BIN, math.ceil(len(numbers) / _MOST_BINS))
    edges: list[float] = []
    begun = 0
    # A bin ends before the first different value, if it has enough participants, and enough are
    # left.
    for at in range(1, len(numbers)):
        is_different = numbers[at] > numbers[at - 1]
        if is_different and at - begun >= wanted and len(numbers) - at >= _FEWEST_IN_BIN:
            edges.append(float(numbers[at]))
            begun = at
    bounds = np.array([0, *np.searchsorted(numbers, edges, "left"), len(numbers)])
    return FeatureDistribution(
        edges=tuple(edges), counts=tuple(int(n) for n in np.diff(bounds)), missing=missing
    )


def add_counts(one: Mapping[str, Counts], other: Mapping[str, Counts]) -> dict[str, Counts]:
    """Add the counts of two parts of a table."""
    names: dict[str, Any] = dict.fromkeys([*one, *other])
    return {
        name: np.asarray(one.get(name, 0), dtype=np.int64) + np.asarray(other.get(name, 0))
        for name in names
    }
