"""The participants that are analysed, with what folds and measures need to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from glabella.data.endpoints.imputation import OutcomeImputation
from glabella.features.spec import FeatureTable
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.folds.splits import Unit


@dataclass(frozen=True)
class Sample:
    """Features and outcomes of the analysed participants, all in the same order.

    Parameters
    ----------
    features : FeatureTable
        What models see.
    outcomes : array of int, shape (n_imputations, n_participants)
        1 for responders, 0 for others, once for each imputation; one row where nothing is
        imputed. They are what predictions are measured against, and learnt from everybody: no
        model is fitted to them where scores are imputed.
    trial, site, cohort, arm : array of str, shape (n_participants,)
        Blank where the data have none.
    active : array of bool, shape (n_participants,)
        Whether the arm is an active one; true for all where there are no arms.
    person : array of int, shape (n_participants,), optional
        Who stands in several rows, once for each period of a crossover, has the same number in
        each; without it everybody stands in one.
    imputation : OutcomeImputation, optional
        What draws missing outcomes within training participants alone.
    margin : array of float, shape (n_participants,), optional
        How far each score lies beyond the threshold of response, as a share of its scale, positive
        for responders; NaN where response was not decided by a score. None where it never is.
    background : int, optional
        The most training participants against whom a fit is explained; fits are explained without
        a background unless stated.
    """

    features: FeatureTable
    outcomes: npt.NDArray[np.int8]
    trial: npt.NDArray[np.str_]
    site: npt.NDArray[np.str_]
    cohort: npt.NDArray[np.str_]
    arm: npt.NDArray[np.str_]
    active: npt.NDArray[np.bool_]
    person: npt.NDArray[np.int_] | None = None
    imputation: OutcomeImputation | None = None
    margin: npt.NDArray[np.float64] | None = None
    background: int | None = None

    @property
    def people(self) -> npt.NDArray[np.int_]:
        """A number for each row's person."""
        return np.arange(self.n) if self.person is None else self.person

    def group_by(self, unit: Unit) -> npt.NDArray[np.str_] | None:
        """Give the trial or site of each participant, where folds keep these whole.

        Returns
        -------
        array of str, shape (n_participants,), or None
            None where participants are split.
        """
        return {"participant": None, "trial": self.trial, "site": self.site}[unit]

    @property
    def n(self) -> int:
        """The number of participants."""
        return int(self.outcomes.shape[1])

    @property
    def expected(self) -> npt.NDArray[np.float64]:
        """The share of imputations in which each participant responded; 1 or 0 where known."""
        return np.asarray(self.outcomes.mean(axis=0), dtype=float)

    @property
    def events(self) -> float:
        """Responders; where outcomes are imputed their mean number, which need not be whole."""
        return self.count_events(np.arange(self.n))

    def count_events(self, rows: npt.NDArray[np.int_]) -> float:
        """Count the responders among some participants."""
        total = int(self.outcomes[:, rows].sum())
        return total if len(self.outcomes) == 1 else total / len(self.outcomes)

    @property
    def labels(self) -> npt.NDArray[np.int_]:
        """Outcomes that folds are stratified by: those of the first imputation."""
        return np.asarray(self.outcomes[0], dtype=int)

    def choose_background(
        self, rows: npt.NDArray[np.int_]
    ) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.float64]]:
        """Choose the participants against whom a fit to some rows is explained.

        Returns
        -------
        tuple of array of int and array of float
            Their positions, evenly over each trial and arm, and weights that give each trial and
            arm its share of the training part.
        """
        cells = np.array([f"{self.trial[row]}|{self.arm[row]}" for row in rows])
        chosen, weights = [], []
        for cell in np.unique(cells):
            mine = rows[cells == cell]
            share = len(mine) / len(rows)
            count = min(len(mine), max(1, round(share * (self.background or 1))))
            chosen.append(mine[np.linspace(0, len(mine) - 1, count).astype(int)])
            weights.append(np.full(count, share / count))
        return np.concatenate(chosen), np.concatenate(weights)

    def complete_training(
        self, rows: npt.NDArray[np.int_], seed: np.random.SeedSequence
    ) -> npt.NDArray[np.int8]:
        """Give the outcomes that a model may be fitted to, learnt from its own participants.

        Returns
        -------
        array of int, shape (n_imputations, n_training)
            One row where nothing is imputed.
        """
        if self.imputation is None:
            return self.outcomes[:, rows]
        return self.imputation.complete(rows, seed, self.features.covariates[rows])

    def exchange(self, names: Sequence[str], order: npt.NDArray[np.int_], seed: int) -> Sample:
        """Give each participant another's features, as if chance alone had dealt them.

        Returns
        -------
        Sample
            Outcomes stay, but for those that are imputed with the help of features.
        """
        moved = replace(self, features=self.features.exchange(names, order))
        if self.imputation is None:
            return moved
        return replace(moved, outcomes=complete_measured(self.imputation, moved.features, seed))

    @property
    def has_arms(self) -> bool:
        """Whether there is an active arm and another."""
        return not bool(self.active.all())

    @cached_property
    def strata(self) -> npt.NDArray[np.str_]:
        """Trial, cohort and arm together: only within these are participants compared."""
        cells = zip(self.trial, self.cohort, self.arm, strict=True)
        return np.array(["|".join(cell) for cell in cells], dtype=str)


def complete_measured(
    imputation: OutcomeImputation, features: FeatureTable, seed: int
) -> npt.NDArray[np.int8]:
    """Complete the outcomes that predictions are measured against, learning from everybody.

    Returns
    -------
    array of int, shape (n_imputations, n_participants)
        No model is fitted to them.
    """
    everybody = np.arange(len(features.frame))
    return imputation.complete(
        everybody, derive_seed(seed, "impute", "measured"), features.covariates
    )
