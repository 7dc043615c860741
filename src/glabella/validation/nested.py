"""Fits candidates on folds: tuned inside the training part, predicted on the held-out part."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import delayed
from sklearn.model_selection import GridSearchCV

from glabella.errors import AnalysisError, GlabellaError
from glabella.models.build import build_model
from glabella.models.candidate import Candidate
from glabella.models.estimators.averaged import AveragedModel
from glabella.models.estimators.interface import ResponderModel
from glabella.models.space import list_settings
from glabella.validation.checkpoint import Checkpoint, FitKey
from glabella.validation.fold_result import FoldResult, InnerLosses
from glabella.validation.metrics import compute_losses
from glabella.validation.parallel import one_thread, run_tasks
from glabella.validation.sample import Sample
from glabella.validation.seeds import derive_seed, draw_state, spawn_seeds
from glabella.validation.splits import (
    Fold,
    Rows,
    Unit,
    count_classes,
    split_grouped,
    split_stratified,
)

Progress = Callable[[str, int, int], None]


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
        Of that setting in the inner folds; None where nothing was tuned or weighed.
    """

    model: ResponderModel
    setting: dict[str, Any]
    inner: InnerLosses | None = None


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
) -> TunedModel:
    """Tune a candidate by cross-validated log loss within some rows, then fit it to them.

    Where outcomes are imputed, settings are tuned on the first imputation, the candidate is
    fitted to each, and the fits are averaged.

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
        Of settings, folds, fits and imputations.
    outcomes : array of int, shape (n_imputations, n_rows), optional
        From `Sample.complete_training`, where it is shared between candidates.
    unit : str
        Who is kept together in the inner folds, as in `Fold`. Where whole trials or sites make no
        two folds with both classes to learn from, participants are split.
    splits_seed : SeedSequence, optional
        Of the inner folds, where they are shared between candidates.
    is_weighed : bool
        Whether inner losses are wanted also where there is nothing to tune.

    Returns
    -------
    TunedModel
        Fitted to `rows`.
    """
    settings_seed, own_seed, fit_seed, draws_seed = spawn_seeds(seed, 4)
    if outcomes is None:
        outcomes = sample.complete_training(rows, draws_seed)
    random_state = draw_state(fit_seed)
    settings = list_settings(candidate.search, candidate.draws, settings_seed)
    specs = sample.features.specs
    frame, outcome = sample.features.take(rows), outcomes[0]
    setting: dict[str, Any] = {}
    inner = None
    splits: list[tuple[Rows, Rows]] = []
    if len(settings) > 1 or is_weighed:
        state = draw_state(splits_seed or own_seed)
        splits = _split_inner(sample, rows, outcome, folds=inner_folds, unit=unit, state=state)
    if splits:
        search = GridSearchCV(
            build_model(candidate, specs, random_state=random_state),
            [{name: [value] for name, value in tried.items()} for tried in settings],
            scoring=_score_log_loss,
            cv=splits,
            refit=False,
            error_score="raise",
        )
        search.fit(frame, outcome)
        setting = dict(search.best_params_)
        inner = InnerLosses(
            tuple(
                -float(search.cv_results_[f"split{number}_test_score"][search.best_index_])
                for number in range(len(splits))
            ),
            tuple(len(test) for _, test in splits),
        )
    members = [
        build_model(candidate, specs, random_state=random_state, setting=setting).fit(frame, each)
        for each in outcomes
    ]
    return TunedModel(members[0] if len(members) == 1 else AveragedModel(members), setting, inner)


def _score_log_loss(model: ResponderModel, frame: pd.DataFrame, responded: Rows) -> float:
    """Score as scikit-learn's `neg_log_loss`, which refuses a fold of one class."""
    return -float(compute_losses(responded, model.predict_proba(frame)[:, 1]).mean())


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
    tasks = [(name, fold) for name in candidates for fold in folds]
    # Drawn once a fold, not once a candidate: all of them learn from the same completed outcomes.
    outcomes = {
        fold.key: sample.complete_training(fold.train, derive_seed(seed, "impute", *fold.key))
        for fold in folds
    }
    found: list[FoldResult | None] = [None] * len(tasks)
    keys: list[FitKey | None] = [None] * len(tasks)
    if checkpoint is not None:
        for at, (name, fold) in enumerate(tasks):
            made = checkpoint.make_key(
                candidates[name],
                sample,
                fold,
                outcomes[fold.key],
                inner_folds=inner_folds,
                seeds=_derive_seeds(seed, name, fold),
                is_weighed=name in weighed,
            )
            keys[at], found[at] = made, checkpoint.find(made, name, fold)
    left = [at for at, result in enumerate(found) if result is None]
    jobs = (
        delayed(_run_fold)(
            tasks[at][0],
            candidates[tasks[at][0]],
            sample,
            tasks[at][1],
            outcomes[tasks[at][1].key],
            inner_folds,
            seed,
            tasks[at][0] in weighed,
        )
        for at in left
    )
    done = len(tasks) - len(left)
    fitted = run_tasks(jobs, workers=workers, shared=[sample])
    for at, result in zip(left, fitted, strict=True):
        found[at] = result
        key = keys[at]
        if checkpoint is not None and key is not None:
            checkpoint.keep(key, result)
        done += 1
        if progress is not None:
            progress(f"validating {result.candidate}", done, len(tasks))
    return [result for result in found if result is not None]


def _run_fold(
    name: str,
    candidate: Candidate,
    sample: Sample,
    fold: Fold,
    outcomes: npt.NDArray[np.int8],
    inner_folds: int,
    seed: int,
    is_weighed: bool,
) -> FoldResult:
    started = time.perf_counter()
    fit_seed, splits_seed = _derive_seeds(seed, name, fold)
    try:
        with one_thread():
            tuned = tune_and_fit(
                candidate,
                sample,
                fold.train,
                inner_folds=inner_folds,
                seed=fit_seed,
                outcomes=outcomes,
                unit=fold.unit,
                splits_seed=splits_seed,
                is_weighed=is_weighed,
            )
            held_out = sample.features.take(fold.test)
            probability = tuned.model.predict_proba(held_out)[:, 1]
            if not np.isfinite(probability).all():
                raise ValueError("the fitted model gives some participants no probability")
            contributions = tuned.model.contributions(held_out)
    except (ValueError, ArithmeticError, GlabellaError) as error:
        seconds = time.perf_counter() - started
        reason = error.finding if isinstance(error, GlabellaError) else _first_line(error)
        return FoldResult(name, fold, None, None, {}, seconds, reason)
    return FoldResult(
        name,
        fold,
        probability,
        contributions,
        tuned.setting,
        time.perf_counter() - started,
        inner=tuned.inner,
    )


def _derive_seeds(
    seed: int, name: str, fold: Fold
) -> tuple[np.random.SeedSequence, np.random.SeedSequence]:
    """Derive the seed of a fit, and that of its inner folds, which all candidates share."""
    return derive_seed(seed, "fit", name, *fold.key), derive_seed(seed, "inner", *fold.key)


def _first_line(error: Exception) -> str:
    """Keep a library's message short, and free of what it quotes: that may be a value."""
    first = str(error).strip().split("\n")[0]
    return re.sub(r"""(['"]).*?\1""", "'...'", first) or type(error).__name__


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
