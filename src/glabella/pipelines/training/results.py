"""All that a training measures, before anything of it is drawn, written or logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeVar

from glabella.analysis.explanation_plan import plan_for
from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.explanation.budget import Budget
from glabella.pipelines.training.attempts import Attempts
from glabella.pipelines.training.candidate_explanation import explain_chosen
from glabella.pipelines.training.cross_validation import CrossValidation, run_validation
from glabella.pipelines.training.explanation import Explanation, describe_unexplained
from glabella.pipelines.training.manifest import refit
from glabella.pipelines.training.optimism import Procedure, measure_procedure
from glabella.pipelines.training.parts import PARTS
from glabella.pipelines.training.parts.part import FittedAnalysis, Part
from glabella.pipelines.training.refits import refit_chosen
from glabella.validation.fitting.runner import Runner

__all__ = ["TrainingFigures"]

EXPLANATION = "explanation"
AnyPart = TypeVar("AnyPart", bound=Part)
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
        The predictors of the chosen candidate, and how sure they are; None if it could not be
        explained.
    unexplained : str
        Why it could not be; blank if it was.
    parts : mapping of Part
        Each part by its name; None for one that the analysis does not ask for, or that could not
        be computed.
    """

    validated: CrossValidation = field(repr=False)
    procedure: Procedure = field(repr=False)
    explained: Explanation | None = field(repr=False)
    unexplained: str
    parts: Mapping[str, Part | None] = field(repr=False)

    @property
    def chosen(self) -> str:
        """The candidate that is kept."""
        return self.validated.choice.name

    def find(self, kind: type[AnyPart]) -> AnyPart | None:
        """Find a part by its class.

        Parameters
        ----------
        kind : type
            Of the part.

        Returns
        -------
        Part or None
            None if the analysis does not ask for it, or it could not be computed.
        """
        part = self.parts.get(kind.name)
        return part if isinstance(part, kind) else None

    def describe_parts_as_json(self) -> dict[str, dict[str, Any] | None]:
        """Give every part as plain values.

        Returns
        -------
        dict
            By the name of the part; ``None`` for one that is not there.
        """
        return {name: None if part is None else part.as_json() for name, part in self.parts.items()}

    def describe_explanation_as_json(self) -> dict[str, Any]:
        """Give the explanation as plain values.

        Returns
        -------
        dict
            With nothing but a statement if there is none.
        """
        if self.explained is None:
            return describe_unexplained(self.unexplained)
        return self.explained.as_json()

    def list_metrics(self) -> dict[str, float]:
        """List the estimates of every part for a tracking store.

        Returns
        -------
        dict of float
            What has no value is left out.
        """
        metrics = self.procedure.list_metrics()
        for part in (self.explained, *self.parts.values()):
            if part is not None:
                metrics.update(part.list_metrics())
        return metrics


def measure_analysis(
    loaded: LoadedAnalysis,
    *,
    runner: Runner,
    attempts: Attempts,
    explain: When = "now",
) -> tuple[TrainingFigures, FittedAnalysis]:
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
    tuple of TrainingFigures and FittedAnalysis
        All figures, and the models that they are of.

    Raises
    ------
    GlabellaError
        If a design is not feasible, or every candidate failed.
    """
    validated = run_validation(loaded, runner)
    chosen = validated.choice.name
    runner.note_done("refitting")
    tuned = refit(loaded, chosen)
    runner.note_done("correcting for the choice")
    procedure = measure_procedure(loaded, validated, tuned)
    budget = plan_for(loaded, chosen) if explain == "now" else Budget(0, 0, PUT_OFF)
    refits = attempts.run(
        "refits to bootstrap samples",
        lambda: [] if explain == "later" else refit_chosen(loaded, chosen, budget, runner),
        lambda failure: [],
    )
    explained = attempts.run_optional(
        EXPLANATION, lambda: explain_chosen(loaded, validated, refits, budget, runner)
    )
    fitted = FittedAnalysis(loaded, validated, tuned, tuple(refits), explained, runner)
    measured = TrainingFigures(
        validated=validated,
        procedure=procedure,
        explained=explained,
        unexplained=attempts.find_reason(EXPLANATION),
        parts={
            part.name: attempts.run_optional(part.words, partial(part.compute, fitted))
            for part in PARTS
        },
    )
    return measured, fitted
