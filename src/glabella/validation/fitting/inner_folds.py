"""The inner folds of a training part, on which settings, weights and calibration are learnt."""

from __future__ import annotations

import contextlib

import numpy as np
import numpy.typing as npt

from glabella.errors import AnalysisError
from glabella.models.candidate import Candidate
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.splits import (
    Rows,
    Unit,
    count_classes,
    split_grouped,
    split_stratified,
)

# Beyond these, further participants change settings, weights and calibration by less than one
# more repetition would: they are learnt on so many, drawn at random, and the fits are to all.
MOST_TUNED = 20_000


def draw_tuned(people: npt.NDArray[np.int_], state: int) -> Rows:
    """Draw the rows to tune on: all, or those of whole persons, at most 20,000 in all."""
    if len(people) <= MOST_TUNED:
        return np.arange(len(people))
    order = np.random.default_rng(state).permutation(np.unique(people))
    place = np.empty(int(people.max()) + 1, dtype=int)
    place[order] = np.arange(len(order))
    first = np.argsort(place[people], kind="stable")[:MOST_TUNED]
    return np.sort(first)


def has_inner_folds(candidate: Candidate) -> bool:
    """Say whether a candidate has a setting to choose, weights or a calibration to learn."""
    return (
        bool(candidate.members)
        or (candidate.calibration != "none" and candidate.role == "candidate")
        or (candidate.draws > 1 and bool(candidate.search))
        or any(len(space.each or ()) > 1 for space in candidate.search.values())
    )


def split_inner(
    sample: Sample,
    rows: Rows,
    outcome: npt.NDArray[np.int8],
    *,
    folds: int,
    unit: Unit,
    state: int,
) -> list[tuple[Rows, Rows]]:
    """Split the rows of a training part for tuning; none if a class is too rare for two folds.

    Whole trials or sites are kept together as `unit` says; participants are split if these make no
    two folds with both classes to learn from. Splits are positions among the rows.
    """
    feasible = min(folds, *count_classes(outcome))
    if feasible < 2:
        return []
    groups = sample.group_by(unit)
    if groups is not None:
        wanted = min(folds, len(np.unique(groups[rows])))
        with contextlib.suppress(AnalysisError):
            if wanted >= 2:
                return split_grouped(groups[rows], outcome, folds=wanted, seed=state)
    return split_stratified(
        [sample.arm[rows]], outcome, folds=feasible, seed=state, people=sample.people[rows]
    )
