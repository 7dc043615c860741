"""A candidate's definition to an estimator, and an estimator to files and back."""

from __future__ import annotations

import importlib.util
import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_type_hints

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError

from glabella.definitions.reader import Read
from glabella.errors import BundleError, DefinitionError, describe_choices
from glabella.features.spec import FeatureSpec
from glabella.models.arm_steps import ArmSteps
from glabella.models.candidate import Candidate
from glabella.models.encoding import check_finite
from glabella.models.estimators import find_estimator, name_estimator
from glabella.models.estimators.composed import AveragedModel, EnsembleModel
from glabella.models.estimators.interface import ResponderModel
from glabella.models.estimators.recalibrated import ArmRecalibratedModel, CalibratedModel

MODEL_FILE = "model.json"
# One for each model with trees: a definition allows a hundred imputations, and ten of them each.
BINARY_FILES = tuple(f"model_{number:03d}.ubj" for number in range(1, 1000))
# An average of recalibrated ensembles of models is three, and every update adds one.
_DEEPEST = 100
_OURS = ("specs", "random_state", "members", "folds")


def check_candidate(candidate: Read[Candidate]) -> None:
    """Refuse a candidate whose estimator or settings do not exist."""
    origin = candidate.origin
    estimator = find_estimator(candidate.value.estimator, place=origin.name_place("estimator"))
    if estimator.package is not None and importlib.util.find_spec(estimator.package) is None:
        extra = candidate.value.estimator
        raise DefinitionError(
            f"the estimator '{extra}' needs the package {estimator.package}, and it is not "
            "installed",
            place=origin.name_place("estimator"),
            remedy=f"Install the extra: pip install 'glabella[{extra}]'",
        )
    known = [name for name in inspect.signature(estimator).parameters if name not in _OURS]
    for part in ("settings", "search"):
        for name in getattr(candidate.value, part):
            if name not in known:
                raise DefinitionError(
                    f"the estimator '{candidate.value.estimator}' has no setting '{name}'",
                    place=origin.name_place(part, name),
                    remedy=describe_choices(name, known),
                )
    is_ensemble = candidate.value.estimator == "ensemble"
    if is_ensemble != bool(candidate.value.members):
        raise DefinitionError(
            "an ensemble needs `members:`" if is_ensemble else "only an ensemble has `members:`",
            place=origin.name_place("estimator"),
            remedy="Name the candidates in models/ that it averages.",
        )
    types = get_type_hints(estimator.__init__)
    for name, value in candidate.value.settings.items():
        _check_setting(value, types[name], name, origin.name_place("settings", name))
    for name, space in candidate.value.search.items():
        for quantile in (0.0, 1.0):
            _check_setting(
                space.find_value(quantile), types[name], name, origin.name_place("search", name)
            )


def _check_setting(value: object, kind: Any, name: str, place: str) -> None:
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError:
        kind = next((part for part in get_args(kind) if part is float), kind)
        choices = [repr(choice) for choice in get_args(kind)]
        wanted = {float: "a number", int: "a whole number"}.get(
            kind, f"one of {', '.join(choices)}" if choices else str(kind)
        )
        raise DefinitionError(f"the setting '{name}' is {wanted}", place=place) from None


def build_model(
    candidate: Candidate,
    specs: Sequence[FeatureSpec],
    *,
    random_state: int,
    setting: Mapping[str, Any] | None = None,
) -> ResponderModel:
    """Make an unfitted estimator."""
    estimator = find_estimator(candidate.estimator)
    settings = {**candidate.settings, **(setting or {})}
    return estimator(specs=tuple(specs), random_state=random_state, **settings)


def count_parameters(
    candidate: Candidate, frame: pd.DataFrame, specs: Sequence[FeatureSpec]
) -> int | None:
    """Count what a candidate would estimate beside the intercept."""
    return build_model(candidate, specs, random_state=0).count_parameters(frame)


def export_model(model: ResponderModel) -> dict[str, bytes]:
    """Write a fitted model as files that hold data and nothing that could be executed."""
    files: dict[str, bytes] = {}
    content = _export_node(model, files)
    return {MODEL_FILE: (json.dumps(content, indent=1) + "\n").encode(), **files}


def _export_node(model: ResponderModel, files: dict[str, bytes]) -> dict[str, Any]:
    if isinstance(model, AveragedModel):
        return {"average": [_export_node(part, files) for part in model.parts]}
    if isinstance(model, EnsembleModel):
        parts = [_export_node(part, files) for part in model.parts]
        return {"ensemble": parts, "weights": list(model.factors)}
    if isinstance(model, CalibratedModel):
        (part,) = model.parts
        return {
            "calibrated": _export_node(part, files),
            "slope": model.slope,
            "intercept": model.intercept,
        }
    if isinstance(model, ArmRecalibratedModel):
        (part,) = model.parts
        return {"recalibrated": _export_node(part, files), "arms": model.steps_.export()}
    settings = {key: value for key, value in model.get_params().items() if key not in _OURS}
    node = {
        "estimator": name_estimator(model),
        "settings": settings,
        "state": model.export_state(),
    }
    binary = model.export_binary()
    if binary is not None:
        if len(files) == len(BINARY_FILES):
            raise ValueError(f"a bundle holds at most {len(BINARY_FILES)} models with trees")
        file = BINARY_FILES[len(files)]
        files[file], node["binary"] = binary, file
    return node


def restore_model(files: Mapping[str, bytes], specs: Sequence[FeatureSpec]) -> ResponderModel:
    """Read a model back from its files."""
    try:
        content = json.loads(files[MODEL_FILE])
        used: list[str] = []
        model = _restore_node(content, files, tuple(specs), used, 0)
        if sorted(name for name in files if name.endswith(".ubj")) != sorted(used):
            raise ValueError("a binary part of the model is foreign, or used twice")
    except (
        # What plain data of another form lead to, and XGBoost's own errors, which are ValueErrors.
        ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError,
        ValueError, DefinitionError,
    ):  # fmt: skip
        raise BundleError(
            "the model's files are not as this version of Glabella writes them",
            remedy="Train again, or install the version that the manifest names.",
        ) from None
    return model


def _restore_node(
    node: Mapping[str, Any],
    files: Mapping[str, bytes],
    specs: tuple[FeatureSpec, ...],
    used: list[str],
    depth: int,
) -> ResponderModel:
    if depth > _DEEPEST:
        raise ValueError("the model is composed of itself too often")

    def restore(part: Mapping[str, Any]) -> ResponderModel:
        return _restore_node(part, files, specs, used, depth + 1)

    def restore_additive(part: Mapping[str, Any]) -> ResponderModel:
        model = restore(part)
        if not model.is_additive:
            raise ValueError("a part does not add up on the log-odds scale")
        return model

    match sorted(node):
        case ["average"]:
            members = [restore(part) for part in node["average"]]
            if len({member.is_additive for member in members}) != 1:
                raise ValueError("an average has no members, or they add up on different scales")
            return AveragedModel(members)
        case ["ensemble", "weights"]:
            weights = [check_finite(weight) for weight in node["weights"]]
            return EnsembleModel.join(
                [restore_additive(part) for part in node["ensemble"]], np.array(weights)
            )
        case ["calibrated", "intercept", "slope"]:
            numbers = [check_finite(node[name]) for name in ("slope", "intercept")]
            return CalibratedModel(restore(node["calibrated"]), *numbers)
        case ["arms", "recalibrated"]:
            steps = ArmSteps.restore(node["arms"], specs)
            return ArmRecalibratedModel(restore_additive(node["recalibrated"]), steps)
    model = _restore_settings(node, specs)
    model.restore_state(node["state"])
    if ("binary" in node) != model.has_binary:
        raise ValueError("a binary part of the model is missing, or foreign")
    if model.has_binary:
        used.append(node["binary"])
        model.restore_binary(files[node["binary"]])
    return model


def _restore_settings(node: Mapping[str, Any], specs: tuple[FeatureSpec, ...]) -> ResponderModel:
    estimator = find_estimator(node["estimator"])
    types = get_type_hints(estimator.__init__)
    for name, value in node["settings"].items():
        if name in _OURS:
            raise ValueError("a setting of the model is one that training decides")
        _check_setting(value, types[name], name, MODEL_FILE)
    return estimator(specs=specs, **node["settings"])
