"""Random streams: a separate one for each task, so that no task changes the draws of another."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial

import numpy as np

# Names a task within a block of participants, and gives its generator.
Spawn = Callable[[str], np.random.Generator]


def make_generator(seed: int, label: str, number: int) -> np.random.Generator:
    """Make the generator of a task."""
    key = (zlib.crc32(label.encode()), number)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def make_spawn(seed: int, whose: str, number: int) -> Spawn:
    """Make what gives the generators of further tasks of the same participants."""
    return partial(_make_named, seed, whose, number)


def _make_named(seed: int, whose: str, number: int, task: str) -> np.random.Generator:
    return make_generator(seed, f"{task} of {whose}", number)
