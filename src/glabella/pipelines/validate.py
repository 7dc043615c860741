"""The validation step: makes the folds, fits every candidate on them, measures and chooses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glabella.errors import AnalysisError
from glabella.pipelines.load import LoadedAnalysis
from glabella.validation.checkpoint import Checkpoint
from glabella.validation.comparison import Choice, Difference, choose_candidate, compare_losses
from glabella.validation.fold_result import FoldResult
from glabella.validation.gain import Gain, measure_gain
from glabella.validation.intervals import not_estimable
from glabella.validation.nested import (
    Progress,
    collect_predictions,
    validate_candidates,
)
from glabella.validation.performance import (
    MEASURES,
    GroupPerformance,
    Performance,
    measure_by_group,
    measure_performance,
)
from glabella.validation.result import CandidateResult
from glabella.validation.sample import Sample
from glabella.validation.seeds import derive_seed
from glabella.validation.splits import (
    Fold,
    Rows,
    count_classes,
    make_left_out_folds,
    make_repeated_folds,
)


@dataclass(frozen=True)
class FoldPlan:
    """The folds of every design, and the trials that are too small for folds of their own.

    Parameters
    ----------
    folds : tuple of Fold
        Of all designs.
    infeasible : dict
        Trial to the reason why it can't be validated inside.
    """

    folds: tuple[Fold, ...]
    infeasible: dict[str, str]


@dataclass(frozen=True)
class Validated:
    """What validation came to.

    Parameters
    ----------
    candidates : dict of CandidateResult
        By name, simplest first.
    predictions : dict of DataFrame
        Out-of-fold predictions of all designs, by candidate that did not fail.
    results : tuple of FoldResult
        Everything that was fitted.
    choice : Choice
        The chosen candidate.
    differences : tuple of Difference
        The chosen candidate against each reference.
    plan : FoldPlan
        The folds.
    """

    candidates: dict[str, CandidateResult]
    predictions: dict[str, pd.DataFrame]
    results: tuple[FoldResult, ...]
    choice: Choice
    differences: tuple[Difference, ...]
    plan: FoldPlan

    def select(self, candidate: str, design: str) -> pd.DataFrame:
        """Take the out-of-fold predictions of a candidate under a design.

        Parameters
        ----------
        candidate : str
            Its name.
        design : str
            ``pooled``, ``inside`` or ``across``.

        Returns
        -------
        DataFrame
            Rows of `collect_predictions`.
        """
        table = self.predictions[candidate]
        return table[table["design"] == design]


def plan_folds(loaded: LoadedAnalysis) -> FoldPlan:
    """Make the folds of every design that the analysis asks for.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.

    Returns
    -------
    FoldPlan
        Folds, and trials that are too small for some.

    Raises
    ------
    AnalysisError
        If the pooled or the across design is not feasible.
    """
    analysis, sample = loaded.resolved.analysis.value, loaded.sample
    design = analysis.validation
    cells = [sample.arm, sample.trial]
    folds = make_repeated_folds(
        cells,
        sample.labels,
        folds=design.pooled.folds,
        repeats=design.pooled.repeats,
        seed=derive_seed(analysis.seed, "pooled"),
        people=sample.people,
    )
    infeasible: dict[str, str] = {}
    if design.inside is not None:
        for trial in dict.fromkeys(sample.trial.tolist()):
            try:
                folds += make_repeated_folds(
                    cells,
                    sample.labels,
                    folds=design.inside.folds,
                    repeats=design.inside.repeats,
                    seed=derive_seed(analysis.seed, "inside", trial),
                    design="inside",
                    rows=_rows_of(sample, trial),
                    group=trial,
                    people=sample.people,
                )
            except AnalysisError as error:
                infeasible[trial] = error.finding
    if design.across is not None:
        groups = sample.trial if design.across == "leave_one_trial_out" else sample.site
        across = make_left_out_folds(groups)
        for fold in across:
            if min(count_classes(sample.labels[fold.train])) == 0:
                raise AnalysisError(
                    f"without '{fold.group}' the training participants are of one class",
                    place="validation.across",
                    remedy="Leave `across:` out, or pool more trials.",
                )
        folds += across
    if sample.imputation is not None:
        for fold in folds:
            sample.imputation.refuse_thin(fold.train, _name_training(fold))
    return FoldPlan(tuple(folds), infeasible)


def _name_training(fold: Fold) -> str:
    where = f" inside trial '{fold.group}'" if fold.design == "inside" else ""
    if fold.design == "across":
        return f"what is left without '{fold.group}'"
    return f"the training part of fold {fold.number + 1}{where}"


def run_validation(
    loaded: LoadedAnalysis,
    *,
    workers: int,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> Validated:
    """Validate every candidate under every design, and choose one.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    workers : int
        Processes; the results do not depend on it.
    progress : callable, optional
        Called with a stage, the number done and the number in all.
    checkpoint : Checkpoint, optional
        Where finished fits are kept and found.

    Returns
    -------
    Validated
        Figures, predictions and the choice.

    Raises
    ------
    AnalysisError
        If a design is not feasible, or every candidate failed.
    """
    analysis, sample = loaded.resolved.analysis.value, loaded.sample
    candidates = {name: read.value for name, read in loaded.resolved.candidates.items()}
    plan = plan_folds(loaded)
    results = validate_candidates(
        candidates,
        sample,
        plan.folds,
        inner_folds=analysis.validation.inner_folds,
        seed=analysis.seed,
        workers=workers,
        progress=progress,
        checkpoint=checkpoint,
    )
    by_name = {name: [item for item in results if item.candidate == name] for name in candidates}
    predictions = {
        name: collect_predictions(mine, sample)
        for name, mine in by_name.items()
        if all(item.error is None for item in mine)
    }
    references = loaded.resolved.references
    if not set(predictions) - set(references) and set(candidates) - set(references):
        reasons = {f"{item.candidate}: {item.error}" for item in results if item.error is not None}
        raise AnalysisError(
            f"every candidate that could be chosen failed ({'; '.join(sorted(reasons))})",
            remedy="Mend its definition in models/, or the features that it can't take.",
        )
    measured = {
        name: _measure(name, loaded, by_name[name], predictions, plan.infeasible)
        for name in candidates
    }
    pooled = {name: table[table["design"] == "pooled"] for name, table in predictions.items()}
    choice = choose_candidate(list(pooled), references, pooled, sample.outcomes)
    differences = tuple(
        compare_losses(choice.name, name, pooled, sample.outcomes)
        for name in references
        if name in pooled and name != choice.name
    )
    return Validated(measured, predictions, tuple(results), choice, differences, plan)


def _rows_of(sample: Sample, trial: str) -> Rows:
    return np.flatnonzero(sample.trial == trial)


def _measure(
    name: str,
    loaded: LoadedAnalysis,
    results: list[FoldResult],
    all_predictions: dict[str, pd.DataFrame],
    infeasible: dict[str, str],
) -> CandidateResult:
    candidate = loaded.resolved.candidates[name].value
    sample, design = loaded.sample, loaded.resolved.analysis.value.validation
    errors = [item.error for item in results if item.error is not None]
    seconds = sum(item.seconds for item in results)
    predictions = all_predictions.get(name)
    if predictions is None:
        return CandidateResult(
            name, candidate.description, candidate.role, errors[0], None, None, None, (), seconds
        )
    parts = {
        part: predictions[predictions["design"] == part] for part in ("pooled", "inside", "across")
    }
    return CandidateResult(
        name=name,
        description=candidate.description,
        role=candidate.role,
        error=None,
        pooled=measure_performance(parts["pooled"], sample, threshold=design.threshold),
        inside=None
        if design.inside is None
        else _measure_inside(parts["inside"], sample, infeasible, design.threshold),
        across=None
        if design.across is None
        else measure_performance(parts["across"], sample, threshold=design.threshold),
        groups=()
        if design.across is None
        else measure_by_group(parts["across"], sample, threshold=design.threshold),
        seconds=seconds,
        gains=_measure_gains(name, loaded, all_predictions),
    )


def _measure_gains(
    name: str, loaded: LoadedAnalysis, predictions: dict[str, pd.DataFrame]
) -> dict[str, tuple[Gain, ...]]:
    """Hold a candidate against each reference, under each design that all are in."""
    references = loaded.resolved.references
    if name in references:
        return {}
    compared = [name, *(other for other in references if other in predictions)]
    gains = {}
    for design in ("pooled", "across"):
        tables = {
            other: predictions[other][predictions[other]["design"] == design] for other in compared
        }
        if len(tables[name]):
            gains[design] = tuple(
                measure_gain(name, other, tables, loaded.sample, by_fold=design == "pooled")
                for other in compared[1:]
            )
    return gains


def _measure_inside(
    predictions: pd.DataFrame, sample: Sample, infeasible: dict[str, str], threshold: float
) -> tuple[GroupPerformance, ...]:
    """Give every trial an entry: its figures, or the reason why it has none."""
    measured = {
        group.group: group for group in measure_by_group(predictions, sample, threshold=threshold)
    }
    entries = []
    for trial in dict.fromkeys(sample.trial.tolist()):
        if trial in measured:
            entries.append(measured[trial])
            continue
        of_trial = np.flatnonzero(sample.trial == trial)
        entries.append(
            GroupPerformance(
                trial,
                Performance(
                    n=len(of_trial),
                    events=sample.count_events(of_trial),
                    estimates=dict.fromkeys(MEASURES, not_estimable(infeasible[trial])),
                    pairs=0,
                    pairs_control=0,
                    threshold=threshold,
                ),
            )
        )
    return tuple(entries)
