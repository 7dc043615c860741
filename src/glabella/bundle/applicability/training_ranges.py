"""What the training participants were like in each feature, without any one's value."""

from __future__ import annotations

import math

import pandas as pd

from glabella.bundle.manifest import TrainingRange
from glabella.features.spec import FeatureSpec, FeatureTable

# A range is told in about so many steps, outwards: its ends are no participant's own values.
_STEPS = 20


def describe_ranges(features: FeatureTable) -> dict[str, TrainingRange]:
    """Describe what the training participants were like in each feature."""
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
    # Division may round across a step's own place, so what is rounded is held against the value.
    below, above = math.floor(low / step) * step, math.ceil(high / step) * step
    return TrainingRange(
        low=below if below <= low else below - step, high=above if above >= high else above + step
    )


def _round_step(size: float) -> float:
    """The nearest of 1, 2 and 5 times a power of ten that is no less."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= size)
