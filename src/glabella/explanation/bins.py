"""Participants in bins, so that the data of a figure contain no single participant's value."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# A mean of fewer could identify a participant; counts of training participants keep to the same.
FEWEST = 10
_MOST_BINS = 20

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int_]


def cut_into_bins(values: Floats) -> list[Rows]:
    """Divide participants by a value, without missing ones, into bins of nearly equal size.

    Returns
    -------
    list of array of int
        The positions in each bin, in ascending order of the values: at most twenty bins, each of
        at least ten participants; an empty list for fewer than ten participants.

    Examples
    --------
    >>> [len(rows) for rows in cut_into_bins(np.arange(35.0))]
    [12, 12, 11]
    """
    count = min(_MOST_BINS, len(values) // FEWEST)
    return np.array_split(np.argsort(values, kind="stable"), count) if count else []


def describe_bin(values: Floats) -> dict[str, float]:
    """Describe how the values of a bin, at least ten, are distributed.

    Returns
    -------
    dict of float
        ``mean``, ``lower_quartile``, ``median``, ``upper_quartile`` and ``n``. A quartile is the
        mean of the three values nearest to it, so that it is no single participant's.
    """
    ordered = np.sort(values)
    quartiles = [
        float(ordered[at - 1 : at + 2].mean())
        for at in (round(level * (len(ordered) - 1)) for level in (0.25, 0.5, 0.75))
    ]
    named = dict(zip(("lower_quartile", "median", "upper_quartile"), quartiles, strict=True))
    return {"mean": float(ordered.mean()), **named, "n": len(ordered)}
