"""The validation step: makes the folds, fits every candidate on them, measures and chooses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.errors import AnalysisError
from glabella.validation.comparison.candidate_result import CandidateResult
from glabella.validation.comparison.choice import (
    Choice,
    Difference,
    choose_candidate,
    compare_losses,
    list_eligible,
)
from glabella.validation.comparison.gain import Gain, adjust_gains, measure_gain
from glabella.validation.comparison.procedure import PROCEDURE, ChosenInFolds, choose_in_folds
from glabella.validation.fitting.nested import collect_predictions, validate_candidates
from glabella.validation.fitting.runner import ONE_BY_ONE, Runner
from glabella.validation.folds.fold_result import FoldResult
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.estimation.estimate import make_missing_estimate
from glabella.validation.measures.performance import (
    GroupPerformance,
    Performance,
    measure_by_arm,
    measure_by_group,
    measure_performance,
)
from glabella.validation.measures.registry import MEASURES


@dataclass(frozen=True)
class CrossValidation:
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
        The candidate that is kept: chosen by the validation on all participants.
    procedure : CandidateResult
        The figures of choosing and fitting together: in each fold, of the candidate that the same
        rule chose inside the training part.
    followed : ChosenInFolds
        What it chose in each fold.
    differences : tuple of Difference
        The procedure against each reference.
    against_chosen : tuple of Difference
        Every other candidate that could be chosen against the chosen one.
    """

    candidates: dict[str, CandidateResult]
    predictions: dict[str, pd.DataFrame]
    results: tuple[FoldResult, ...]
    choice: Choice
    procedure: CandidateResult
    followed: ChosenInFolds
    differences: tuple[Difference, ...]
    against_chosen: tuple[Difference, ...]

    def select(self, candidate: str, design: str) -> pd.DataFrame:
        """Take the out-of-fold predictions of a candidate under a design."""
        table = self.predictions[candidate]
        return table[table["design"] == design]


def run_validation(
    loaded: LoadedAnalysis,
    runner: Runner = ONE_BY_ONE,
    *,
    by_arm: bool = True,
) -> CrossValidation:
    """Validate every candidate under every design, and choose one."""
    sample = loaded.sample
    candidates = {name: read.value for name, read in loaded.resolved.candidates.items()}
    references = loaded.resolved.references
    eligible = list_eligible(candidates, references)
    results = validate_candidates(
        candidates,
        loaded.trainer,
        loaded.plan.folds,
        runner=runner,
        weighed=eligible if len(eligible) > 1 else (),
    )
    fitted = _Fitted.collect(results, candidates, sample)
    _check_failure(fitted, set(candidates) - set(references))
    pooled = fitted.select_pooled()
    choice = choose_candidate(list(pooled), references, pooled, sample.outcomes)
    chosen_from = list_eligible(pooled, references)
    followed = choose_in_folds({name: fitted.by_name[name] for name in chosen_from})
    measure = _Measuring(loaded, loaded.plan.infeasible, fitted, by_arm)
    measured = _adjust(measure(name) for name in candidates)
    if len(chosen_from) == 1:
        procedure = replace(measured[choice.name], name=PROCEDURE)
        pooled[PROCEDURE] = pooled[choice.name]
    else:
        beside = fitted.add_procedure(followed, sample)
        pooled = beside.select_pooled()
        procedure = replace(measure, fitted=beside)(PROCEDURE)
    return CrossValidation(
        candidates=measured,
        predictions=fitted.predictions,
        results=tuple(results),
        choice=choice,
        procedure=procedure,
        followed=followed,
        differences=tuple(
            Difference(PROCEDURE, gain.against, -gain.log_loss)
            for name in references
            if name in pooled and name != choice.name
            for gain in [measure_gain(PROCEDURE, name, pooled, sample)]
        ),
        against_chosen=tuple(
            compare_losses(name, choice.name, pooled, sample.outcomes)
            for name in chosen_from
            if name != choice.name
        ),
    )


@dataclass(frozen=True)
class _Fitted:
    """What was fitted, by candidate, and the predictions of those that never failed."""

    by_name: dict[str, list[FoldResult]]
    predictions: dict[str, pd.DataFrame]

    @classmethod
    def collect(
        cls, results: Sequence[FoldResult], names: Iterable[str], sample: Sample
    ) -> _Fitted:
        by_name = {name: [item for item in results if item.candidate == name] for name in names}
        predictions = {
            name: collect_predictions(mine, sample)
            for name, mine in by_name.items()
            if all(item.error is None for item in mine)
        }
        return cls(by_name, predictions)

    def select_pooled(self) -> dict[str, pd.DataFrame]:
        return {
            name: table[table["design"] == "pooled"] for name, table in self.predictions.items()
        }

    def add_procedure(self, followed: ChosenInFolds, sample: Sample) -> _Fitted:
        mine = [replace(item, candidate=PROCEDURE) for item in followed.results]
        return _Fitted(
            {**self.by_name, PROCEDURE: mine},
            {**self.predictions, PROCEDURE: collect_predictions(mine, sample)},
        )


def _check_failure(fitted: _Fitted, to_choose_from: set[str]) -> None:
    """Refuse an analysis of which every candidate that could be chosen failed."""
    if not to_choose_from or to_choose_from & set(fitted.predictions):
        return
    results = (item for mine in fitted.by_name.values() for item in mine)
    reasons = {f"{item.candidate}: {item.error}" for item in results if item.error is not None}
    raise AnalysisError(
        f"every candidate that could be chosen failed ({'; '.join(sorted(reasons))})",
        remedy="Mend its definition in models/, or the features that it can't take.",
    )


def _adjust(measured: Iterable[CandidateResult]) -> dict[str, CandidateResult]:
    """Adjust the gains of all candidates under a design for how many they are."""
    by_name = {item.name: item for item in measured}
    adjusted: dict[str, dict[str, tuple[Gain, ...]]] = {name: {} for name in by_name}
    for design in ("pooled", "across"):
        mine = {name: item.gains[design] for name, item in by_name.items() if design in item.gains}
        for name, gains in adjust_gains(mine).items():
            adjusted[name][design] = gains
    return {name: replace(item, gains=adjusted[name]) for name, item in by_name.items()}


@dataclass(frozen=True)
class _Measuring:
    """Measures candidates, or the procedure, under every design."""

    loaded: LoadedAnalysis
    infeasible: dict[str, str]
    fitted: _Fitted
    by_arm: bool

    def __call__(self, name: str) -> CandidateResult:
        sample = self.loaded.sample
        design = self.loaded.analysis.validation
        read = self.loaded.resolved.candidates.get(name)
        results = self.fitted.by_name[name]
        result = CandidateResult(
            name=name,
            description="the choice among the candidates, inside each training part"
            if read is None
            else read.value.description,
            role="candidate" if read is None else read.value.role,
            error=next((item.error for item in results if item.error is not None), None),
            pooled=None,
            inside=None,
            across=None,
            groups=(),
            seconds=sum(item.seconds for item in results),
        )
        table = self.fitted.predictions.get(name)
        if table is None:
            return result
        parts = {part: table[table["design"] == part] for part in ("pooled", "inside", "across")}
        measure = partial(measure_performance, sample=sample, threshold=design.threshold)
        by_group = partial(measure_by_group, sample=sample, threshold=design.threshold)
        if design.inside is not None:
            inside = self._complete_inside(by_group(parts["inside"]), design.threshold)
            result = replace(result, inside=inside)
        if design.across is not None:
            result = replace(
                result, across=measure(parts["across"]), groups=by_group(parts["across"])
            )
        return replace(
            result,
            pooled=measure(parts["pooled"]),
            arms=measure_by_arm(parts["pooled"], sample, threshold=design.threshold)
            if self.by_arm
            else (),
            gains=self._measure_gains(name),
        )

    def _measure_gains(self, name: str) -> dict[str, tuple[Gain, ...]]:
        """Hold a candidate against each reference, under each design that all are in."""
        references, predictions = self.loaded.resolved.references, self.fitted.predictions
        if name in references:
            return {}
        compared = [name, *(other for other in references if other in predictions)]
        gains = {}
        for design in ("pooled", "across"):
            tables = {
                other: predictions[other][predictions[other]["design"] == design]
                for other in compared
            }
            if len(tables[name]):
                gains[design] = tuple(
                    measure_gain(
                        name,
                        other,
                        tables,
                        self.loaded.sample,
                        is_tested=design == "pooled",
                        by_group=design == "across",
                    )
                    for other in compared[1:]
                )
        return gains

    def _complete_inside(
        self, groups: tuple[GroupPerformance, ...], threshold: float
    ) -> tuple[GroupPerformance, ...]:
        """Give every trial an entry: its figures, or the reason why it has none."""
        sample, measured = self.loaded.sample, {group.group: group for group in groups}
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
                        estimates=dict.fromkeys(
                            MEASURES, make_missing_estimate(self.infeasible[trial])
                        ),
                        pairs=0,
                        pairs_control=0,
                        threshold=threshold,
                    ),
                )
            )
        return tuple(entries)
