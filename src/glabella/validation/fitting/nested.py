"""Fits candidates on folds: tuned inside the training part, predicted on the held-out part."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import delayed
from scipy.special import expit

from glabella.errors import AnalysisError, GlabellaError
from glabella.features.spec import FeatureSpec
from glabella.models.build import build_model
from glabella.models.candidate import Candidate, EnsembleCandidate
from glabella.models.estimators.composed import (
    AveragedModel,
    CalibratedModel,
    EnsembleModel,
    learn_calibration,
    learn_weights,
)
from glabella.models.estimators.interface import Floats, ResponderModel
from glabella.models.space import list_settings
from glabella.models.tuning import TrainingRows, tune
from glabella.validation.fitting.checkpoint import Checkpoint, FitKey
from glabella.validation.fitting.parallel import one_thread, run_tasks
from glabella.validation.folds.fold_result import FoldResult, InnerLosses
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.seeds import derive_seed, draw_state, spawn_seeds
from glabella.validation.folds.splits import (
    Fold,
    Rows,
    Unit,
    count_classes,
    split_grouped,
    split_stratified,
)
from glabella.validation.measures.attempt import describe_failure
from glabella.validation.measures.discrimination import compute_losses

Progress = Callable[[str, int, int], None]

# Beyond these, further participants change settings, weights and calibration by less than one
# more repetition would: they are learnt on so many, drawn at random, and the fits are to all.
MOST_TUNED = 20_000


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
    """

    model: ResponderModel
    setting: dict[str, Any]
    inner: InnerLosses | None = None
    held_out: Floats | None = None


def tune_and_fit(
    candidate: Candidate,
    sample: Sample,
    rows: npt.NDArray[np.int_],
    *,
    inner_folds: int,
    seed: np.random.SeedSequence,
    outcomes: npt.NDArray[np.int8] | None = None,
    unit: Unit = "participant",
    splits_seed: np.random.SeedSequence | None = None,
    is_weighed: bool = False,
    fitted: dict[str, TunedModel] | None = None,
) -> TunedModel:
    """Tune a candidate by cross-validated log loss within some rows, then fit it to them.

    Where outcomes are imputed, settings, weights and calibration are learnt on the first
    imputation, the candidate is fitted to each, and the fits are averaged. They are learnt on at
    most 20,000 participants, drawn at random.

    Parameters
    ----------
    candidate : Candidate
        The definition.
    sample : Sample
        The participants.
    rows : array of int
        Those to learn from.
    inner_folds : int
        Folds of the tuning; fewer where a class is rarer, and no tuning under two.
    seed : SeedSequence
        Of settings, folds, fits and imputations; of an ensemble's members the same.
    outcomes : array of int, shape (n_imputations, n_rows), optional
        From `Sample.complete_training`, where it is shared between candidates.
    unit : str
        Who is kept together in the inner folds, as in `Fold`. Where whole trials or sites make no
        two folds with both classes to learn from, participants are split.
    splits_seed : SeedSequence, optional
        Of the inner folds, where they are shared between candidates.
    is_weighed : bool
        Whether inner losses are wanted also where there is nothing to tune.
    fitted : dict of TunedModel, optional
        Candidates that were fitted to the same rows with the same seeds and inner losses, by
        name: members of an ensemble are taken from it.

    Returns
    -------
    TunedModel
        Fitted to `rows`.
    """
    _, own_seed, _, draws_seed = spawn_seeds(seed, 4)
    if outcomes is None:
        outcomes = sample.complete_training(rows, draws_seed)
    margin = None if sample.margin is None else sample.margin[rows]
    training = [
        TrainingRows(sample.features.take(rows), each.astype(int), margin) for each in outcomes
    ]
    state = draw_state(splits_seed or own_seed)
    wanted = (
        is_weighed
        or bool(candidate.members)
        or (candidate.calibration != "none" and candidate.role == "candidate")
        or _has_choice(candidate)
    )
    drawn = _draw_tuned(sample.people[rows], state)
    splits = (
        _split_inner(
            sample, rows[drawn], outcomes[0][drawn], folds=inner_folds, unit=unit, state=state
        )
        if wanted
        else []
    )
    task = _Task(
        training,
        training[0] if len(drawn) == len(rows) else training[0].take(drawn),
        sample.features.specs,
        splits,
        seed,
        {} if fitted is None else fitted,
    )
    if isinstance(candidate, EnsembleCandidate):
        tuned = task.join(candidate)
    else:
        tuned = task.fit(candidate)
    if sample.background is not None:
        chosen, weights = sample.choose_background(rows)
        tuned.model.explain_against(sample.features.take(chosen), weights)
    return tuned


@dataclass(frozen=True)
class _Task:
    """One training part, and those of it that settings are tuned on, with their inner folds."""

    training: Sequence[TrainingRows]
    tuned_on: TrainingRows
    specs: tuple[FeatureSpec, ...]
    splits: Sequence[tuple[Rows, Rows]]
    seed: np.random.SeedSequence
    fitted: dict[str, TunedModel]

    def fit(self, candidate: Candidate) -> TunedModel:
        """Tune, fit and calibrate a single model."""
        settings_seed, _, fit_seed, _ = spawn_seeds(self.seed, 4)
        random_state = draw_state(fit_seed)
        make = partial(build_model, candidate, self.specs, random_state=random_state)
        tuned = None
        if self.splits:
            settings = list_settings(candidate.search, candidate.draws, settings_seed)
            tuned = tune(make(), settings, self.tuned_on, self.splits)
        setting = {} if tuned is None else tuned.setting
        models = []
        for rows in self.training:
            model = make(setting=setting)
            models.append(model.fit(rows.features, rows.responded, **rows.name_extras(model)))
        joined = models[0] if len(models) == 1 else AveragedModel(models)
        return self._finish(candidate, joined, setting, None if tuned is None else tuned.held_out)

    def join(self, candidate: EnsembleCandidate) -> TunedModel:
        """Fit an ensemble's members, and learn their weights from held-out predictions."""
        members: dict[str, TunedModel] = {}
        reasons = []
        for name, definition in candidate.resolved.items():
            try:
                known = self.fitted.get(name)
                if known is None or (self.splits and known.held_out is None):
                    self.fitted[name] = self.fit(definition)
                members[name] = self.fitted[name]
            except (ValueError, ArithmeticError, GlabellaError) as error:
                reasons.append(f"{name}: {describe_failure(error)}")
        if not members:
            raise ValueError(f"every member failed ({'; '.join(reasons)})")
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
        return self._finish(candidate, model, setting, held_out)

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
        losses = compute_losses(responded, expit(held_out))
        inner = InnerLosses(
            tuple(float(losses[test].mean()) for _, test in self.splits),
            tuple(len(test) for _, test in self.splits),
        )
        return TunedModel(model, setting, inner, held_out)


def _draw_tuned(people: npt.NDArray[np.int_], state: int) -> Rows:
    """Draw whom to tune on: everybody, or whole persons up to a number that is enough."""
    if len(people) <= MOST_TUNED:
        return np.arange(len(people))
    order = np.random.default_rng(state).permutation(np.unique(people))
    place = np.empty(int(people.max()) + 1, dtype=int)
    place[order] = np.arange(len(order))
    first = np.argsort(place[people], kind="stable")[:MOST_TUNED]
    return np.sort(first)


def _has_choice(candidate: Candidate) -> bool:
    draws_several = candidate.draws > 1 and bool(candidate.search)
    return draws_several or any(len(space.each or ()) > 1 for space in candidate.search.values())


def _split_inner(
    sample: Sample,
    rows: Rows,
    outcome: npt.NDArray[np.int8],
    *,
    folds: int,
    unit: Unit,
    state: int,
) -> list[tuple[Rows, Rows]]:
    """Split a training part for tuning; nothing where a class is too rare for two folds."""
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


def validate_candidates(
    candidates: Mapping[str, Candidate],
    sample: Sample,
    folds: Sequence[Fold],
    *,
    inner_folds: int,
    seed: int,
    workers: int,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
    weighed: Collection[str] = (),
) -> list[FoldResult]:
    """Fit each candidate on each fold.

    Parameters
    ----------
    candidates : mapping of Candidate
        By name.
    sample : Sample
        The participants.
    folds : sequence of Fold
        All splits of all designs.
    inner_folds : int
        Folds of the tuning.
    seed : int
        The analysis's seed.
    workers : int
        Processes; the results do not depend on it.
    progress : callable, optional
        Called with a stage, the number done and the number in all.
    checkpoint : Checkpoint, optional
        Where finished fits are kept as they come in; what is there already is not fitted again.
    weighed : collection of str
        The candidates of which losses in the inner folds are wanted, for a choice among them.

    Returns
    -------
    list of FoldResult
        Candidate by candidate, in the order of the folds; a failed fit is recorded as such.
    """
    # Drawn once a fold, not once a candidate: all of them learn from the same completed outcomes.
    outcomes = {fold.key: complete_fold(sample, fold, seed=seed) for fold in folds}
    found: dict[tuple[str, int], FoldResult] = {}
    keys: dict[tuple[str, int], FitKey] = {}
    if checkpoint is not None:
        for name in candidates:
            for at, fold in enumerate(folds):
                keys[name, at] = checkpoint.make_key(
                    candidates[name],
                    sample,
                    fold,
                    outcomes[fold.key],
                    inner_folds=inner_folds,
                    seeds=_derive_seeds(seed, fold),
                    is_weighed=name in weighed,
                )
                kept = checkpoint.find(keys[name, at], name, fold)
                if kept is not None:
                    found[name, at] = kept
    left = [
        (at, [name for name in candidates if (name, at) not in found]) for at in range(len(folds))
    ]
    left = [(at, names) for at, names in left if names]
    jobs = (
        delayed(_run_fold)(
            {name: candidates[name] for name in names},
            sample,
            folds[at],
            outcomes[folds[at].key],
            inner_folds,
            seed,
            [name for name in names if name in weighed],
        )
        for at, names in left
    )
    in_all = len(candidates) * len(folds)
    for (at, _), results in zip(
        left, run_tasks(jobs, workers=workers, shared=[sample]), strict=True
    ):
        for result in results:
            found[result.candidate, at] = result
            if checkpoint is not None:
                checkpoint.keep(keys[result.candidate, at], result)
        if progress is not None:
            progress("validating", len(found), in_all)
    return [found[name, at] for name in candidates for at in range(len(folds))]


def _run_fold(
    candidates: Mapping[str, Candidate],
    sample: Sample,
    fold: Fold,
    outcomes: npt.NDArray[np.int8],
    inner_folds: int,
    seed: int,
    weighed: Collection[str],
) -> list[FoldResult]:
    """Fit all candidates to one training part: an ensemble takes its members from the others."""
    fitted: dict[str, TunedModel] = {}
    held_out = sample.features.take(fold.test)
    results = []
    for name in order_candidates(candidates):
        started = time.perf_counter()
        try:
            with one_thread():
                tuned = fit_on_fold(
                    candidates[name],
                    sample,
                    fold,
                    inner_folds=inner_folds,
                    seed=seed,
                    outcomes=outcomes,
                    is_weighed=name in weighed,
                    fitted=fitted,
                )
                fitted[name] = tuned
                probability = tuned.model.predict_proba(held_out)[:, 1]
                if not np.isfinite(probability).all():
                    raise ValueError("the fitted model gives some participants no probability")
                contributions = tuned.model.contributions(held_out)
        except (ValueError, ArithmeticError, GlabellaError) as error:
            fitted.pop(name, None)
            seconds = time.perf_counter() - started
            results.append(FoldResult(name, fold, None, None, {}, seconds, describe_failure(error)))
            continue
        results.append(
            FoldResult(
                name,
                fold,
                probability,
                contributions,
                tuned.setting,
                time.perf_counter() - started,
                inner=tuned.inner,
            )
        )
    return results


def order_candidates(candidates: Mapping[str, Candidate]) -> list[str]:
    """Put those after the others that take them as members.

    Parameters
    ----------
    candidates : mapping of Candidate
        By name.

    Returns
    -------
    list of str
        In the order in which they are to be fitted.
    """
    return sorted(candidates, key=lambda name: bool(candidates[name].members))


def fit_on_fold(
    candidate: Candidate,
    sample: Sample,
    fold: Fold,
    *,
    inner_folds: int,
    seed: int,
    outcomes: npt.NDArray[np.int8] | None = None,
    is_weighed: bool = False,
    fitted: dict[str, TunedModel] | None = None,
) -> TunedModel:
    """Fit a candidate to the training part of a fold, as validation does.

    Parameters
    ----------
    candidate : Candidate
        The definition.
    sample : Sample
        The participants.
    fold : Fold
        The split.
    inner_folds : int
        Folds of the tuning.
    seed : int
        The analysis's seed.
    outcomes : array of int, shape (n_imputations, n_training), optional
        From `complete_fold`, where they are shared between candidates.
    is_weighed, fitted
        As in `tune_and_fit`.

    Returns
    -------
    TunedModel
        The same each time.
    """
    fit_seed, splits_seed = _derive_seeds(seed, fold)
    return tune_and_fit(
        candidate,
        sample,
        fold.train,
        inner_folds=inner_folds,
        seed=fit_seed,
        outcomes=complete_fold(sample, fold, seed=seed) if outcomes is None else outcomes,
        unit=fold.unit,
        splits_seed=splits_seed,
        is_weighed=is_weighed,
        fitted=fitted,
    )


def complete_fold(sample: Sample, fold: Fold, *, seed: int) -> npt.NDArray[np.int8]:
    """Complete the outcomes of a training part; all candidates learn from the same.

    Parameters
    ----------
    sample : Sample
        The participants.
    fold : Fold
        The split.
    seed : int
        The analysis's seed.

    Returns
    -------
    array of int, shape (n_imputations, n_training)
        One row where nothing is imputed.
    """
    return sample.complete_training(fold.train, derive_seed(seed, "impute", *fold.key))


def _derive_seeds(seed: int, fold: Fold) -> tuple[np.random.SeedSequence, np.random.SeedSequence]:
    """Derive the seed of a fit, and that of its inner folds, which all candidates share."""
    return derive_seed(seed, "fit", *fold.key), derive_seed(seed, "inner", *fold.key)


def collect_predictions(results: Sequence[FoldResult], sample: Sample) -> pd.DataFrame:
    """Put out-of-fold predictions into one table.

    Parameters
    ----------
    results : sequence of FoldResult
        Of one candidate, none of them failed.
    sample : Sample
        The participants.

    Returns
    -------
    DataFrame
        One row a prediction: ``row`` (the participant's position), ``design``, ``repeat``,
        ``fold``, ``group``, ``responded`` (where outcomes are imputed, the share of imputations),
        ``probability``.
    """
    expected = sample.labels if len(sample.outcomes) == 1 else sample.expected
    parts = [
        pd.DataFrame(
            {
                "row": result.fold.test,
                "design": result.fold.design,
                "repeat": result.fold.repeat,
                "fold": result.fold.number,
                "group": result.fold.group or "",
                "responded": expected[result.fold.test],
                "probability": result.probability,
            }
        )
        for result in results
    ]
    return pd.concat(parts, ignore_index=True)
