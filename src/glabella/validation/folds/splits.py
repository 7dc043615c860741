"""Folds: repeated and stratified, in groups, inside each trial, and one trial or site left out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from glabella.errors import AnalysisError
from glabella.validation.folds.seeds import derive_spawned_seeds, draw_state

Rows = npt.NDArray[np.int_]
Unit = Literal["participant", "trial", "site"]
# Draws until every part has both classes.
_MOST_DRAWS = 100
_BALANCED = 1


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
    unit : str
        Who goes into a part as a whole: ``participant``, ``trial`` or ``site``. The tuning inside
        the training part keeps the same together.
    """

    design: str
    repeat: int
    number: int
    group: str | None
    train: Rows
    test: Rows
    unit: Unit = "participant"

    @property
    def key(self) -> tuple[str, int, int, str]:
        """What tells the fold from all others of the run."""
        return (self.design, self.repeat, self.number, self.group or "")


def count_classes(responded: npt.ArrayLike) -> tuple[int, int]:
    """Count responders and others."""
    outcome = np.asarray(responded, dtype=bool)
    return int(outcome.sum()), int((~outcome).sum())


def split_stratified(
    cells: Sequence[npt.ArrayLike],
    responded: npt.ArrayLike,
    *,
    folds: int,
    seed: int,
    people: npt.ArrayLike | None = None,
) -> list[tuple[Rows, Rows]]:
    """Split once into stratified folds.

    Participants are sorted by outcome, arm, trial and, within a cell, at random, then dealt out
    in turn. So each cell of trial x arm x outcome is spread over the folds to within one; where a
    cell is smaller than the number of folds, arm x outcome still is, and so is the outcome.

    Examples
    --------
    >>> splits = split_stratified([["a", "a", "b", "b"]], [1, 0, 1, 0], folds=2, seed=0)
    >>> [len(test) for _, test in splits]
    [2, 2]
    """
    if people is not None:
        return _split_people(cells, responded, folds=folds, seed=seed, people=people)
    outcome = np.asarray(responded, dtype=int)
    rarer = min(count_classes(outcome))
    if rarer < folds:
        responders, others = count_classes(outcome)
        raise AnalysisError(
            # The finding goes into the record of a training, and the remedy to who asked for it.
            f"a class of too few participants can't be spread over {folds} folds",
            remedy=f"There are {responders} responders and {others} others: ask for at most "
            f"{rarer} folds, or change the endpoint."
            if rarer > 1
            else f"There are {responders} responders and {others} others. Change the endpoint: "
            "folds need at least two of each class.",
        )
    draw = np.random.default_rng(seed)
    labels = [pd.factorize(np.asarray(cell), sort=True)[0] for cell in reversed(cells)]
    # The last key of a lexsort is the first to sort by.
    order = np.lexsort([draw.random(len(outcome)), *labels, outcome])
    dealt = np.empty(len(outcome), dtype=int)
    dealt[order] = np.arange(len(outcome)) % folds
    named = draw.permutation(folds)[dealt]
    return [(np.flatnonzero(named != fold), np.flatnonzero(named == fold)) for fold in range(folds)]


def split_balanced(
    cells: Sequence[npt.ArrayLike],
    responded: npt.ArrayLike,
    *,
    folds: int,
    seed: int,
    people: npt.ArrayLike | None = None,
) -> list[tuple[Rows, Rows]]:
    """Split once into folds that are stratified by arm and trial, but not by outcome.

    Folds that have the same rates of response as the participants that they are predicted from make
    losses too good, by about (1/n + 1/n_train)/2 for each fitted rate. So the outcome is left to
    chance; only a split with a part of one class is drawn again. Where a class is so rare that a
    hundred draws leave such a part, folds are stratified by outcome.

    References
    ----------
    .. [1] Kohavi R. A study of cross-validation and bootstrap for accuracy estimation and model
       selection. IJCAI 1995:1137-1143, on stratification.
    """
    outcome = np.asarray(responded, dtype=int)
    stratified = split_stratified(cells, outcome, folds=folds, seed=seed, people=people)
    draws = np.random.default_rng([seed, _BALANCED])
    for _ in range(_MOST_DRAWS):
        splits = _deal(cells, folds, draws, np.arange(len(outcome)) if people is None else people)
        if all(min(count_classes(outcome[test])) > 0 for _, test in splits):
            return splits
    return stratified


def _deal(
    cells: Sequence[npt.ArrayLike], folds: int, draw: np.random.Generator, people: npt.ArrayLike
) -> list[tuple[Rows, Rows]]:
    """Deal whole persons out in turn, in the order of their arm and trial."""
    codes, names = pd.factorize(np.asarray(people))
    first = np.unique(codes, return_index=True)[1]
    labels = [pd.factorize(np.asarray(cell)[first], sort=True)[0] for cell in reversed(list(cells))]
    order = np.lexsort([draw.random(len(names)), *labels])
    dealt = np.empty(len(names), dtype=int)
    dealt[order] = np.arange(len(names)) % folds
    named = draw.permutation(folds)[dealt][codes]
    return [(np.flatnonzero(named != fold), np.flatnonzero(named == fold)) for fold in range(folds)]


def _split_people(
    cells: Sequence[npt.ArrayLike],
    responded: npt.ArrayLike,
    *,
    folds: int,
    seed: int,
    people: npt.ArrayLike,
) -> list[tuple[Rows, Rows]]:
    codes, names = pd.factorize(np.asarray(people))
    if len(names) == len(codes):
        return split_stratified(cells, responded, folds=folds, seed=seed)
    first = np.unique(codes, return_index=True)[1]
    ever = np.bincount(codes, weights=np.asarray(responded, dtype=float)) > 0
    splits = split_stratified(
        [np.asarray(cell)[first] for cell in cells], ever, folds=folds, seed=seed
    )
    return [
        (np.flatnonzero(~np.isin(codes, test)), np.flatnonzero(np.isin(codes, test)))
        for _, test in splits
    ]


def split_grouped(
    groups: npt.ArrayLike, responded: npt.ArrayLike, *, folds: int, seed: int
) -> list[tuple[Rows, Rows]]:
    """Split once into folds that hold whole groups, and the classes as evenly as these allow.

    Returns
    -------
    list of tuple of array
        Training and test positions of each fold. A test part may hold one class; every training
        part holds both.

    Examples
    --------
    >>> splits = split_grouped(["a", "a", "b", "b", "c"], [1, 0, 1, 0, 1], folds=2, seed=0)
    >>> sum(len(test) for _, test in splits)
    5
    """
    labels, outcome = pd.factorize(np.asarray(groups))[0], np.asarray(responded, dtype=int)
    found = labels.max(initial=-1) + 1
    if found < folds:
        raise AnalysisError(
            f"{found} groups can't be spread over {folds} folds",
            remedy=f"Ask for at most {found} folds, or let participants be split."
            if found > 1
            else "Let participants be split.",
        )
    with warnings.catch_warnings():
        # It warns where a class has fewer participants than folds, which whole groups allow.
        warnings.simplefilter("ignore", UserWarning)
        splits = list(
            StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(
                np.zeros(len(outcome)), outcome, labels
            )
        )
    if any(len(test) == 0 or min(count_classes(outcome[train])) == 0 for train, test in splits):
        raise AnalysisError(
            f"{folds} folds of whole groups leave a training part of one class, or nobody held out",
            remedy="Ask for other folds, or let participants be split.",
        )
    return splits


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
    people: npt.ArrayLike | None = None,
    unit: Unit = "participant",
    groups: npt.ArrayLike | None = None,
) -> list[Fold]:
    """Make repeated folds of all participants or of some, stratified by arm and trial."""
    outcome = np.asarray(responded)
    chosen = np.arange(len(outcome)) if rows is None else rows
    made = []
    for repeat, child in enumerate(derive_spawned_seeds(seed, repeats)):
        if groups is not None:
            splits = split_grouped(
                np.asarray(groups)[chosen], outcome[chosen], folds=folds, seed=draw_state(child)
            )
        else:
            splits = split_balanced(
                [np.asarray(cell)[chosen] for cell in cells],
                outcome[chosen],
                folds=folds,
                seed=draw_state(child),
                people=None if people is None else np.asarray(people)[chosen],
            )
        made += [
            Fold(design, repeat, number, group, chosen[train], chosen[test], unit)
            for number, (train, test) in enumerate(splits)
        ]
    return made


def make_left_out_folds(groups: npt.ArrayLike, unit: Unit = "trial") -> list[Fold]:
    """Leave each trial or site out once."""
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
            unit,
        )
        for number, name in enumerate(names)
    ]
