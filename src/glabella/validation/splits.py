"""Folds: repeated and stratified, inside each trial, and one trial or site left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from glabella.errors import AnalysisError

Rows = npt.NDArray[np.int_]


@dataclass(frozen=True)
class Fold:
    """One split of participants.

    Parameters
    ----------
    design : str
        ``pooled``, ``inside`` or ``across``.
    repeat : int
        Which repetition, from 0.
    number : int
        Which fold of the repetition, from 0.
    group : str or None
        The trial validated inside, or the trial or site left out.
    train, test : array of int
        Positions of the participants; disjoint.
    """

    design: str
    repeat: int
    number: int
    group: str | None
    train: Rows
    test: Rows

    @property
    def key(self) -> tuple[str, int, int, str]:
        """What tells the fold from all others of the run."""
        return (self.design, self.repeat, self.number, self.group or "")


def choose_strata(
    cells: Sequence[npt.ArrayLike], responded: npt.ArrayLike, *, smallest: int
) -> npt.NDArray[np.str_]:
    """Give each participant the finest stratum that is large enough.

    Strata fall back from trial x arm x outcome to arm x outcome to outcome, participant by
    participant, where a cell holds fewer than can be spread over the folds.

    Parameters
    ----------
    cells : sequence of array, each of shape (n_participants,)
        Labels from the coarsest (arm) to the finest (trial); may be empty.
    responded : array of bool, shape (n_participants,)
        The outcome.
    smallest : int
        The least size of a stratum: the number of folds.

    Returns
    -------
    array of str, shape (n_participants,)
        Labels of strata.

    Examples
    --------
    >>> choose_strata([["a", "a", "a", "b"]], [1, 1, 0, 0], smallest=2).tolist()
    ['1|a', '1|a', '0', '0']
    """
    levels = [pd.Series(np.asarray(responded, dtype=int).astype(str))]
    for cell in cells:
        levels.append(levels[-1] + "|" + pd.Series(np.asarray(cell)).astype(str))
    chosen = levels[0].to_numpy(dtype=object)
    undecided = np.ones(len(chosen), dtype=bool)
    for level in reversed(levels):
        # Only those not yet in a finer stratum count: they are who must be spread.
        sizes = level[undecided].map(level[undecided].value_counts())
        fits = np.zeros(len(chosen), dtype=bool)
        fits[np.flatnonzero(undecided)] = sizes.to_numpy() >= smallest
        chosen[fits] = level.to_numpy(dtype=object)[fits]
        undecided &= ~fits
    return chosen.astype(str)


def count_classes(responded: npt.ArrayLike) -> tuple[int, int]:
    """Count responders and others.

    Parameters
    ----------
    responded : array of bool, shape (n_participants,)
        The outcome.

    Returns
    -------
    tuple of int
        Responders, others.
    """
    outcome = np.asarray(responded, dtype=bool)
    return int(outcome.sum()), int((~outcome).sum())


def split_stratified(
    cells: Sequence[npt.ArrayLike], responded: npt.ArrayLike, *, folds: int, seed: int
) -> list[tuple[Rows, Rows]]:
    """Split once into stratified folds.

    Parameters
    ----------
    cells : sequence of array
        As in `choose_strata`.
    responded : array of bool, shape (n_participants,)
        The outcome.
    folds : int
        How many.
    seed : int
        Of the shuffle.

    Returns
    -------
    list of tuple of array
        Training and test positions of each fold.

    Raises
    ------
    AnalysisError
        If a class has fewer participants than there are folds.
    """
    responders, others = count_classes(responded)
    if min(responders, others) < folds:
        raise AnalysisError(
            f"{responders} responders and {others} others can't be spread over {folds} folds",
            remedy=f"Ask for at most {min(responders, others)} folds, or change the endpoint.",
        )
    strata = choose_strata(cells, responded, smallest=folds)
    # Those left over by finer strata may themselves be few; joined with their own class they are
    # spread as evenly as they can be.
    sizes = pd.Series(strata).map(pd.Series(strata).value_counts()).to_numpy()
    outcome = np.asarray(responded, dtype=int).astype(str)
    labels = np.where(sizes < folds, outcome, strata)
    if pd.Series(labels).value_counts().min() < folds:
        labels = outcome
    splitter = StratifiedKFold(n_splits=folds, shuffle=True, random_state=seed)
    return [(train, test) for train, test in splitter.split(np.zeros(len(labels)), labels)]


def make_repeated_folds(
    cells: Sequence[npt.ArrayLike],
    responded: npt.ArrayLike,
    *,
    folds: int,
    repeats: int,
    seed: np.random.SeedSequence,
    design: str = "pooled",
    rows: Rows | None = None,
    group: str | None = None,
) -> list[Fold]:
    """Make repeated stratified folds of all participants or of some.

    Parameters
    ----------
    cells : sequence of array
        As in `choose_strata`, of all participants.
    responded : array of bool, shape (n_participants,)
        The outcome of all participants.
    folds, repeats : int
        How many of each.
    seed : SeedSequence
        Spawned once a repetition.
    design : str
        Recorded in each fold.
    rows : array of int, optional
        The participants to split; all unless stated.
    group : str, optional
        Recorded in each fold.

    Returns
    -------
    list of Fold
        In order of repetition, then fold.
    """
    outcome = np.asarray(responded)
    chosen = np.arange(len(outcome)) if rows is None else rows
    made = []
    for repeat, child in enumerate(seed.spawn(repeats)):
        splits = split_stratified(
            [np.asarray(cell)[chosen] for cell in cells],
            outcome[chosen],
            folds=folds,
            seed=int(child.generate_state(1)[0]),
        )
        made += [
            Fold(design, repeat, number, group, chosen[train], chosen[test])
            for number, (train, test) in enumerate(splits)
        ]
    return made


def make_left_out_folds(groups: npt.ArrayLike) -> list[Fold]:
    """Leave each trial or site out once.

    Parameters
    ----------
    groups : array, shape (n_participants,)
        The trial or site of each participant.

    Returns
    -------
    list of Fold
        In order of first appearance.

    Raises
    ------
    AnalysisError
        If there is one group only.
    """
    labels = np.asarray(groups).astype(str)
    names: Iterable[str] = dict.fromkeys(labels.tolist())
    if len(list(names)) < 2:
        raise AnalysisError(
            "there is one group only, so none can be left out",
            place="validation.across",
            remedy="Leave `across:` out.",
        )
    return [
        Fold(
            "across",
            0,
            number,
            name,
            np.flatnonzero(labels != name),
            np.flatnonzero(labels == name),
        )
        for number, name in enumerate(names)
    ]
