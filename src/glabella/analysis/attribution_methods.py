"""How each estimator's attributions are computed, in words."""

from __future__ import annotations

from glabella.analysis.definition import ExplanationDefinition

_OF_TREES = "path-dependent tree SHAP values, computed exactly by XGBoost"
_OF_LINEAR = "SHAP values of an additive model against the training mean, computed exactly"
_METHODS = {
    "xgboost": _OF_TREES,
    "random_forest": _OF_TREES,
    "ridge": _OF_LINEAR,
    "severity": _OF_LINEAR,
    "elastic_net": _OF_LINEAR,
    "spline": _OF_LINEAR,
    "score_regression": _OF_LINEAR,
    "treatment_interaction": f"{_OF_LINEAR}, products of arm and feature shared in halves",
    "ensemble": "the weighted sum of the members' SHAP values, each computed exactly",
    "catboost": "path-dependent tree SHAP values, computed exactly by CatBoost",
    "explainable_boosting": "the model's own scores, those of pairs shared in halves",
}


_AGAINST = (
    "interventional SHAP values, computed exactly, against {count} training participants at most, "
    "weighted by trial and arm"
)
_STEPS = "steps from the overall rate to the rate of the cell"


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
    if estimator in _METHODS and explanation.values == "interventional":
        return _AGAINST.format(count=explanation.background)
    return _METHODS.get(estimator, _STEPS)
