"""The learning curve of the chosen candidate, where the analysis asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import pandas as pd

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.domain.small_counts import suppress_words
from glabella.pipelines.training.cross_validation import CrossValidation
from glabella.pipelines.training.parts.part import FittedAnalysis, Part
from glabella.reporting.figures.captioned import Captioned, PlannedFigure
from glabella.reporting.figures.learning_curve import draw_learning_curve
from glabella.reporting.finding import format_estimate
from glabella.validation.adequacy.learning_curve import (
    CURVE_MEASURES,
    CurvePoint,
    LearningCurve,
    draw_subsets,
    measure_learning_curve,
)
from glabella.validation.fitting.nested import collect_predictions, validate_candidates
from glabella.validation.fitting.runner import ONE_BY_ONE, Runner
from glabella.validation.folds.fold_result import FoldResult
from glabella.validation.measures.estimation.estimate import Estimate

_TIMES = {2: "twice", 4: "four times"}
_WORDS = {"log_loss": "log loss", "auc": "concordance"}


@dataclass(frozen=True)
class ChosenLearningCurve(Part):
    """The learning curve of the chosen candidate.

    Parameters
    ----------
    candidate : str
        Its name.
    measured : LearningCurve
        The sizes, and what follows from them.
    """

    name: ClassVar[str] = "learning_curve"
    words: ClassVar[str] = "learning curve"
    candidate: str
    measured: LearningCurve

    @classmethod
    def compute(cls, fitted: FittedAnalysis) -> ChosenLearningCurve | None:
        """Measure the learning curve, if the analysis asks for it."""
        return run_learning_curve(fitted.loaded, fitted.validated, fitted.runner)

    def describe(self) -> str:
        """Say what the participants at hand brought, and what more would bring."""
        known = [point for point in self.measured.points if point.reason is None]
        words = [self._describe_measure(measure, known) for measure in CURVE_MEASURES]
        words += [
            f"The size of {point.size:.0f} was left out: {point.reason}."
            for point in self.measured.points
            if point.reason is not None
        ]
        return suppress_words(" ".join(words))

    def sum_up(self) -> str:
        """Say the same of log loss in one line."""
        known = [point for point in self.measured.points if point.reason is None]
        found = self.measured.extrapolations["log_loss"]
        ends = [known[0], known[-1]] if len(known) > 1 else known
        words = ", ".join(
            f"{format_estimate(point.log_loss, 3)} learning from {point.size:.0f}" for point in ends
        )
        if found.reason is not None:
            return f"log loss {words or 'not measured'}; not extrapolated: {found.reason}"
        said = [
            f"{format_estimate(item.value, 3)} expected from {_TIMES[item.factor]} as many"
            for item in found.projections
        ]
        return f"log loss {words}; {'; '.join(said)}"

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

        Returns
        -------
        dict
            ``candidate``, ``statement``, ``repeats``, ``points`` (a list by size), and
            ``extrapolations`` by measure, each with its law, its projections or a reason.
        """
        return {
            "candidate": self.candidate,
            "statement": self.describe(),
            "repeats": self.measured.repeats,
            "points": [
                {
                    **asdict(point),
                    "reason": None if point.reason is None else suppress_words(point.reason),
                }
                for point in self.measured.points
            ],
            "extrapolations": {
                measure: {**asdict(found), "projections": [asdict(p) for p in found.projections]}
                for measure, found in self.measured.extrapolations.items()
            },
        }

    def plan_figures(self, chosen: str, note: str) -> Iterator[PlannedFigure]:
        """Plan the figure of log loss and concordance by size."""
        yield PlannedFigure(
            "learning_curve",
            lambda: Captioned(
                draw_learning_curve(self.measured, title=chosen, note=note),
                f"Learning curve of {chosen}: out-of-fold log loss and concordance by the "
                "participants learnt from, tuning included; bars are 95 % intervals over "
                "participants. Hollow: what would be expected with two and four times as many, "
                "where it can be said.",
            ),
        )

    def list_lines(self, chosen: str) -> list[str]:
        """List log loss at the smallest and largest size, and what is expected beyond."""
        return [f"curve   {self.sum_up()}"]

    def list_metrics(self) -> dict[str, float]:
        """List what is expected of several times the participants, if it can be said."""
        return {
            f"learning_curve.{measure}_x{item.factor}": item.value.value
            for measure, found in self.measured.extrapolations.items()
            for item in found.projections
            if item.value.value is not None
        }

    def _describe_measure(self, measure: str, known: Sequence[CurvePoint]) -> str:
        name, found = _WORDS[measure], self.measured.extrapolations[measure]
        if found.gained.value is None:
            return f"No learning curve of {name}: {found.reason}."
        ends = [point for point in known if getattr(point, measure).value is not None]
        words = (
            f"Learning from {ends[0].size:.0f} participants, {self.candidate} has a {name} of "
            f"{format_estimate(getattr(ends[0], measure), 3)}, from {ends[-1].size:.0f} of "
            f"{format_estimate(getattr(ends[-1], measure), 3)}."
        )
        if found.reason is not None:
            return f"{words} More participants are not extrapolated to: {found.reason}."
        for item in found.projections:
            times = _TIMES[item.factor]
            if item.value.value is None:
                words += f" Nothing is said of {times} as many: {item.value.reason}."
            else:
                words += (
                    f" From {times} as many ({item.size:.0f}), "
                    f"{format_estimate(item.value, 3)} would be expected, "
                    f"{_describe_change(measure, item.change)}."
                )
        return words


def _describe_change(measure: str, change: Estimate) -> str:
    """Say a change for the better as an amount: the law knows no other."""
    if change.value is None or change.low is None or change.high is None:
        return "a change that is not known"
    if measure == "log_loss":
        return f"lower by {format_estimate(-change, 3)}"
    return f"higher by {format_estimate(change, 3)}"


def run_learning_curve(
    loaded: LoadedAnalysis,
    validated: CrossValidation,
    runner: Runner = ONE_BY_ONE,
) -> ChosenLearningCurve | None:
    """Fit the chosen candidate to growing parts of each training part, and extrapolate."""
    analysis, sample = loaded.analysis, loaded.sample
    design = analysis.validation.learning_curve
    if design is None:
        return None
    name = validated.choice.name
    subsets = draw_subsets(
        loaded.trainer,
        [
            fold
            for fold in loaded.plan.folds
            if fold.design == "pooled" and fold.repeat < design.repeats
        ],
        points=design.points,
    )
    results = validate_candidates(
        {name: loaded.resolved.candidates[name].value},
        loaded.trainer,
        [
            fold
            for item in subsets
            for fold in item.folds
            if not item.is_full and item.reason is None
        ],
        runner=runner.name_stage(f"learning curve of {name}"),
    )
    whole = validated.select(name, "pooled")
    predictions: dict[float, pd.DataFrame | str] = {}
    for item in subsets:
        if item.is_full:
            predictions[item.size] = whole[whole["repeat"] < design.repeats]
        elif item.reason is None:
            keys = {fold.key for fold in item.folds}
            mine = [result for result in results if result.fold.key in keys]
            predictions[item.size] = _explain_failures(mine) or collect_predictions(mine, sample)
    return ChosenLearningCurve(
        name, measure_learning_curve(subsets, predictions, sample, seed=analysis.seed)
    )


def _explain_failures(results: Sequence[FoldResult]) -> str | None:
    errors = [result.error for result in results if result.error is not None]
    if not errors:
        return None
    return f"{len(errors)} of {len(results)} fits failed, the first because {errors[0]}"
