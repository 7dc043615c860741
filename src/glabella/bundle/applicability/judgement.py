"""Which rows a model knows enough of to speak about, and what is unfamiliar in the others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.bundle.applicability.likeness import Likeness
from glabella.bundle.coded import Coded
from glabella.bundle.manifest import Manifest, TrainingRange
from glabella.features.spec import FeatureSpec

# Flags are packed into whole numbers of 64 bits, and these made dense before they are full.
_MOST_FLAGS = 62

Bools = npt.NDArray[np.bool_]


def describe_domain(
    features: pd.DataFrame, manifest: Manifest, likeness: Likeness
) -> tuple[Coded, Bools]:
    """Say which rows are unlike the training participants, and in what.

    Returns
    -------
    tuple of Coded and array of bool, shape (n_rows,)
        A note for each row, and whether each of its numbers lies within the range of training, it
        has no level that training lacked, and is in all features together no farther from
        the training participants, and from those of some trial, than 99 % of them are. A missing
        value is noted and is no reason to be outside.
    """
    flags: list[tuple[str, Bools]] = []
    inside = np.ones(len(features), dtype=bool)
    for spec in manifest.feature_specs:
        known = manifest.ranges.get(spec.name)
        if spec.part != "patient" or known is None:
            continue
        outside, missing, said = _compare(features[spec.name], spec, known)
        inside &= ~outside
        flags.append((f"{spec.label} {said}", outside))
        flags.append((f"{spec.label} not recorded", missing))
    far, unlike = likeness.find(features)
    flags.append(("unusual in its combination of features", far & ~unlike))
    flags.append(("unlike the participants of every training trial", unlike))
    return _join_notes(flags, len(features)), inside & ~far & ~unlike


def _compare(
    values: pd.Series, spec: FeatureSpec, known: TrainingRange
) -> tuple[Bools, Bools, str]:
    missing = values.isna().to_numpy()
    if spec.kind == "category":
        seen = np.array([level in known.levels for level in values.cat.categories] + [True])
        return (
            ~seen[values.cat.codes.to_numpy()],
            missing,
            "a level that no training participant had",
        )
    numbers = values.to_numpy(dtype=float)
    if known.low is None or known.high is None:
        return ~missing, missing, "was recorded of no training participant"
    low, high = known.low, known.high
    bounds = f"{spec.describe_value(low)} to {spec.describe_value(high)}"
    return (numbers < low) | (numbers > high), missing, f"outside the training range {bounds}"


def _join_notes(flags: list[tuple[str, Bools]], n_rows: int) -> Coded:
    """Write each combination of flags that occurs once."""
    raised = [(text, rows) for text, rows in flags if rows.any()]
    texts, which = [""], np.zeros(n_rows, dtype=np.int64)
    for start in range(0, len(raised), _MOST_FLAGS):
        some = raised[start : start + _MOST_FLAGS]
        bits = np.zeros(n_rows, dtype=np.int64)
        for place, (_, rows) in enumerate(some):
            bits |= rows.astype(np.int64) << place
        # Each row's combination among those met so far and these.
        found, combinations = pd.factorize(bits)
        pairs, kept = pd.factorize(which * len(combinations) + found)
        texts = [
            "; ".join(
                part
                for part in (
                    texts[pair // len(combinations)],
                    *_name_flags(int(combinations[pair % len(combinations)]), some),
                )
                if part
            )
            for pair in kept
        ]
        which = pairs
    return Coded(tuple(texts), which)


def _name_flags(bits: int, flags: list[tuple[str, Bools]]) -> list[str]:
    return [text for place, (text, _) in enumerate(flags) if bits >> place & 1]
