"""How an estimator's attributions are computed, in words."""

from __future__ import annotations

from glabella.analysis.definition import ExplanationDefinition
from glabella.models.estimators import find_estimator


def describe_attributions(estimator: str, explanation: ExplanationDefinition) -> str:
    """Say how an estimator's attributions are computed."""
    found = find_estimator(estimator)
    if explanation.values == "interventional":
        return found.attribution_method_against.format(count=explanation.background)
    return found.attribution_method
