"""The participants that are analysed, with what folds and measures need to know of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glabella.features.spec import FeatureTable


@dataclass(frozen=True)
class Sample:
    """Features and outcomes of the analysed participants, all in the same order.

    Parameters
    ----------
    features : FeatureTable
        What models see.
    responded : array of int, shape (n_participants,)
        1 for responders.
    trial, site, cohort, arm : array of str, shape (n_participants,)
        Blank where the data have none.
    active : array of bool, shape (n_participants,)
        Whether the arm is an active one; true for all where there are no arms.
    person : array of int, shape (n_participants,), optional
        Who stands in several rows, once for each period of a crossover, has the same number in
        each; without it everybody stands in one.
    """

    features: FeatureTable
    responded: npt.NDArray[np.int_]
    trial: npt.NDArray[np.str_]
    site: npt.NDArray[np.str_]
    cohort: npt.NDArray[np.str_]
    arm: npt.NDArray[np.str_]
    active: npt.NDArray[np.bool_]
    person: npt.NDArray[np.int_] | None = None

    @property
    def people(self) -> npt.NDArray[np.int_]:
        """A number for each row's person."""
        return np.arange(self.n) if self.person is None else self.person

    @property
    def n(self) -> int:
        """The number of participants."""
        return len(self.responded)

    @property
    def has_arms(self) -> bool:
        """Whether there is an active arm and another."""
        return not bool(self.active.all())

    @property
    def strata(self) -> npt.NDArray[np.str_]:
        """Trial, cohort and arm together: only within these are participants compared."""
        cells = zip(self.trial, self.cohort, self.arm, strict=True)
        return np.array(["|".join(cell) for cell in cells], dtype=str)
