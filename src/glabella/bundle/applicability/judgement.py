"""Which rows are in a model's applicability domain, and why the other rows are not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.bundle.applicability.applicability_domain import ApplicabilityDomain
from glabella.bundle.coded import Coded
from glabella.bundle.manifest import Manifest, TrainingRange
from glabella.features.spec import FeatureSpec

# Flags are the bits of 64-bit integers, of which at most so many are used at once.
_MOST_FLAGS = 62

Bools = npt.NDArray[np.bool_]


def describe_domain(
    features: pd.DataFrame, manifest: Manifest, domain: ApplicabilityDomain
) -> tuple[Coded, Bools]:
    """Describe which rows are outside the applicability domain, and in which features.

    Returns
    -------
    tuple of Coded and array of bool, shape (n_rows,)
        A note for each row, and whether it is inside. It is inside if each number is within the
        training range, each level occurred in training, and all features together are no farther
        from the training participants, and from those of at least one trial, than 99 % of these
        are. A missing value is noted, but does not make a row be outside.
    """
    flags: list[tuple[str, Bools]] = []
    inside = np.ones(len(features), dtype=bool)
    for spec in manifest.feature_specs:
        known = manifest.ranges.get(spec.name)
        if spec.part != "patient" or known is None:
            continue
        outside, missing, words = _compare(features[spec.name], spec, known)
        inside &= ~outside
        flags.append((f"{spec.label} {words}", outside))
        flags.append((f"{spec.label} not recorded", missing))
    far, unlike = domain.find(features)
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
    """Join the texts of the flags of each row, writing each combination that occurs once."""
    raised = [(text, rows) for text, rows in flags if rows.any()]
    texts, which = [""], np.zeros(n_rows, dtype=np.int64)
    for start in range(0, len(raised), _MOST_FLAGS):
        some = raised[start : start + _MOST_FLAGS]
        bits = np.zeros(n_rows, dtype=np.int64)
        for place, (_, rows) in enumerate(some):
            bits |= rows.astype(np.int64) << place
        # Each row's combination of its flags so far and these.
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
