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
    "xgboost": ("glabella.models.estimators.trees", "XGBoostModel"),
}


def find_estimator(name: str, *, place: str | None = None) -> type[ResponderModel]:
    """Look an estimator up by its registered name.

    Parameters
    ----------
    name : str
        The name.
    place : str, optional
        Where it was used, for the message.

    Returns
    -------
    type of ResponderModel
        The class.

    Raises
    ------
    DefinitionError
        If none is registered under this name.
    """
    if name not in ESTIMATORS:
        raise DefinitionError(
            f"there is no estimator '{name}'",
            place=place,
            remedy=describe_choices(name, ESTIMATORS),
        )
    module, class_name = ESTIMATORS[name]
    return getattr(import_module(module), class_name)  # type: ignore[no-any-return]
