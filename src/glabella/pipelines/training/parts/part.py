"""What a part of a training is: computed from its fits, and shown wherever figures are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.explanation.refits import RefitSummary
from glabella.pipelines.training.cross_validation import CrossValidation
from glabella.pipelines.training.explanation import Explanation
from glabella.reporting.figures.captioned import PlannedFigure
from glabella.validation.fitting.runner import Runner
from glabella.validation.fitting.training_part import TunedModel


@dataclass(frozen=True)
class FittedAnalysis:
    """What the parts of a training are computed from.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    validated : CrossValidation
        Performance, out-of-fold predictions, folds and the choice.
    tuned : TunedModel
        The chosen candidate, fitted to all participants.
    refits : tuple of RefitSummary or None
        It, refitted to bootstrap samples; ``None`` where a sample gave no model, and none at all
        if the analysis asks for none.
    explained : Explanation or None
        What it uses; None if it could not be explained.
    runner : Runner
        Where further fits run, and where finished ones are kept and found; the results do not
        depend on it.
    """

    loaded: LoadedAnalysis
    validated: CrossValidation
    tuned: TunedModel
    refits: tuple[RefitSummary | None, ...]
    explained: Explanation | None
    runner: Runner


class Part(ABC):
    """A part of a training, which it can do without.

    A part is registered in `glabella.pipelines.training.parts.PARTS`. Its section of the report is
    the template ``reporting/templates/report/parts/NAME.html.jinja``, which declares heading and
    place and is given what `as_json` gives as ``part``.
    """

    name: ClassVar[str]
    """Its key in JSON and records, and the name of its template."""
    words: ClassVar[str]
    """What readers call it if it could not be computed."""

    @classmethod
    @abstractmethod
    def compute(cls, fitted: FittedAnalysis) -> Part | None:
        """Compute the part."""

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """Give the part as plain values, without any participant's."""

    def list_metrics(self) -> dict[str, float]:
        """List its estimates for a tracking store.

        Returns
        -------
        dict of float
            By a name that begins with the part's; what has no value is left out.
        """
        return {}

    def plan_figures(self, chosen: str, note: str) -> Iterable[PlannedFigure]:
        """Plan its figures for the report."""
        return ()

    def list_lines(self, chosen: str) -> list[str]:
        """List what a terminal shows of it."""
        return []
