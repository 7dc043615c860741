"""Which version is the champion, which were before, and what is recorded of each promotion."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from glabella.errors import BundleError
from glabella.tracking.references import ModelReference
from glabella.tracking.registry import CHAMPION, RegisteredVersion, find_version, list_versions_of
from glabella.tracking.store import Store, explain_store_errors, import_mlflow

# On the registered model: the versions that became champion and were not rolled back, the
# latest last.
CHAMPIONS_TAG = "champions"
# Far below what a registry takes, so that a list of versions reads as one.
_LONGEST_TAG = 500
_LONGEST_HISTORY = 100


def record_verdict(store: Store, found: RegisteredVersion, tags: Mapping[str, str]) -> None:
    """Record what a gate found, as tags of the version."""
    with explain_store_errors(store):
        client = import_mlflow().MlflowClient()
        for name, text in {**tags, "gate.at": _now()}.items():
            client.set_model_version_tag(found.name, found.version, name, text[:_LONGEST_TAG])


def crown(store: Store, found: RegisteredVersion) -> str | None:
    """Give a version the alias of the champion."""
    with explain_store_errors(store):
        client = import_mlflow().MlflowClient()
        model = client.get_registered_model(found.name)
        before = (model.aliases or {}).get(CHAMPION)
        before = None if before is None else str(before)
        history = _read_history(model.tags)
        # Who gave the alias by hand is remembered too.
        for version in (before, found.version):
            if version is not None and history[-1:] != [version]:
                history.append(version)
        _write_history(found.name, history)
        client.set_registered_model_alias(found.name, CHAMPION, found.version)
        client.set_model_version_tag(found.name, found.version, "promoted_at", _now())
    return before


def find_previous(store: Store, name: str) -> tuple[RegisteredVersion, RegisteredVersion]:
    """Find the champion and the one before it."""
    champion = find_version(store, ModelReference(name), alias=CHAMPION)
    with explain_store_errors(store):
        tags = import_mlflow().MlflowClient().get_registered_model(name).tags
    versions = {item.version: item for item in list_versions_of(store, name)}
    for version in reversed(_until(_read_history(tags), champion.version)):
        if version in versions and version != champion.version:
            return champion, versions[version]
    raise BundleError(
        f"the model '{name}' had no champion before version {champion.version}",
        remedy="There is nothing to roll back to; promote another version.",
    )


def restore(
    store: Store, champion: RegisteredVersion, previous: RegisteredVersion, reason: str
) -> None:
    """Give the alias back to an earlier champion, and record it on both."""
    with explain_store_errors(store):
        client = import_mlflow().MlflowClient()
        tags = client.get_registered_model(champion.name).tags
        history = _until(_read_history(tags), champion.version)
        while history and history[-1] != previous.version:
            history.pop()
        client.set_registered_model_alias(champion.name, CHAMPION, previous.version)
        _write_history(champion.name, history)
        lost = {"rolled_back_at": _now(), "rolled_back_to": previous.version}
        if reason:
            lost["rolled_back_because"] = reason[:_LONGEST_TAG]
        for name, text in lost.items():
            client.set_model_version_tag(champion.name, champion.version, name, text)
        client.set_model_version_tag(
            champion.name, previous.version, "restored_at", lost["rolled_back_at"]
        )


def _until(history: list[str], version: str) -> list[str]:
    """Take what comes before a version in the history, or all of it where it is not there."""
    if version in history:
        last = len(history) - 1 - history[::-1].index(version)
        return history[:last]
    return history


def _read_history(tags: Mapping[str, str] | None) -> list[str]:
    try:
        return [str(version) for version in json.loads((tags or {}).get(CHAMPIONS_TAG, "[]"))]
    except (ValueError, TypeError):
        return []


def _write_history(name: str, history: list[str]) -> None:
    client = import_mlflow().MlflowClient()
    client.set_registered_model_tag(name, CHAMPIONS_TAG, json.dumps(history[-_LONGEST_HISTORY:]))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
