"""The range of the training participants in each feature, without any single one's value."""

from __future__ import annotations

import math

import pandas as pd

from glabella.bundle.manifest import TrainingRange
from glabella.features.spec import FeatureSpec, FeatureTable

# A range is rounded outwards to about so many steps, so that its ends are no participant's values.
_STEPS = 20


def describe_ranges(features: FeatureTable) -> dict[str, TrainingRange]:
    """Describe the range or the levels of the training participants in each feature."""
    return {
        spec.name: _describe_range(features.frame[spec.name], spec)
        for spec in features.specs
        if spec.part == "patient"
    }


def _describe_range(values: pd.Series, spec: FeatureSpec) -> TrainingRange:
    if spec.kind == "category":
        observed = set(values.dropna())
        return TrainingRange(levels=tuple(level for level in spec.levels if level in observed))
    numbers = values.dropna().to_numpy(dtype=float)
    if not len(numbers):
        return TrainingRange()
    low, high = float(numbers.min()), float(numbers.max())
    if spec.kind == "ordinal" or low == high:
        return TrainingRange(low=low, high=high)
    step = _round_step((high - low) / _STEPS)
    # Division may round across the limit of a step, so the result is compared with the value.
    below, above = math.floor(low / step) * step, math.ceil(high / step) * step
    return TrainingRange(
        low=below if below <= low else below - step, high=above if above >= high else above + step
    )


def _round_step(size: float) -> float:
    """Round a size up to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= size)
