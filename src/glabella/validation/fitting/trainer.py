"""Fits candidates to some of the participants, as every part of a training does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from glabella.models.candidate import Candidate
from glabella.models.tuning import TrainingRows
from glabella.validation.fitting.inner_folds import draw_tuned, has_inner_folds, split_inner
from glabella.validation.fitting.training_part import TrainingPart, TunedModel
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.seeds import derive_seed, derive_spawned_seeds, draw_state
from glabella.validation.folds.splits import Fold, Rows, Unit

NONE_KNOWN: Mapping[str, TunedModel] = MappingProxyType({})


@dataclass(frozen=True)
class Trainer:
    """Tunes candidates by cross-validated log loss and fits them.

    Parameters
    ----------
    sample : Sample
        The participants.
    inner_folds : int
        Folds of the tuning; fewer where a class is rarer, and no tuning under two.
    seed : int
        The analysis's seed.
    """

    sample: Sample
    inner_folds: int
    seed: int

    def fit(
        self,
        candidate: Candidate,
        rows: Rows,
        *,
        seed: np.random.SeedSequence,
        outcomes: npt.NDArray[np.int8] | None = None,
        unit: Unit = "participant",
        splits_seed: np.random.SeedSequence | None = None,
        is_weighed: bool = False,
        known: Mapping[str, TunedModel] = NONE_KNOWN,
    ) -> TunedModel:
        """Tune a candidate within some rows, then fit it to them.

        Where outcomes are imputed, settings, weights and calibration are learnt on the first
        imputation, the candidate is fitted to each, and the fits are averaged. They are learnt on
        at most 20,000 participants, drawn at random.
        """
        sample = self.sample
        _, own_seed, _, draws_seed = derive_spawned_seeds(seed, 4)
        if outcomes is None:
            outcomes = sample.complete_training(rows, draws_seed)
        margin = None if sample.margin is None else sample.margin[rows]
        training = [
            TrainingRows(sample.features.take(rows), each.astype(int), margin) for each in outcomes
        ]
        state = draw_state(splits_seed or own_seed)
        drawn = draw_tuned(sample.people[rows], state)
        splits: list[tuple[Rows, Rows]] = []
        if is_weighed or has_inner_folds(candidate):
            splits = split_inner(
                sample,
                rows[drawn],
                outcomes[0][drawn],
                folds=self.inner_folds,
                unit=unit,
                state=state,
            )
        tuned_on = training[0] if len(drawn) == len(rows) else training[0].take(drawn)
        part = TrainingPart(training, tuned_on, sample.features.specs, splits, seed, known)
        tuned = part.fit(candidate)
        if sample.background is not None:
            chosen, weights = sample.choose_background(rows)
            tuned.model.explain_against(sample.features.take(chosen), weights)
        return tuned

    def fit_to_all(self, candidate: Candidate, *, unit: Unit) -> TunedModel:
        """Fit a candidate to all participants, as the model that is kept."""
        seed = derive_seed(self.seed, "refit")
        return self.fit(candidate, np.arange(self.sample.n), seed=seed, unit=unit)

    def fit_on_fold(
        self,
        candidate: Candidate,
        fold: Fold,
        *,
        outcomes: npt.NDArray[np.int8] | None = None,
        is_weighed: bool = False,
        known: Mapping[str, TunedModel] = NONE_KNOWN,
    ) -> TunedModel:
        """Fit a candidate to the training part of a fold, as validation does; see `fit`."""
        fit_seed, splits_seed = self.derive_seeds(fold)
        return self.fit(
            candidate,
            fold.train,
            seed=fit_seed,
            outcomes=self.complete_fold(fold) if outcomes is None else outcomes,
            unit=fold.unit,
            splits_seed=splits_seed,
            is_weighed=is_weighed,
            known=known,
        )

    def complete_fold(self, fold: Fold) -> npt.NDArray[np.int8]:
        """Complete the outcomes of a training part; all candidates learn from the same."""
        seed = derive_seed(self.seed, "impute", *fold.key)
        return self.sample.complete_training(fold.train, seed)

    def derive_seeds(self, fold: Fold) -> tuple[np.random.SeedSequence, np.random.SeedSequence]:
        """Derive the seed of a fit on a fold, and that of its inner folds, which all share."""
        return derive_seed(self.seed, "fit", *fold.key), derive_seed(self.seed, "inner", *fold.key)
