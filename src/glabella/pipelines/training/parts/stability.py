"""How stable the chosen candidate is, refitted to bootstrap samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.pipelines.training.parts.part import FittedAnalysis, Part
from glabella.reporting.figures.captioned import Captioned, PlannedFigure
from glabella.reporting.figures.stability import draw_stability
from glabella.validation.adequacy.stability import Refit, Stability, measure_stability
from glabella.validation.fitting.training_part import TunedModel


@dataclass(frozen=True)
class ChosenStability(Part):
    """The stability of the chosen candidate, in the words of its features.

    Parameters
    ----------
    measured : Stability
        How its refits scatter.
    labels : mapping of str
        Feature to the words that readers see.
    """

    name: ClassVar[str] = "stability"
    words: ClassVar[str] = "stability"
    measured: Stability
    labels: Mapping[str, str]

    @classmethod
    def compute(cls, fitted: FittedAnalysis) -> ChosenStability | None:
        """Compare the refits with the model, if there are refits."""
        refits = [None if item is None else item.whole for item in fitted.refits]
        return run_stability(fitted.loaded, fitted.tuned, refits)

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values, without any single participant's.

        Returns
        -------
        dict
            ``statement``, counts, figures averaged over participants, quantiles of the
            calibration slope over refits, and ``features``, a list.
        """
        found = self.measured
        quantiles = np.quantile(found.slopes, [0.025, 0.5, 0.975]) if len(found.slopes) else None
        low, slope, high = [None] * 3 if quantiles is None else quantiles.tolist()
        return {
            "statement": found.describe(),
            "refits": found.refits,
            "failed": found.failed,
            "threshold": found.threshold,
            "mean_absolute_error": found.mean_error,
            "largest_absolute_error": float(found.error.max()),
            "flips": found.mean_flips,
            "median_range": found.median_width,
            "slope": slope,
            "slope_low": low,
            "slope_high": high,
            "agreement": found.agreement,
            "features": [
                {"label": self.labels[item.feature], **vars(item)} for item in found.features
            ],
        }

    def plan_figures(self, chosen: str, note: str) -> Iterator[PlannedFigure]:
        """Plan the figure of the refits' predictions and calibration."""
        yield PlannedFigure(
            "stability",
            lambda: Captioned(
                draw_stability(self.measured, title=chosen, note=note),
                f"Stability of {chosen}: each participant's predictions by refits to bootstrap "
                "samples, tuning included, against the model's own; and how the refits' "
                "predictions are calibrated on the original participants.",
            ),
        )

    def list_metrics(self) -> dict[str, float]:
        """List what is averaged over participants."""
        return {
            "stability.mean_absolute_error": self.measured.mean_error,
            "stability.flips": self.measured.mean_flips,
            "stability.median_range": self.measured.median_width,
            "stability.agreement": self.measured.agreement,
        }


def run_stability(
    loaded: LoadedAnalysis, tuned: TunedModel, refits: Sequence[Refit | None]
) -> ChosenStability | None:
    """Compare the chosen candidate's refits to bootstrap samples with its fit to all."""
    design = loaded.analysis.validation
    taken = refits if design.stability is None else refits[: design.stability.refits]
    measured = measure_stability(tuned, taken, loaded.sample, threshold=design.threshold)
    if measured is None:
        return None
    return ChosenStability(
        measured, {spec.name: spec.label for spec in loaded.sample.features.specs}
    )
