"""All that a training measures, before anything of it is drawn, written or logged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from glabella.analysis.explanation_plan import plan_for
from glabella.analysis.load import LoadedAnalysis
from glabella.explanation.budget import Budget
from glabella.explanation.refits import RefitSummary
from glabella.pipelines.training.attempts import Attempts, FailedPart
from glabella.pipelines.training.cross_validation import CrossValidation, run_validation
from glabella.pipelines.training.explanation import (
    Explanation,
    describe_unexplained,
    explain_chosen,
    refit_chosen,
)
from glabella.pipelines.training.manifest import refit
from glabella.pipelines.training.optimism import Procedure, measure_procedure
from glabella.pipelines.training.parts.external_validation import External, predict_external
from glabella.pipelines.training.parts.learning_curve import ChosenLearningCurve, run_learning_curve
from glabella.pipelines.training.parts.oracle import OracleComparison, find_limits
from glabella.pipelines.training.parts.permutation_tests import Permutations, run_permutations
from glabella.pipelines.training.parts.sensitivity import Sensitivity, run_sensitivity
from glabella.pipelines.training.parts.stability import ChosenStability, run_stability
from glabella.validation.fitting.runner import Runner
from glabella.validation.fitting.training_part import TunedModel

__all__ = ["TrainingFigures"]

EXPLANATION = "explanation"
# When a training is explained.
When = Literal["now", "later"]
PUT_OFF = "that was put off, and `--resume` does it with the fits that are kept"


@dataclass(frozen=True, kw_only=True)
class TrainingFigures:
    """What a training measured.

    Parameters
    ----------
    validated : CrossValidation
        Predictions, differences, folds and the choice.
    procedure : Procedure
        The figures of choice and fit together, and how far they are from the apparent ones.
    explained : Explanation or None
        The predictors of the chosen candidate, and how sure they are; None where it could not be
        explained.
    sensitivity : Sensitivity or None
        The same under other definitions of the endpoint, and for drop-out, where the analysis
        lists some.
    limits : OracleComparison or None
        What rules that know the truth reach, where the data are simulated.
    permutations : Permutations or None
        Whether there is anything to find, where the analysis asks for permutations.
    stability : ChosenStability or None
        The chosen candidate refitted to bootstrap samples, where there are refits.
    external : External or None
        The trials that had no part in anything else, where the analysis names some.
    learning_curve : ChosenLearningCurve or None
        What fewer participants brought and more would, where the analysis asks for it.
    failed : tuple of FailedPart
        The parts that could not be computed, each of which is None above.
    """

    validated: CrossValidation = field(repr=False)
    procedure: Procedure = field(repr=False)
    explained: Explanation | None = field(repr=False)
    sensitivity: Sensitivity | None = field(default=None, repr=False)
    limits: OracleComparison | None = field(default=None, repr=False)
    permutations: Permutations | None = field(default=None, repr=False)
    stability: ChosenStability | None = field(default=None, repr=False)
    external: External | None = field(default=None, repr=False)
    learning_curve: ChosenLearningCurve | None = field(default=None, repr=False)
    failed: tuple[FailedPart, ...] = ()

    @property
    def chosen(self) -> str:
        """The candidate that is kept."""
        return self.validated.choice.name

    def parts_as_json(self) -> dict[str, Any]:
        """Give every part that an analysis may ask for, and the procedure, as plain values.

        Returns
        -------
        dict
            By the name of the part; ``None`` for one that was not asked for, or failed, and then
            named in ``failed``.
        """
        parts = {
            name: getattr(self, name)
            for name in (
                "procedure",
                "sensitivity",
                "limits",
                "permutations",
                "stability",
                "external",
                "learning_curve",
            )
        }
        return {name: None if part is None else part.as_json() for name, part in parts.items()}

    def explanation_as_json(self) -> dict[str, Any]:
        """Give the explanation as plain values.

        Returns
        -------
        dict
            With nothing but a statement where there is none.
        """
        if self.explained is not None:
            return self.explained.as_json()
        reasons = [item.failure.words for item in self.failed if item.part == EXPLANATION]
        return describe_unexplained(reasons[0] if reasons else "that was not asked for")

    def list_metrics(self) -> dict[str, float]:
        """Name the figures of every part for a tracking store.

        Returns
        -------
        dict of float
            What has no value is left out.
        """
        parts = (
            self.procedure,
            self.explained,
            self.permutations,
            self.stability,
            self.external,
            self.learning_curve,
        )
        metrics: dict[str, float] = {}
        for part in parts:
            if part is not None:
                metrics.update(part.list_metrics())
        return metrics


@dataclass(frozen=True)
class Fitted:
    """The models that a training keeps.

    Parameters
    ----------
    tuned : TunedModel
        The chosen candidate, fitted to all participants.
    refits : tuple of RefitSummary or None
        It, refitted to bootstrap samples; ``None`` where a sample gave no model, and none at all
        where the analysis asks for none.
    """

    tuned: TunedModel
    refits: tuple[RefitSummary | None, ...]


def measure_analysis(
    loaded: LoadedAnalysis,
    *,
    runner: Runner,
    attempts: Attempts,
    explain: When = "now",
) -> tuple[TrainingFigures, Fitted]:
    """Validate, choose, refit and explain.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    runner : Runner
        Where fits run, and where finished ones are kept and found; the results do not depend
        on it.
    attempts : Attempts
        What fails, and a run can do without, is noted there.
    explain : str
        ``now``, or ``later``: then the model is not refitted and no features are permuted, to
        explain it or to say how stable it is.

    Returns
    -------
    tuple of TrainingFigures and Fitted
        All figures, and the models that they are of.

    Raises
    ------
    GlabellaError
        If a design is not feasible, or every candidate failed.
    """
    validated = run_validation(loaded, runner)
    sensitivity = attempts.leave_out(
        "other definitions of the outcome",
        lambda: run_sensitivity(loaded, validated, runner),
    )
    permutations = attempts.leave_out("permutation tests", lambda: run_permutations(loaded, runner))
    learning_curve = attempts.leave_out(
        "learning curve", lambda: run_learning_curve(loaded, validated, runner)
    )
    limits = attempts.leave_out("limit", lambda: find_limits(loaded, validated))
    runner.report("refitting")
    chosen = validated.choice.name
    tuned = refit(loaded, chosen)
    runner.report("correcting for the choice")
    procedure = measure_procedure(loaded, validated, tuned)
    if loaded.external is not None:
        runner.report("predicting the external set")
    external = attempts.leave_out(
        "external set", lambda: predict_external(loaded, validated, tuned, runner)
    )
    budget = plan_for(loaded, chosen) if explain == "now" else Budget(0, 0, PUT_OFF)
    refits = attempts.run(
        "refits to bootstrap samples",
        lambda: [] if explain == "later" else refit_chosen(loaded, chosen, budget, runner),
        lambda failure: [],
    )
    stability = attempts.leave_out(
        "stability",
        lambda: run_stability(
            loaded, tuned, [None if item is None else item.whole for item in refits]
        ),
    )
    explained = attempts.leave_out(
        EXPLANATION, lambda: explain_chosen(loaded, validated, refits, budget, runner)
    )
    if sensitivity is not None and explained is not None:
        sensitivity = replace(sensitivity, standing=explained.standing)
    measured = TrainingFigures(
        validated=validated,
        procedure=procedure,
        explained=explained,
        sensitivity=sensitivity,
        limits=limits,
        permutations=permutations,
        stability=stability,
        external=external,
        learning_curve=learning_curve,
        failed=tuple(attempts.failed),
    )
    return measured, Fitted(tuned, tuple(refits))
