"""The largest contributions of a row in words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
import pyarrow.compute as pc

from glabella.features.spec import FeatureSpec
from glabella.models.estimators.interface import Contributions, Floats, Scale

_TEXT = pyarrow.large_string()


def describe_reasons(
    contributions: Contributions,
    features: pd.DataFrame,
    specs: tuple[FeatureSpec, ...],
    reasons: int,
) -> list[pyarrow.LargeStringArray]:
    """Put each row's largest contributions of patient features into words.

    Parameters
    ----------
    contributions : Contributions
        Of the rows.
    features : DataFrame
        Their values.
    specs : tuple of FeatureSpec
        The words.
    reasons : int
        How many, at most.

    Returns
    -------
    list of LargeStringArray, shape (n_rows,)
        The largest first: feature, its value, and the factor on the odds of response, or where a
        model adds up on the probability what it adds there; blank where a feature adds nothing.
        The arm is no property of the patient and is not among them.
    """
    patient = [spec for spec in specs if spec.part == "patient"]
    columns = [contributions.features.index(spec.name) for spec in patient]
    values = np.ascontiguousarray(contributions.values[:, columns])
    places = _rank(values, min(reasons, len(patient)))
    rows = np.arange(len(values))
    effects = [_describe_effects(values[rows, which], contributions.scale) for which in places]
    given = [_describe_values(which, patient, features) for which in places]
    texts = [
        pc.if_else(
            pyarrow.array(values[rows, which] != 0.0),
            pc.binary_join_element_wise(value, effect, pyarrow.scalar(" ", _TEXT)),
            pyarrow.scalar("", _TEXT),
        )
        for which, value, effect in zip(places, given, effects, strict=True)
    ]
    blank = pyarrow.array([""] * len(values), _TEXT)
    return texts + [blank] * (reasons - len(texts))


def _rank(values: Floats, count: int) -> list[npt.NDArray[np.intp]]:
    """Find the place of the largest in size, the second and on; of equals the first."""
    left, rows, places = np.abs(values), np.arange(len(values)), []
    for _ in range(count):
        which = left.argmax(axis=1)
        left[rows, which] = -1.0
        places.append(which)
    return places


def _describe_values(
    which: npt.NDArray[np.intp], specs: list[FeatureSpec], features: pd.DataFrame
) -> pyarrow.LargeStringArray:
    """Say the value of each row's feature; a value that many rows share is written once."""
    words: list[str] = []
    code = np.empty(len(which), dtype=np.int64)
    for at, spec in enumerate(specs):
        rows = np.flatnonzero(which == at)
        if len(rows):
            codes, levels = pd.factorize(features[spec.name].iloc[rows], use_na_sentinel=False)
            code[rows] = codes + len(words)
            words += [f"{spec.label}: {spec.describe_value(level)}" for level in levels]
    return pyarrow.array(words, _TEXT).take(pyarrow.array(code))


def _describe_effects(effects: Floats, scale: Scale) -> pyarrow.LargeStringArray:
    shown = np.exp(effects) if scale == "log odds" else effects
    raises = effects > 0
    # Two decimals are shown, so few texts differ.
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
