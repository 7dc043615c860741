"""How an estimator's attributions are computed, in words."""

from __future__ import annotations

from glabella.analysis.definition import ExplanationDefinition
from glabella.models.estimators import find_estimator


def describe_attributions(estimator: str, explanation: ExplanationDefinition) -> str:
    """Say how an estimator's attributions are computed.

    Parameters
    ----------
    estimator : str
        Its registered name.
    explanation : ExplanationDefinition
        What the analysis asks for.

    Returns
    -------
    str
        For reports and bundles.
    """
    found = find_estimator(estimator)
    if explanation.values == "interventional":
        return found.attribution_method_against.format(count=explanation.background)
    return found.attribution_method
