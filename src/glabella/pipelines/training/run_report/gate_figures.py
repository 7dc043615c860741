"""What a run records for its promotion, beside the figures that its report shows."""

from __future__ import annotations

from typing import Any

from glabella.analysis.loaded.load import LoadedAnalysis
from glabella.pipelines.training.cross_validation import CrossValidation
from glabella.validation.comparison.procedure import PROCEDURE
from glabella.validation.fitting.nested import collect_predictions
from glabella.validation.measures.estimation.estimate import (
    describe_estimates,
    make_missing_estimate,
)
from glabella.validation.measures.net_benefit import measure_net_benefit


def collect_gate_figures(loaded: LoadedAnalysis, validated: CrossValidation) -> dict[str, Any]:
    """Collect the policy and the figures that only promotion asks for.

    Returns
    -------
    dict
        ``policy``; ``net_benefit``: ``threshold``, and by candidate and for the procedure
        ``model``, ``treat_all`` and ``gain`` within the active arm; ``leakage``: ``stops``, which
        a finished training has none of, and ``doubted``, the features that came close.
    """
    analysis, sample = loaded.analysis, loaded.sample
    policy = analysis.promotion
    threshold = policy.net_benefit_threshold or analysis.validation.threshold
    followed = collect_predictions(validated.followed.results, sample)
    pooled = {name: validated.select(name, "pooled") for name in validated.predictions}
    pooled[PROCEDURE] = followed[followed["design"] == "pooled"]
    benefits = {}
    for name, table in pooled.items():
        curve = measure_net_benefit(table, sample, thresholds=[threshold])
        lacking = make_missing_estimate(curve.reason or "")
        [point] = curve.points or [None]
        benefits[name] = describe_estimates(
            {
                part: lacking if point is None else getattr(point, part)
                for part in ("model", "treat_all", "gain")
            }
        )
    return {
        "policy": policy.model_dump(mode="json"),
        "net_benefit": {"threshold": threshold, "by_candidate": benefits},
        "leakage": {"stops": 0, "doubted": [item.place for item in loaded.doubted]},
    }
