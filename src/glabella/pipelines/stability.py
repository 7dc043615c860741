"""The chosen candidate refitted to bootstrap samples, where the analysis asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from glabella.pipelines.load import LoadedAnalysis
from glabella.validation.nested import Progress, TunedModel
from glabella.validation.stability import Stability, measure_stability, refit_on_resamples


@dataclass(frozen=True)
class ChosenStability:
    """The stability of the chosen candidate, in the words of its features.

    Parameters
    ----------
    measured : Stability
        How its refits scatter.
    labels : mapping of str
        Feature to the words that readers see.
    """

    measured: Stability
    labels: Mapping[str, str]

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

    def list_metrics(self) -> dict[str, float]:
        """Name the figures for a tracking store.

        Returns
        -------
        dict of float
            Averages over participants.
        """
        return {
            "stability.mean_absolute_error": self.measured.mean_error,
            "stability.flips": self.measured.mean_flips,
            "stability.median_range": self.measured.median_width,
            "stability.agreement": self.measured.agreement,
        }


def run_stability(
    loaded: LoadedAnalysis,
    chosen: str,
    tuned: TunedModel,
    *,
    workers: int,
    progress: Progress | None = None,
) -> ChosenStability | None:
    """Refit the chosen candidate to bootstrap samples and compare.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    chosen : str
        The chosen candidate.
    tuned : TunedModel
        Its fit to all participants.
    workers : int
        Processes; the results do not depend on it.
    progress : callable, optional
        Called with a stage, the number done and the number in all.

    Returns
    -------
    ChosenStability or None
        None where the analysis does not ask for it, or no sample gave a model.
    """
    analysis = loaded.resolved.analysis.value
    design = analysis.validation.stability
    if design is None:
        return None
    refits = refit_on_resamples(
        loaded.resolved.candidates[chosen].value,
        loaded.sample,
        refits=design.refits,
        inner_folds=analysis.validation.inner_folds,
        seed=analysis.seed,
        workers=workers,
        unit=analysis.validation.pooled.unit,
        progress=None if progress is None else partial(progress, f"refitting {chosen}"),
    )
    measured = measure_stability(
        tuned, refits, loaded.sample, threshold=analysis.validation.threshold
    )
    if measured is None:
        return None
    return ChosenStability(
        measured, {spec.name: spec.label for spec in loaded.sample.features.specs}
    )
