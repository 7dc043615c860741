"""What each feature, and each pair of features, adds to each prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Contributions", "Interactions"]

Floats = npt.NDArray[np.float64]
Scale = Literal["log odds", "probability"]


@dataclass(frozen=True)
class Contributions:
    """What each feature adds to each prediction.

    Parameters
    ----------
    features : tuple of str
        The features, patient's first.
    values : array of float, shape (n_rows, n_features)
        Positive towards response.
    base : array of float, shape (n_rows,)
        Each row's sum of values and base is its log odds, or its probability.
    scale : str
        ``log odds``, or ``probability`` where a model adds up there alone.
    """

    features: tuple[str, ...]
    values: Floats
    base: Floats
    scale: Scale = "log odds"


@dataclass(frozen=True)
class Interactions:
    """How contributions divide into each feature's own and those of pairs.

    Parameters
    ----------
    features : tuple of str
        The features, patient's first.
    values : array of float, shape (n_rows, n_features, n_features)
        SHAP interaction values: symmetric, each row of a matrix adding to the feature's
        contribution. What a pair adds beyond its features' own is twice the value off the diagonal.
    scale : str
        As of the contributions.
    """

    features: tuple[str, ...]
    values: Floats
    scale: Scale = "log odds"


def split_off_diagonal(values: Floats, pairs: Floats) -> Floats:
    """Put what belongs to pairs off the diagonal, and take it from the features' own.

    Parameters
    ----------
    values : array of float, shape (n_rows, n_features, n_features)
        All of each contribution on the diagonal.
    pairs : array of float, shape (n_rows, n_features, n_features)
        Symmetric, with a diagonal of nought: each pair's value, half on either side.

    Returns
    -------
    array of float, shape (n_rows, n_features, n_features)
        With the same sums along rows.
    """
    moved = values + pairs
    count = moved.shape[1]
    moved[:, range(count), range(count)] -= pairs.sum(axis=2)
    return moved
