"""The truth of simulated participants: written beside their tables, or simulated again."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from glabella.data.tables import KEY
from glabella.errors import DataError
from glabella.simulation.frames import simulate_trials
from glabella.simulation.scenario.definition import Scenario
from glabella.simulation.sources import TRUTH

# The true chance of response, and the chance given the baseline table alone.
CHANCES = ("probability", "known")
_COLUMNS = [f"{chance}_{role}" for chance in CHANCES for role in ("active", "control")]


def find_truth(
    people: pd.DataFrame, scenario: Scenario, *, seed: int, data: Path | None
) -> pd.DataFrame | None:
    """Find the truth of simulated participants.

    Returns
    -------
    DataFrame or None
        In their order: trial, identifier, and each chance under both arms. None if the folder
        holds no truth.
    """
    if data is None:
        truth = simulate_trials(scenario, seed=seed).truth
    elif (data / TRUTH).exists():
        truth = _read_truth(data / TRUTH)
    else:
        return None
    keys = people[KEY].astype(str)
    found = keys.merge(truth, on=KEY, how="left")
    if len(found) != len(keys) or found[_COLUMNS].isna().any(axis=None):
        raise DataError(
            "the truth is not of the same participants, each once",
            place=str(data / TRUTH) if data else "the simulation",
            remedy="Simulate again, or take the file away.",
        )
    return found[[*KEY, *_COLUMNS]]


def _read_truth(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=dict.fromkeys(KEY, str))[[*KEY, *_COLUMNS]]
    except (OSError, ValueError, KeyError):
        raise DataError(
            "the truth can't be read as `glabella simulate` writes it",
            place=str(path),
            remedy="Simulate again, or take the file away.",
        ) from None
