"""One training part: a candidate tuned, fitted and calibrated on it, alone or as an ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit

from glabella.errors import GlabellaError
from glabella.features.spec import FeatureSpec
from glabella.models.build import build_model
from glabella.models.candidate import Candidate, EnsembleCandidate
from glabella.models.estimators.composed import (
    AveragedModel,
    EnsembleModel,
    learn_weights,
)
from glabella.models.estimators.interface import Floats, ResponderModel
from glabella.models.estimators.recalibrated import (
    ArmRecalibratedModel,
    CalibratedModel,
    learn_arm_steps,
    learn_calibration,
)
from glabella.models.space import list_settings
from glabella.models.tuning import TrainingRows, choose_settings
from glabella.validation.folds.fold_result import InnerLosses
from glabella.validation.folds.seeds import derive_spawned_seeds, draw_state
from glabella.validation.folds.splits import Rows
from glabella.validation.measures.estimation.attempt import describe_failure
from glabella.validation.measures.overall import compute_losses


@dataclass(frozen=True)
class TunedModel:
    """A fitted model and the setting it was fitted with.

    Parameters
    ----------
    model : ResponderModel
        Fitted.
    setting : dict
        What tuning chose; empty where nothing was tuned.
    inner : InnerLosses or None
        Of that setting in the inner folds; None where there are none.
    held_out : array of float, shape (n_tuned,), or None
        Log odds of the training rows that were tuned on, by the inner fits that did not see
        them, calibrated where the model is.
    members : mapping of TunedModel
        Those of an ensemble, by name; empty for any other candidate.
    """

    model: ResponderModel
    setting: dict[str, Any]
    inner: InnerLosses | None = None
    held_out: Floats | None = None
    members: Mapping[str, TunedModel] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingPart:
    """Participants to learn from, and those of them that settings are tuned on.

    Parameters
    ----------
    training : sequence of TrainingRows
        Once for each imputation of their outcomes.
    tuned_on : TrainingRows
        Of the first imputation; those that the inner folds split.
    specs : tuple of FeatureSpec
        The features.
    splits : sequence of tuple of array of int
        The inner folds; empty where nothing is tuned.
    seed : SeedSequence
        Of settings and fits; of an ensemble's members the same.
    known : mapping of TunedModel
        Candidates that were fitted to the same part with the same seed, by name: members of an
        ensemble are taken from it.
    """

    training: Sequence[TrainingRows]
    tuned_on: TrainingRows
    specs: tuple[FeatureSpec, ...]
    splits: Sequence[tuple[Rows, Rows]]
    seed: np.random.SeedSequence
    known: Mapping[str, TunedModel]

    def fit(self, candidate: Candidate) -> TunedModel:
        """Tune, fit and calibrate a candidate; an ensemble comes with its members."""
        if isinstance(candidate, EnsembleCandidate):
            return self._fit_ensemble(candidate)
        return self._fit_single(candidate)

    def _fit_single(self, candidate: Candidate) -> TunedModel:
        settings_seed, _, fit_seed, _ = derive_spawned_seeds(self.seed, 4)
        random_state = draw_state(fit_seed)
        make = partial(build_model, candidate, self.specs, random_state=random_state)
        tuned = None
        if self.splits:
            settings = list_settings(candidate.search, candidate.draws, settings_seed)
            tuned = choose_settings(make(), settings, self.tuned_on, self.splits)
        setting = {} if tuned is None else tuned.setting
        models = []
        for rows in self.training:
            model = make(setting=setting)
            models.append(model.fit(rows.features, rows.responded, **rows.name_extras(model)))
        joined = models[0] if len(models) == 1 else AveragedModel(models)
        return self._finish(candidate, joined, setting, None if tuned is None else tuned.held_out)

    def _fit_ensemble(self, candidate: EnsembleCandidate) -> TunedModel:
        """Fit an ensemble's members, and learn their weights from held-out predictions."""
        members = self._fit_members(candidate)
        responded = self.tuned_on.responded
        weights = np.full(len(members), 1.0 / len(members))
        held_out = None
        if self.splits:
            each = np.array([member.held_out for member in members.values()])
            deviation = build_model(candidate, self.specs, random_state=0).deviation
            weights = learn_weights(each, responded, deviation=deviation)
            held_out = weights @ each
        model = EnsembleModel.join([member.model for member in members.values()], weights)
        setting = {f"weight_{name}": float(w) for name, w in zip(members, weights, strict=True)}
        return replace(self._finish(candidate, model, setting, held_out), members=members)

    def _fit_members(self, candidate: EnsembleCandidate) -> dict[str, TunedModel]:
        """Fit the members that are not known yet; the ensemble does without one that fails."""
        members: dict[str, TunedModel] = {}
        reasons = []
        for name, definition in candidate.resolved.items():
            known = self.known.get(name)
            if known is not None and not (self.splits and known.held_out is None):
                members[name] = known
                continue
            try:
                members[name] = self._fit_single(definition)
            except (ValueError, ArithmeticError, GlabellaError) as error:
                reasons.append(f"{name}: {describe_failure(error)}")
        if not members:
            raise ValueError(f"every member failed ({'; '.join(reasons)})")
        return members

    def _finish(
        self,
        candidate: Candidate,
        model: ResponderModel,
        setting: dict[str, Any],
        held_out: Floats | None,
    ) -> TunedModel:
        if held_out is None:
            return TunedModel(model, setting)
        responded = self.tuned_on.responded
        may = candidate.calibration == "logistic" and candidate.role == "candidate"
        learnt = (
            learn_calibration(held_out, responded, self.splits)
            if may and model.is_additive
            else None
        )
        if learnt is not None:
            slope, intercept, held_out = learnt
            model = CalibratedModel(model, slope, intercept)
            setting = {**setting, "calibration_slope": slope, "calibration_intercept": intercept}
        if model.is_additive and (learnt is not None or not model.frees_arm):
            arms = learn_arm_steps(
                held_out, responded, self.tuned_on.features, self.specs, self.splits
            )
            if arms is not None:
                steps, held_out = arms
                model = ArmRecalibratedModel(model, steps)
                learned = {f"arm_intercept_{arm}": step for arm, step in steps.by_arm.items()}
                setting = {**setting, **learned}
        losses = compute_losses(responded, expit(held_out))
        inner = InnerLosses(
            tuple(float(losses[test].mean()) for _, test in self.splits),
            tuple(len(test) for _, test in self.splits),
        )
        return TunedModel(model, setting, inner, held_out)
