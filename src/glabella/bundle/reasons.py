"""The largest contributions to a row's prediction, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
import pyarrow.compute as pc

from glabella.features.spec import FeatureSpec
from glabella.models.estimators.contributions import Contributions, Scale
from glabella.models.estimators.interface import Floats
from glabella.models.grouping import Grouping

_TEXT = pyarrow.large_string()
_ALONE = Grouping()
# The number of reasons by default.
REASONS = 3


def describe_reasons(
    contributions: Contributions,
    features: pd.DataFrame,
    specs: tuple[FeatureSpec, ...],
    reasons: int,
    *,
    grouping: Grouping = _ALONE,
    beyond_noise: Mapping[str, bool | None] = MappingProxyType({}),
    fills_missing: bool = False,
) -> list[pyarrow.LargeStringArray]:
    """Describe each row's largest contributions of features of the patient, the largest first.

    Returns
    -------
    list of LargeStringArray, shape (n_rows,)
        At most one for each feature of the patient, and at least three, if so many are asked for.
        Each names the feature, its value, and the factor on the odds of response, or the
        difference in probability if the model is additive on that scale; blank if there is no
        contribution. The arm is not a property of the patient and is not among them.
    """
    summed, described = grouping.sum_values(contributions), grouping.describe(specs)
    patient = [name for name in summed.features if described[name].part == "patient"]
    columns = [summed.features.index(name) for name in patient]
    values = np.ascontiguousarray(summed.values[:, columns])
    places = _rank(values, min(reasons, len(patient)))
    rows = np.arange(len(values))
    shown = [
        (described[name].label, [described[each] for each in grouping.list_members(name)])
        for name in patient
    ]
    noise = pyarrow.array(
        [
            " (not distinguished from noise)" if beyond_noise.get(name) is False else ""
            for name in patient
        ],
        _TEXT,
    )
    texts = []
    for which in places:
        mine = values[rows, which]
        given = _describe_values(which, shown, features, fills_missing)
        effect = _join(_describe_effects(mine, summed.scale), noise.take(pyarrow.array(which)), "")
        is_shown = pyarrow.array(mine != 0.0)
        texts.append(pc.if_else(is_shown, _join(given, effect, " "), pyarrow.scalar("", _TEXT)))
    blank = pyarrow.array([""] * len(values), _TEXT)
    return texts + [blank] * (min(reasons, REASONS) - len(texts))


def _join(
    one: pyarrow.LargeStringArray, other: pyarrow.LargeStringArray, between: str
) -> pyarrow.LargeStringArray:
    return pc.binary_join_element_wise(one, other, pyarrow.scalar(between, _TEXT))


def _rank(values: Floats, count: int) -> list[npt.NDArray[np.intp]]:
    """Rank the values of each row by size, the largest first; of equal ones the first."""
    left, rows, places = np.abs(values), np.arange(len(values)), []
    for _ in range(count):
        which = left.argmax(axis=1)
        left[rows, which] = -1.0
        places.append(which)
    return places


def _describe_values(
    which: npt.NDArray[np.intp],
    shown: list[tuple[str, list[FeatureSpec]]],
    features: pd.DataFrame,
    fills_missing: bool,
) -> pyarrow.LargeStringArray:
    """Describe the value of each row's feature, writing the words of equal values once."""
    words: list[str] = []
    code = np.empty(len(which), dtype=np.int64)
    for at, (label, members) in enumerate(shown):
        rows = np.flatnonzero(which == at)
        if len(rows):
            codes, texts = describe_feature_values(
                members, features.iloc[rows], fills_missing=fills_missing
            )
            code[rows] = codes + len(words)
            words += [f"{label}: {text}" if len(members) == 1 else f"{label} ({text})"
                      for text in texts]  # fmt: skip
    return pyarrow.array(words, _TEXT).take(pyarrow.array(code))


def describe_feature_values(
    members: Sequence[FeatureSpec], features: pd.DataFrame, *, fills_missing: bool
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Describe the values of a feature, or of the features of a group.

    Returns
    -------
    tuple of array of int, shape (n_rows,), and list of str
        Each row's position in the list of different texts.
    """
    lacking = "not recorded, filled in as in training" if fills_missing else "not recorded"
    code, texts = np.zeros(len(features), dtype=np.int64), [""]
    for number, spec in enumerate(members):
        codes, levels = pd.factorize(features[spec.name], use_na_sentinel=False)
        words = [lacking if pd.isna(level) else spec.describe_value(level) for level in levels]
        if len(members) > 1:
            words = [f"{'; ' if number else ''}{spec.label}: {text}" for text in words]
        # Each row's combination of its text so far and the text of this feature.
        code, pairs = pd.factorize(code * max(len(words), 1) + codes)
        texts = [texts[pair // len(words)] + words[pair % len(words)] for pair in pairs]
    return code, texts


def _describe_effects(effects: Floats, scale: Scale) -> pyarrow.LargeStringArray:
    # Larger effects are limited below anyway.
    shown = np.exp(np.clip(effects, -50.0, 50.0)) if scale == "log odds" else effects
    raises = effects > 0
    # Two decimals are shown, so there are few different texts.
    hundredths = np.rint(np.clip(shown, -1e6, 1e6) * 100.0).astype(np.int64)
    codes, levels = pd.factorize(hundredths * 2 + raises)
    words = []
    for level in levels:
        direction = "raises" if level & 1 else "lowers"
        size = (level >> 1) / 100.0
        what = (
            f"the odds (x {size:.2f})" if scale == "log odds" else f"the probability ({size:+.2f})"
        )
        words.append(f"{direction} {what}")
    return pyarrow.array(words, _TEXT).take(pyarrow.array(codes))
