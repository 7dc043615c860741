"""What the choice among candidates, and the last fit, make look better than it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.pipelines.training.cross_validation import CrossValidation
from glabella.validation.comparison.bootstrap_correction import (
    BiasCorrected,
    Optimism,
    correct_choice,
    measure_optimism,
)
from glabella.validation.comparison.candidate_result import CandidateResult, describe_performance
from glabella.validation.comparison.choice import Difference, adjust_by_holm
from glabella.validation.fitting.training_part import TunedModel
from glabella.validation.folds.seeds import derive_seed
from glabella.validation.measures.estimation.attempt import attempt
from glabella.validation.measures.estimation.estimate import (
    describe_estimates,
    make_missing_estimate,
)


@dataclass(frozen=True)
class Procedure:
    """The figures of the whole procedure: choice included, and fit against validation.

    Parameters
    ----------
    validated : CandidateResult
        Its own validation, with a choice inside each training part: the headline.
    chosen_in_folds : dict of dict of int
        By design, in how many folds each candidate was chosen.
    against_chosen : tuple of Difference
        The other candidates against the one that is kept.
    corrected : BiasCorrected
        The figures of choosing after validation, corrected for it.
    fitted : Optimism
        The last fit on its own participants, against the kept candidate's validation.
    """

    validated: CandidateResult
    chosen_in_folds: dict[str, dict[str, int]]
    against_chosen: tuple[Difference, ...]
    corrected: BiasCorrected
    fitted: Optimism

    def as_json(self) -> dict[str, Any]:
        """Give the figures as plain values.

        Returns
        -------
        dict
            ``pooled``, ``inside``, ``across``, ``arms`` and ``gains`` as a candidate has them;
            ``chosen_in_folds``; ``candidates``, a list of differences in log loss from the kept
            one, with ``p`` and ``p_holm``; ``corrected``: ``auc`` and ``log_loss`` with ``_low``
            and ``_high``, ``reasons``, ``naive_auc``, ``naive_log_loss``, ``chosen`` and
            ``resamples``; ``fitted``: ``apparent`` and ``optimism``.
        """
        result = self.validated.as_json()
        corrected = {"auc": self.corrected.auc, "log_loss": self.corrected.log_loss}
        holm = adjust_by_holm([item.p_value for item in self.against_chosen])
        return {
            **{name: result[name] for name in ("pooled", "inside", "across", "arms", "gains")},
            "chosen_in_folds": self.chosen_in_folds,
            "candidates": [
                {
                    "candidate": item.candidate,
                    "against": item.against,
                    **describe_estimates({"log_loss": item.log_loss}),
                    "p": item.p_value,
                    "p_holm": p_holm,
                }
                for item, p_holm in zip(self.against_chosen, holm, strict=True)
            ],
            "corrected": {
                **describe_estimates(corrected),
                "naive_auc": self.corrected.naive_auc,
                "naive_log_loss": self.corrected.naive_log_loss,
                "chosen": dict(self.corrected.chosen),
                "resamples": self.corrected.resamples,
            },
            "fitted": {
                "apparent": describe_performance(self.fitted.apparent),
                "optimism": dict(self.fitted.optimism),
            },
        }

    def list_metrics(self) -> dict[str, float]:
        """Name the figures for a tracking store."""
        corrected = {"auc": self.corrected.auc.value, "log_loss": self.corrected.log_loss.value}
        return {
            f"corrected.{name}": value for name, value in corrected.items() if value is not None
        } | {f"optimism.{name}": value for name, value in self.fitted.optimism.items()}


def measure_procedure(
    loaded: LoadedAnalysis, validated: CrossValidation, tuned: TunedModel
) -> Procedure:
    """Set the validated figures of the procedure beside corrected and apparent ones."""
    sample = loaded.sample
    pooled = validated.candidates[validated.choice.name].pooled
    # The chosen candidate did not fail, so it has figures.
    assert pooled is not None
    probability = tuned.model.predict_proba(sample.features.columns)[:, 1]
    designs = dict.fromkeys(item.fold.design for item in validated.followed.results)
    return Procedure(
        validated=validated.procedure,
        chosen_in_folds={design: validated.followed.count(design) for design in designs},
        against_chosen=validated.against_chosen,
        corrected=attempt(
            lambda: correct_for_choice(loaded, validated),
            lambda failure: _make_uncorrected(failure.words, list(validated.predictions)),
        ),
        fitted=measure_optimism(probability, pooled, sample),
    )


def _make_uncorrected(reason: str, names: list[str]) -> BiasCorrected:
    missing = make_missing_estimate(reason)
    return BiasCorrected(missing, missing, None, None, dict.fromkeys(names, 0), 0)


def correct_for_choice(loaded: LoadedAnalysis, validated: CrossValidation) -> BiasCorrected:
    """Correct the best candidate's figures for having been chosen by them."""
    names = list(validated.predictions)
    return correct_choice(
        names,
        loaded.resolved.references,
        {name: validated.select(name, "pooled") for name in names},
        loaded.sample,
        seed=derive_seed(loaded.analysis.seed, "bias corrected"),
    )
