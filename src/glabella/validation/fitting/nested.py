"""Nested cross-validation: candidates tuned inside each training part, predicted held out."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import delayed

from glabella.errors import GlabellaError
from glabella.models.candidate import Candidate
from glabella.validation.fitting.digest import FitKey
from glabella.validation.fitting.runner import ONE_BY_ONE, Runner
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.fitting.training_part import TunedModel
from glabella.validation.fitting.workers import keep_one_thread
from glabella.validation.folds.fold_result import FoldResult
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.splits import Fold
from glabella.validation.measures.estimation.attempt import describe_failure


def validate_candidates(
    candidates: Mapping[str, Candidate],
    trainer: Trainer,
    folds: Sequence[Fold],
    *,
    runner: Runner = ONE_BY_ONE,
    weighed: Collection[str] = (),
) -> list[FoldResult]:
    """Fit each candidate on each fold.

    Returns
    -------
    list of FoldResult
        Candidate by candidate, in the order of the folds; a failed fit is recorded as such.
    """
    # Drawn once a fold, not once a candidate: all of them learn from the same completed outcomes.
    outcomes = {fold.key: trainer.complete_fold(fold) for fold in folds}
    keys = _make_keys(candidates, trainer, folds, outcomes, runner, weighed)
    found: dict[tuple[str, int], FoldResult] = {}
    for (name, at), key in keys.items():
        kept = None if runner.checkpoint is None else runner.checkpoint.find(key, name, folds[at])
        if kept is not None:
            found[name, at] = kept
    left = [
        (at, [name for name in candidates if (name, at) not in found]) for at in range(len(folds))
    ]
    left = [(at, names) for at, names in left if names]
    jobs = (
        delayed(_run_fold)(
            {name: candidates[name] for name in names},
            trainer,
            folds[at],
            outcomes[folds[at].key],
            [name for name in names if name in weighed],
        )
        for at, names in left
    )
    in_all = len(candidates) * len(folds)
    for (at, _), results in zip(left, runner.run(jobs, shared=[trainer]), strict=True):
        for result in results:
            found[result.candidate, at] = result
            if runner.checkpoint is not None:
                runner.checkpoint.keep(keys[result.candidate, at], result)
        runner.note_done("validating", len(found), in_all)
    return [found[name, at] for name in candidates for at in range(len(folds))]


def _make_keys(
    candidates: Mapping[str, Candidate],
    trainer: Trainer,
    folds: Sequence[Fold],
    outcomes: Mapping[tuple[str, int, int, str], npt.NDArray[np.int8]],
    runner: Runner,
    weighed: Collection[str],
) -> dict[tuple[str, int], FitKey]:
    """Make the key of each fit by candidate and fold, where finished fits are kept."""
    if runner.checkpoint is None:
        return {}
    digester = runner.checkpoint.digester
    return {
        (name, at): digester.make_key(
            candidate,
            trainer.sample,
            fold,
            outcomes[fold.key],
            inner_folds=trainer.inner_folds,
            seeds=trainer.derive_seeds(fold),
            is_weighed=name in weighed,
        )
        for name, candidate in candidates.items()
        for at, fold in enumerate(folds)
    }


def _run_fold(
    candidates: Mapping[str, Candidate],
    trainer: Trainer,
    fold: Fold,
    outcomes: npt.NDArray[np.int8],
    weighed: Collection[str],
) -> list[FoldResult]:
    """Fit all candidates to one training part: an ensemble takes its members from the others."""
    known: dict[str, TunedModel] = {}
    held_out = trainer.sample.features.take(fold.test)
    results = []
    for name in order_candidates(candidates):
        started = time.perf_counter()
        try:
            with keep_one_thread():
                tuned = trainer.fit_on_fold(
                    candidates[name],
                    fold,
                    outcomes=outcomes,
                    is_weighed=name in weighed,
                    known=known,
                )
                known |= tuned.members
                probability = tuned.model.predict_proba(held_out)[:, 1]
                if not np.isfinite(probability).all():
                    raise ValueError("the fitted model gives some participants no probability")
                contributions = tuned.model.contributions(held_out)
                known[name] = tuned
        except (ValueError, ArithmeticError, GlabellaError) as error:
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
    """Put candidates after those that they take as members."""
    return sorted(candidates, key=lambda name: bool(candidates[name].members))


def collect_predictions(results: Sequence[FoldResult], sample: Sample) -> pd.DataFrame:
    """Put out-of-fold predictions into one table.

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
