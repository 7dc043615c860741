"""What the choice among candidates, and the last fit, make look better than it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from glabella.pipelines.load import LoadedAnalysis
from glabella.pipelines.validate import Validated
from glabella.validation.bias_corrected import (
    BiasCorrected,
    Optimism,
    correct_choice,
    measure_optimism,
)
from glabella.validation.nested import TunedModel
from glabella.validation.result import plain_performance
from glabella.validation.seeds import derive_seed


@dataclass(frozen=True)
class Procedure:
    """The figures of the whole procedure: choice included, and fit against validation.

    Parameters
    ----------
    corrected : BiasCorrected
        Corrected for having chosen.
    fitted : Optimism
        The last fit on its own participants, against the chosen candidate's validation.
    """

    corrected: BiasCorrected
    fitted: Optimism

    def as_json(self) -> dict[str, Any]:
        """Give the figures as plain values.

        Returns
        -------
        dict
            ``auc`` and ``log_loss`` with ``_low`` and ``_high``, ``reasons``, ``naive_auc``,
            ``naive_log_loss``, ``chosen``, ``resamples``, ``apparent`` and ``optimism``.
        """
        plain: dict[str, Any] = {}
        reasons = {}
        for name in ("auc", "log_loss"):
            estimate = getattr(self.corrected, name)
            plain[name] = estimate.value
            plain[f"{name}_low"] = estimate.low
            plain[f"{name}_high"] = estimate.high
            if estimate.reason is not None:
                reasons[name] = estimate.reason
        return {
            **plain,
            "reasons": reasons,
            "naive_auc": self.corrected.naive_auc,
            "naive_log_loss": self.corrected.naive_log_loss,
            "chosen": dict(self.corrected.chosen),
            "resamples": self.corrected.resamples,
            "apparent": plain_performance(self.fitted.apparent),
            "optimism": dict(self.fitted.optimism),
        }

    def list_metrics(self) -> dict[str, float]:
        """Name the figures for a tracking store.

        Returns
        -------
        dict of float
            What has no value is left out.
        """
        corrected = {"auc": self.corrected.auc.value, "log_loss": self.corrected.log_loss.value}
        return {
            f"corrected.{name}": value for name, value in corrected.items() if value is not None
        } | {f"optimism.{name}": value for name, value in self.fitted.optimism.items()}


def measure_procedure(loaded: LoadedAnalysis, validated: Validated, tuned: TunedModel) -> Procedure:
    """Correct the figures for the choice, and measure the optimism of the last fit.

    Parameters
    ----------
    loaded : LoadedAnalysis
        The analysis with its data.
    validated : Validated
        Figures, predictions and choice.
    tuned : TunedModel
        The chosen candidate, fitted to all participants.

    Returns
    -------
    Procedure
        Both.
    """
    analysis, sample = loaded.resolved.analysis.value, loaded.sample
    names = list(validated.predictions)
    corrected = correct_choice(
        names,
        loaded.resolved.references,
        {name: validated.select(name, "pooled") for name in names},
        sample,
        seed=derive_seed(analysis.seed, "bias corrected"),
    )
    pooled = validated.candidates[validated.choice.name].pooled
    # The chosen candidate did not fail, so it has figures.
    assert pooled is not None
    probability = tuned.model.predict_proba(sample.features.frame)[:, 1]
    return Procedure(corrected, measure_optimism(probability, pooled, sample))
