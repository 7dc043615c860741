"""The external set: trials that had no part in anything, predicted once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from joblib import delayed

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.errors import GlabellaError
from glabella.pipelines.training.cross_validation import CrossValidation
from glabella.pipelines.training.manifest import refit
from glabella.pipelines.training.parts.part import FittedAnalysis, Part
from glabella.validation.comparison.candidate_result import (
    describe_groups,
    describe_performance,
    name_metrics,
)
from glabella.validation.comparison.gain import Gain, measure_gain
from glabella.validation.fitting.runner import Runner
from glabella.validation.fitting.training_part import TunedModel
from glabella.validation.fitting.workers import keep_one_thread
from glabella.validation.folds.sample import Sample
from glabella.validation.measures.estimation.estimate import Estimate, describe_estimates
from glabella.validation.measures.performance import (
    GroupPerformance,
    Performance,
    measure_by_group,
    measure_performance,
)


@dataclass(frozen=True)
class External(Part):
    """What the external set came to.

    Parameters
    ----------
    trials : tuple of str
        Its trials.
    chosen : str
        The candidate that is kept.
    candidates : dict of Performance
        By candidate that could be fitted to the other trials.
    groups : tuple of GroupPerformance
        Of the kept candidate, by trial.
    gains : tuple of Gain
        Of the kept candidate over each reference.
    """

    name: ClassVar[str] = "external"
    words: ClassVar[str] = "external set"
    trials: tuple[str, ...]
    chosen: str
    candidates: dict[str, Performance]
    groups: tuple[GroupPerformance, ...]
    gains: tuple[Gain, ...]

    @classmethod
    def compute(cls, fitted: FittedAnalysis) -> External | None:
        """Predict the external set, if the analysis names one."""
        if fitted.loaded.external is None:
            return None
        fitted.runner.note_done("predicting the external set")
        return predict_external(fitted.loaded, fitted.validated, fitted.tuned, fitted.runner)

    @property
    def headline(self) -> Estimate:
        """The concordance of the kept candidate."""
        return self.candidates[self.chosen].estimates["auc"]

    def as_json(self) -> dict[str, Any]:
        """Give the figures as plain values.

        Returns
        -------
        dict
            ``trials``, ``candidates``, ``groups`` and ``gains``, the latter by reference, above 0
            for the better.
        """
        return {
            "trials": list(self.trials),
            "candidates": {name: describe_performance(it) for name, it in self.candidates.items()},
            "groups": describe_groups(self.groups),
            "gains": {gain.against: describe_estimates(gain.estimates) for gain in self.gains},
        }

    def list_metrics(self) -> dict[str, float]:
        """List the performance of the chosen candidate."""
        return name_metrics("external", self.candidates[self.chosen])


def predict_external(
    loaded: LoadedAnalysis, validated: CrossValidation, tuned: TunedModel, runner: Runner
) -> External | None:
    """Predict the external set by models fitted to all other participants.

    References
    ----------
    .. [1] Steyerberg EW, Harrell FE. Prediction models need appropriate internal,
       internal-external, and external validation. J Clin Epidemiol 2016;69:245-247.
    """
    sample, chosen = loaded.external, validated.choice.name
    if sample is None:
        return None
    design = loaded.analysis.validation
    others = [name for name in validated.predictions if name != chosen]
    found = runner.run((delayed(_refit)(loaded, name) for name in others), shared=[loaded])
    predicted: dict[str, np.ndarray] = {
        name: probability
        for name, probability in zip(others, found, strict=True)
        if probability is not None
    }
    predicted[chosen] = tuned.model.predict_proba(sample.features.columns)[:, 1]
    tables = {
        name: _tabulate(predicted[name], sample)
        for name in validated.predictions
        if name in predicted
    }
    return External(
        trials=tuple(design.external or ()),
        chosen=chosen,
        candidates={
            name: measure_performance(table, sample, threshold=design.threshold)
            for name, table in tables.items()
        },
        groups=measure_by_group(
            tables[chosen].assign(group=sample.trial), sample, threshold=design.threshold
        ),
        gains=_measure_gains(loaded, chosen, tables, sample),
    )


def _refit(loaded: LoadedAnalysis, name: str) -> np.ndarray | None:
    assert loaded.external is not None
    try:
        with keep_one_thread():
            model = refit(loaded, name).model
            return model.predict_proba(loaded.external.features.columns)[:, 1]
    except (ValueError, ArithmeticError, GlabellaError):
        return None


def _tabulate(probability: np.ndarray, sample: Sample) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row": np.arange(sample.n),
            "design": "external",
            "repeat": 0,
            "fold": 0,
            "group": "",
            "responded": sample.expected,
            "probability": probability,
        }
    )


def _measure_gains(
    loaded: LoadedAnalysis, chosen: str, tables: Mapping[str, pd.DataFrame], sample: Sample
) -> tuple[Gain, ...]:
    references = loaded.resolved.references
    return tuple(
        measure_gain(chosen, name, tables, sample, is_tested=False)
        for name in references
        if name in tables and name != chosen
    )
