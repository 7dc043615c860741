"""Which version is the champion, which versions were before, and the record of each promotion."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from glabella.errors import BundleError
from glabella.tracking.references import ModelReference
from glabella.tracking.registry import CHAMPION, RegisteredVersion, find_version, list_versions_of
from glabella.tracking.store import Store, explain_store_errors, load_mlflow

# A tag of the registered model: the versions that became champion and were not rolled back, the
# latest last.
CHAMPIONS_TAG = "champions"
# Far shorter than a registry allows, so that a list of versions stays readable.
_LONGEST_TAG = 500
_LONGEST_HISTORY = 100


def log_verdict(store: Store, found: RegisteredVersion, tags: Mapping[str, str]) -> None:
    """Log the findings of the gate as tags of the version."""
    with explain_store_errors(store):
        client = load_mlflow().MlflowClient()
        for name, text in {**tags, "gate.at": _format_now()}.items():
            client.set_model_version_tag(found.name, found.version, name, text[:_LONGEST_TAG])


def promote_version(store: Store, found: RegisteredVersion) -> str | None:
    """Promote a version to champion, and return the version of the champion before."""
    with explain_store_errors(store):
        client = load_mlflow().MlflowClient()
        model = client.get_registered_model(found.name)
        before = (model.aliases or {}).get(CHAMPION)
        before = None if before is None else str(before)
        history = _read_history(model.tags)
        # A champion whose alias was set by hand is kept in the history too.
        for version in (before, found.version):
            if version is not None and history[-1:] != [version]:
                history.append(version)
        _write_history(found.name, history)
        client.set_registered_model_alias(found.name, CHAMPION, found.version)
        client.set_model_version_tag(found.name, found.version, "promoted_at", _format_now())
    return before


def find_previous(store: Store, name: str) -> tuple[RegisteredVersion, RegisteredVersion]:
    """Find the champion and the one before it."""
    champion = find_version(store, ModelReference(name), alias=CHAMPION)
    with explain_store_errors(store):
        tags = load_mlflow().MlflowClient().get_registered_model(name).tags
    versions = {item.version: item for item in list_versions_of(store, name)}
    for version in reversed(_select_before(_read_history(tags), champion.version)):
        if version in versions and version != champion.version:
            return champion, versions[version]
    raise BundleError(
        f"the model '{name}' had no champion before version {champion.version}",
        remedy="Promote another version instead of rolling back.",
    )


def restore(
    store: Store, champion: RegisteredVersion, previous: RegisteredVersion, reason: str
) -> None:
    """Restore an earlier champion, and record it as tags of both versions."""
    with explain_store_errors(store):
        client = load_mlflow().MlflowClient()
        tags = client.get_registered_model(champion.name).tags
        history = _select_before(_read_history(tags), champion.version)
        while history and history[-1] != previous.version:
            history.pop()
        client.set_registered_model_alias(champion.name, CHAMPION, previous.version)
        _write_history(champion.name, history)
        lost = {"rolled_back_at": _format_now(), "rolled_back_to": previous.version}
        if reason:
            lost["rolled_back_because"] = reason[:_LONGEST_TAG]
        for name, text in lost.items():
            client.set_model_version_tag(champion.name, champion.version, name, text)
        client.set_model_version_tag(
            champion.name, previous.version, "restored_at", lost["rolled_back_at"]
        )


def _select_before(history: list[str], version: str) -> list[str]:
    """Select the part of a history before a version; all of it if the version is not in it."""
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
    client = load_mlflow().MlflowClient()
    client.set_registered_model_tag(name, CHAMPIONS_TAG, json.dumps(history[-_LONGEST_HISTORY:]))


def _format_now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
