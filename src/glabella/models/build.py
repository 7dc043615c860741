"""A candidate's definition to an estimator, and an estimator to files and back."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_type_hints

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from glabella.definitions.reader import Read
from glabella.errors import BundleError, DefinitionError, describe_choices
from glabella.features.spec import FeatureSpec
from glabella.models.candidate import Candidate
from glabella.models.estimators import find_estimator
from glabella.models.estimators.averaged import AveragedModel
from glabella.models.estimators.interface import ResponderModel

MODEL_FILE = "model.json"
BINARY_FILE = "model.ubj"
# An average over imputations has one for each; a definition allows a hundred imputations.
MEMBER_FILES = tuple(f"model_{number:03d}.ubj" for number in range(1, 101))
_OURS = ("specs", "random_state")


def check_candidate(candidate: Read[Candidate]) -> None:
    """Refuse a candidate whose estimator or settings do not exist.

    Parameters
    ----------
    candidate : Read of Candidate
        The definition.

    Raises
    ------
    DefinitionError
        With the line and the nearest name, or what kind of value a setting takes.
    """
    origin = candidate.origin
    estimator = find_estimator(candidate.value.estimator, place=origin.place("estimator"))
    known = [name for name in inspect.signature(estimator).parameters if name not in _OURS]
    for part in ("settings", "search"):
        for name in getattr(candidate.value, part):
            if name not in known:
                raise DefinitionError(
                    f"the estimator '{candidate.value.estimator}' has no setting '{name}'",
                    place=origin.place(part, name),
                    remedy=describe_choices(name, known),
                )
    types = get_type_hints(estimator.__init__)
    for name, value in candidate.value.settings.items():
        _check_setting(value, types[name], name, origin.place("settings", name))
    for name, space in candidate.value.search.items():
        for quantile in (0.0, 1.0):
            _check_setting(space.spread(quantile), types[name], name, origin.place("search", name))


def _check_setting(value: object, kind: Any, name: str, place: str) -> None:
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError:
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
    """Make an unfitted estimator.

    Parameters
    ----------
    candidate : Candidate
        The definition.
    specs : sequence of FeatureSpec
        The columns it may use.
    random_state : int
        Seed of its fit.
    setting : mapping, optional
        Tuned settings, over the fixed ones.

    Returns
    -------
    ResponderModel
        Unfitted.
    """
    estimator = find_estimator(candidate.estimator)
    settings = {**candidate.settings, **(setting or {})}
    return estimator(specs=tuple(specs), random_state=random_state, **settings)


def count_parameters(
    candidate: Candidate, frame: pd.DataFrame, specs: Sequence[FeatureSpec]
) -> int | None:
    """Count what a candidate would estimate beside the intercept.

    Parameters
    ----------
    candidate : Candidate
        The definition.
    frame : DataFrame
        The features of all that would be fitted.
    specs : sequence of FeatureSpec
        The columns it may use.

    Returns
    -------
    int or None
        None where it has no fixed number.
    """
    return build_model(candidate, specs, random_state=0).count_parameters(frame)


def export_model(name: str, model: ResponderModel) -> dict[str, bytes]:
    """Write a fitted model as files that hold data and nothing that could be executed.

    Parameters
    ----------
    name : str
        The estimator's registered name.
    model : ResponderModel
        Fitted.

    Returns
    -------
    dict of bytes
        By file name: JSON, and XGBoost's UBJSON where there are trees, one for each member of an
        average.
    """
    members = list(model.members) if isinstance(model, AveragedModel) else [model]
    settings = {key: value for key, value in members[0].get_params().items() if key not in _OURS}
    content = {"estimator": name, "settings": settings, "state": model.export_state()}
    files = {MODEL_FILE: (json.dumps(content, indent=1) + "\n").encode()}
    names = [BINARY_FILE] if len(members) == 1 else MEMBER_FILES
    for file, member in zip(names, members, strict=False):
        binary = member.export_binary()
        if binary is not None:
            files[file] = binary
    return files


def restore_model(files: Mapping[str, bytes], specs: Sequence[FeatureSpec]) -> ResponderModel:
    """Read a model back from its files.

    Parameters
    ----------
    files : mapping of bytes
        From `export_model`.
    specs : sequence of FeatureSpec
        The columns it uses.

    Returns
    -------
    ResponderModel
        Fitted, equal to the exported one.

    Raises
    ------
    BundleError
        If the files are not such a model.
    """
    try:
        content = json.loads(files[MODEL_FILE])
        states = content["state"].get("members")
        names = [BINARY_FILE] if states is None else MEMBER_FILES
        members = [
            _restore_member(content, state, files.get(name), specs)
            for state, name in zip(states or [content["state"]], names, strict=False)
        ]
        expected = set(names[: len(members)]) if members[0].has_binary else set()
        if {name for name in files if name.endswith(".ubj")} != expected:
            raise ValueError("a binary part of the model is missing, or foreign")
    except (AttributeError, KeyError, TypeError, ValueError, IndexError, DefinitionError):
        raise BundleError(
            "the model's files are not as this version of Glabella writes them",
            remedy="Train again, or install the version that the manifest names.",
        ) from None
    return members[0] if states is None else AveragedModel(members)


def _restore_member(
    content: Mapping[str, Any],
    state: dict[str, Any],
    binary: bytes | None,
    specs: Sequence[FeatureSpec],
) -> ResponderModel:
    model = find_estimator(content["estimator"])(specs=tuple(specs), **content["settings"])
    model.restore_state(state)
    if model.has_binary:
        if binary is None:
            raise ValueError("a binary part of the model is missing")
        model.restore_binary(binary)
    return model
