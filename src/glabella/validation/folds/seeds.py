"""Seeds: one in the analysis, one derived for each task from the names of what it is."""

from __future__ import annotations

import zlib

import numpy as np


def derive_seed(seed: int, *labels: str | int) -> np.random.SeedSequence:
    """Derive a task's own seed from the analysis's one."""
    key = tuple(zlib.crc32(label.encode()) if isinstance(label, str) else label for label in labels)
    return np.random.SeedSequence(seed, spawn_key=key)


def derive_spawned_seeds(seed: np.random.SeedSequence, count: int) -> list[np.random.SeedSequence]:
    """Spawn seeds without altering the one they come from."""
    fresh = np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key)
    return fresh.spawn(count)


def draw_state(seed: np.random.SeedSequence) -> int:
    """Draw one whole number for interfaces that take no SeedSequence."""
    return int(seed.generate_state(1)[0] % 2**31)
