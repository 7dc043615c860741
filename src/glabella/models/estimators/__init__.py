"""Names to estimators."""

from __future__ import annotations

from importlib import import_module

from glabella.errors import DefinitionError, describe_choices
from glabella.models.estimators.interface import ResponderModel

# By module, so that a linear model is scored without waiting for xgboost to import.
ESTIMATORS: dict[str, tuple[str, str]] = {
    "prevalence": ("glabella.models.estimators.rates", "PrevalenceModel"),
    "arm_only": ("glabella.models.estimators.rates", "ArmRateModel"),
    "severity": ("glabella.models.estimators.linear", "ArmAndSeverityModel"),
    "ridge": ("glabella.models.estimators.linear", "RidgeModel"),
    "elastic_net": ("glabella.models.estimators.elastic_net", "ElasticNetModel"),
    "spline": ("glabella.models.estimators.linear", "SplineModel"),
    "treatment_interaction": ("glabella.models.estimators.linear", "TreatmentInteractionModel"),
    "score_regression": ("glabella.models.estimators.score_regression", "ScoreRegressionModel"),
    "ensemble": ("glabella.models.estimators.composed", "EnsembleModel"),
    "random_forest": ("glabella.models.estimators.random_forest", "RandomForestModel"),
    "explainable_boosting": (
        "glabella.models.estimators.explainable_boosting",
        "ExplainableBoostingModel",
    ),
    "xgboost": ("glabella.models.estimators.boosted_trees", "XGBoostModel"),
}


def find_estimator(name: str, *, place: str | None = None) -> type[ResponderModel]:
    """Look an estimator up by its registered name."""
    if name not in ESTIMATORS:
        raise DefinitionError(
            f"there is no estimator '{name}'",
            place=place,
            remedy=describe_choices(name, ESTIMATORS),
        )
    module, class_name = ESTIMATORS[name]
    return getattr(import_module(module), class_name)  # type: ignore[no-any-return]


def name_estimator(model: ResponderModel) -> str:
    """Give the registered name of a model's estimator."""
    wanted = (type(model).__module__, type(model).__name__)
    for name, place in ESTIMATORS.items():
        if place == wanted:
            return name
    raise ValueError(f"the class {wanted[1]} is not registered")
