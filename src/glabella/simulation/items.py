"""Splits totals of a Hamilton scale into its items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

AGITATION = 8  # position of item 9


def draw_baseline_items(
    total: Floats, agitation: Floats, maxima: Sequence[int], draw: np.random.Generator
) -> Integers:
    """Spread baseline totals over items.

    Returns
    -------
    array of int, shape (n, n_items)
        Every row adds up to its total; points fall on the other items at random.
    """
    room = np.tile(np.asarray(maxima, dtype=np.int64), (len(total), 1))
    room[:, AGITATION] = 0
    items = _draw_at_random(room, (total - agitation).astype(np.int64), draw)
    items[:, AGITATION] = agitation.astype(np.int64)
    return items


def draw_later_items(
    baseline: Integers, total: Floats, maxima: Sequence[int], draw: np.random.Generator
) -> Integers:
    """Spread a later visit's totals over items, near those of baseline.

    Returns
    -------
    array of int, shape (n, n_items)
        Every row adds up to its total: points that stay are of the baseline's, at random; points
        that are new fall where there is room.
    """
    before = baseline.sum(axis=1)
    later = total.astype(np.int64)
    worse = later > before
    room = np.asarray(maxima, dtype=np.int64) - baseline
    colours = np.where(worse[:, None], room, baseline)
    taken = _draw_at_random(colours, np.where(worse, later - before, later), draw)
    return np.where(worse[:, None], baseline + taken, taken)


def _draw_at_random(room: Integers, points: Integers, draw: np.random.Generator) -> Integers:
    """Multivariate hypergeometric, a row its own colours: one item after the other."""
    taken = np.zeros_like(room)
    left, behind = points.copy(), room.sum(axis=1)
    for item in range(room.shape[1]):
        behind = behind - room[:, item]
        taken[:, item] = draw.hypergeometric(room[:, item], behind, left)
        left -= taken[:, item]
    return taken
