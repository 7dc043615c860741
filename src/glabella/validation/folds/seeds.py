"""Seeds: one in the analysis, one derived for each task from the names of what it is."""

from __future__ import annotations

import zlib

import numpy as np


def derive_seed(seed: int, *labels: str | int) -> np.random.SeedSequence:
    """Derive a task's own seed from the analysis's one.

    Parameters
    ----------
    seed : int
        The analysis's seed.
    *labels : str or int
        What the task is; the same labels give the same seed, whatever else runs.

    Returns
    -------
    SeedSequence
        Independent of those of other labels.
    """
    key = tuple(zlib.crc32(label.encode()) if isinstance(label, str) else label for label in labels)
    return np.random.SeedSequence(seed, spawn_key=key)


def spawn_seeds(seed: np.random.SeedSequence, count: int) -> list[np.random.SeedSequence]:
    """Spawn seeds without altering the one they come from.

    Parameters
    ----------
    seed : SeedSequence
        The parent, which numpy's own ``spawn`` would advance.
    count : int
        How many.

    Returns
    -------
    list of SeedSequence
        The same each time.
    """
    fresh = np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key)
    return fresh.spawn(count)


def draw_state(seed: np.random.SeedSequence) -> int:
    """Draw one whole number for interfaces that take no SeedSequence.

    Parameters
    ----------
    seed : SeedSequence
        The seed.

    Returns
    -------
    int
        From 0 to 2**31 - 1.
    """
    return int(seed.generate_state(1)[0] % 2**31)
