"""The permutation tests of a training: is there anything, and anything beyond severity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.models.candidate import Candidate
from glabella.pipelines.training.parts.part import FittedAnalysis, Part
from glabella.validation.comparison.permutation import (
    Draw,
    PermutationTest,
    permute_given,
    permute_within,
    run_permutation_test,
)
from glabella.validation.fitting.digest import Digester
from glabella.validation.fitting.nested import validate_candidates
from glabella.validation.fitting.runner import ONE_BY_ONE, Runner
from glabella.validation.fitting.trainer import Trainer
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.folds.splits import Fold, Rows, make_repeated_folds
from glabella.validation.measures.discrimination import count_concordance

_NOTHING = (
    "within trial and arm, no candidate's features distinguish responders of the active arm from "
    "non-responders"
)
_NOTHING_BEYOND = "within trial and arm, no candidate distinguishes them better than severity does"
_SEVERITY = "severity"


@dataclass(frozen=True)
class Permutations(Part):
    """Both tests of the whole procedure.

    Parameters
    ----------
    anything : PermutationTest
        The largest headline concordance over candidates, participants permuted within trial,
        cohort and arm.
    beyond_severity : PermutationTest
        The largest gain in it over `severity`, permuted so that severity keeps its relation with
        response.
    folds : int
        Of the one repetition of cross-validation that each permutation is put through.
    """

    name: ClassVar[str] = "permutations"
    words: ClassVar[str] = "permutation tests"
    anything: PermutationTest
    beyond_severity: PermutationTest
    folds: int

    @classmethod
    def compute(cls, fitted: FittedAnalysis) -> Permutations | None:
        """Run both tests, if the analysis asks for permutations."""
        return run_permutations(fitted.loaded, fitted.runner)

    def describe(self) -> dict[str, str]:
        """State both results."""
        return {
            "anything": self.anything.describe(),
            "beyond_severity": self.beyond_severity.describe(),
        }

    def as_json(self) -> dict[str, Any]:
        """Give the results as plain values."""
        tests = {"anything": self.anything, "beyond_severity": self.beyond_severity}
        return {
            name: {**asdict(test), "statement": test.describe()} for name, test in tests.items()
        } | {"folds": self.folds}

    def list_metrics(self) -> dict[str, float]:
        """List the p-values of both tests."""
        tests = {"anything": self.anything, "beyond_severity": self.beyond_severity}
        return {
            f"permutation.{name}.p": test.p_value
            for name, test in tests.items()
            if test.p_value is not None
        }


@dataclass(frozen=True)
class _Procedure:
    """Validates candidates on permuted participants; tuning included, all of it learnt anew."""

    candidates: Mapping[str, Candidate]
    references: tuple[str, ...]
    trainer: Trainer
    folds: tuple[Fold, ...]

    @property
    def sample(self) -> Sample:
        return self.trainer.sample

    def __call__(self, order: Rows) -> dict[str, float]:
        names = [spec.name for spec in self.sample.features.specs]
        permuted = self.sample.exchange(names, order, self.trainer.seed)
        results = validate_candidates(
            self.candidates, replace(self.trainer, sample=permuted), self.folds
        )
        values: dict[str, float] = {}
        for name in self.candidates:
            mine = [item for item in results if item.candidate == name]
            probability = np.full(self.sample.n, np.nan)
            for item in mine:
                if item.probability is not None:
                    probability[item.fold.test] = item.probability
            if not np.isnan(probability).any():
                values[name] = self._compute_headline(probability)
        gained = [values.get(name, np.nan) for name in self.references]
        return {
            name: value - sum(gained)
            for name, value in values.items()
            if name not in self.references
        }

    def make_scope(self, digester: Digester) -> str:
        """Make the scope of its permutations, which differ by their hypothesis as well."""
        folds = [(fold.key, fold.test.tolist()) for fold in self.folds]
        return digester.make_scope(
            self.candidates, self.sample, "permute", self.references, folds,
            self.trainer.inner_folds, self.trainer.seed,
        )  # fmt: skip

    def _compute_headline(self, probability: npt.NDArray[np.float64]) -> float:
        """Compute the concordance in the active arms, over all imputations where there are any."""
        outer = np.empty(self.sample.n, dtype=int)
        for fold in self.folds:
            outer[fold.test] = fold.number
        cells = np.unique(self.sample.strata, return_inverse=True)[1]
        within = outer * (cells.max() + 1) + cells
        active = self.sample.active
        agreeing = pairs = 0.0
        for outcomes in self.sample.outcomes:
            responded = outcomes[active].astype(bool)
            agree, count = count_concordance(responded, probability[active], within[active])
            agreeing += float(agree[responded].sum())
            pairs += float(count[responded].sum())
        return agreeing / pairs if pairs else float("nan")


def run_permutations(
    loaded: LoadedAnalysis,
    runner: Runner = ONE_BY_ONE,
) -> Permutations | None:
    """Run both tests, where the analysis asks for permutations.

    The folds are the same in all permutations: they are stratified by what stays in place.
    """
    analysis, sample = loaded.analysis, loaded.sample
    design = analysis.validation
    if design.permutations is None:
        return None
    all_candidates = {name: read.value for name, read in loaded.resolved.candidates.items()}
    references = loaded.resolved.references
    chosen_from = {
        name: item for name, item in all_candidates.items() if name not in references
    } or all_candidates
    unit = design.pooled.unit
    folds = make_repeated_folds(
        [sample.arm, sample.trial],
        sample.labels,
        folds=design.pooled.folds,
        repeats=1,
        seed=derive_seed(analysis.seed, "permutations"),
        people=sample.people,
        unit=unit,
        groups=sample.group_by(unit),
    )
    run = _Tests(
        n=sample.n,
        permutations=design.permutations,
        seed=analysis.seed,
        runner=runner,
    )
    procedure = _Procedure(chosen_from, (), loaded.trainer, tuple(folds))
    anything = run(
        procedure,
        partial(_draw_within, sample.strata, sample.people),
        hypothesis=_NOTHING,
        stage="permuting within trial and arm",
    )
    severity = {name: item for name, item in all_candidates.items() if item.estimator == _SEVERITY}
    reason = _explain_untested(sample, severity, chosen_from)
    beyond_severity = (
        _compare_beyond(procedure, severity, run)
        if reason is None
        else PermutationTest(_NOTHING_BEYOND, None, None, 0, 0, design.permutations, None, reason)
    )
    return Permutations(anything, beyond_severity, design.pooled.folds)


@dataclass(frozen=True)
class _Tests:
    """Runs tests of so many permutations each."""

    n: int
    permutations: int
    seed: int
    runner: Runner

    def __call__(
        self,
        procedure: _Procedure,
        draw: Draw,
        *,
        hypothesis: str,
        stage: str,
    ) -> PermutationTest:
        return run_permutation_test(
            procedure,
            draw,
            n=self.n,
            hypothesis=hypothesis,
            permutations=self.permutations,
            seed=self.seed,
            runner=self.runner.name_stage(stage),
            keeper=self.runner.make_keeper(procedure.make_scope, _as_it_is, _as_it_is),
        )


def _as_it_is(content: Any) -> Any:
    """Statistics are plain values already."""
    return content


def _compare_beyond(
    procedure: _Procedure, severity: Mapping[str, Candidate], run: _Tests
) -> PermutationTest:
    """Test what candidates tell beyond severity, given what severity is fitted to tell."""
    sample = procedure.sample
    [(name, candidate)] = severity.items()
    fitted = procedure.trainer.fit(
        candidate,
        np.arange(sample.n),
        seed=derive_seed(procedure.trainer.seed, "permutations", name),
    )
    log_odds = fitted.model.log_odds(sample.features.columns)
    return run(
        replace(procedure, candidates={**severity, **procedure.candidates}, references=(name,)),
        partial(_draw_given, sample.strata, sample.labels, log_odds),
        hypothesis=_NOTHING_BEYOND,
        stage="permuting given severity",
    )


def _explain_untested(
    sample: Sample, severity: Mapping[str, Candidate], chosen_from: Mapping[str, Candidate]
) -> str | None:
    if len(severity) != 1 or set(severity) & set(chosen_from):
        return "the analysis has no reference of arm and severity alone"
    if len(np.unique(sample.people)) < sample.n:
        return "participants stand in several rows, which severity alone does not make alike"
    return None


def _draw_within(
    strata: npt.NDArray[np.str_], people: npt.NDArray[np.int_], draw: np.random.Generator
) -> Rows:
    return permute_within(strata, draw, people=people)


def _draw_given(
    strata: npt.NDArray[np.str_],
    responded: npt.NDArray[np.int_],
    log_odds: npt.NDArray[np.float64],
    draw: np.random.Generator,
) -> Rows:
    return permute_given(strata, responded, log_odds, draw)
