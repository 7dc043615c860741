"""Gives the alias `champion` through the declared gate, and gives it back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from glabella.bundle.load import load_bundle
from glabella.definitions.locate import find_project
from glabella.errors import BundleError, StoreError
from glabella.pipelines.promotion.gate import Criterion, judge
from glabella.pipelines.run_folder import RECORD_FOLDER
from glabella.reporting.record import RECORD_FILE, RunRecord, read_record
from glabella.tracking.promotion import find_previous, log_verdict, promote_version, restore
from glabella.tracking.references import ModelReference, parse_reference
from glabella.tracking.registry import (
    BUNDLE_TAG,
    CHALLENGER,
    RECORD_TAG,
    SIMULATED,
    UPDATED_TAG,
    RegisteredVersion,
    check_digest,
    find_version,
    find_version_bundle,
)
from glabella.tracking.runs import find_artifacts
from glabella.tracking.store import Store, open_store

__all__ = ["Promotion", "RollBack", "promote", "roll_back"]

_LONGEST_REASON = 500


@dataclass(frozen=True)
class Promotion:
    """What the gate said of a version, and what became of it.

    Parameters
    ----------
    model, version, run_id : str
        Which version, and the training that made it.
    criteria : tuple of Criterion
        Each that the policy asks for.
    promoted : bool
        Whether it is champion now, or would be without `dry_run`.
    dry_run : bool
        Whether nothing was written.
    override : str or None
        The reason by which it was promoted although a criterion is not met.
    champion_before : str or None
        The version that was champion.
    """

    model: str
    version: str
    run_id: str
    criteria: tuple[Criterion, ...]
    promoted: bool
    dry_run: bool
    override: str | None
    champion_before: str | None

    @property
    def verdict(self) -> str:
        """``passed``, ``refused``, or ``overridden`` where a reason outweighs a criterion."""
        if all(item.passed for item in self.criteria):
            return "passed"
        return "refused" if self.override is None else "overridden"

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

        Returns
        -------
        dict
            As `glabella promote --json` prints it.
        """
        return {
            **vars(self),
            "verdict": self.verdict,
            "criteria": [item.as_json() for item in self.criteria],
        }

    def frame(self) -> pd.DataFrame:
        """Tabulate the criteria.

        Returns
        -------
        DataFrame
            A row each: ``name``, ``figure``, ``bound``, ``passed``, ``remedy``.
        """
        return pd.DataFrame([item.as_json() for item in self.criteria])


@dataclass(frozen=True)
class RollBack:
    """Which version gave the alias back to which.

    Parameters
    ----------
    model : str
        The registered model.
    champion_before, version : str
        Who was champion, and who is now.
    reason : str
        Why, where it was said.
    """

    model: str
    champion_before: str
    version: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values.

        Returns
        -------
        dict
            As `glabella promote --rollback --json` prints it.
        """
        return dict(vars(self))


def promote(
    model: str,
    *,
    override: str | None = None,
    dry_run: bool = False,
    project: str | Path | None = None,
) -> Promotion:
    """Make a registered version the champion, if the gate of its analysis lets it.

    Parameters
    ----------
    model : str
        ``NAME`` for its challenger, ``NAME/VERSION`` or ``NAME@ALIAS``.
    override : str, optional
        Why the version becomes champion although a criterion is not met; recorded.
    dry_run : bool
        Whether to judge only, and write nothing.
    project : str or Path, optional
        The project.

    Returns
    -------
    Promotion
        Every criterion with its figure; `promoted` says whether the alias was given. The policy
        and the figures are those that the training recorded, held against the registered digests.

    Raises
    ------
    BundleError
        If there is no such version, it was trained on simulated data, its bundle or record is not
        what was registered, or was registered without digests, or the reference can't be one.
    StoreError
        If the registry can't be reached, or the reason is blank or too long.
    """
    named = parse_reference(model)
    if override is not None and not override.strip():
        raise StoreError(
            "the reason for promoting against the gate is blank",
            place="--override",
            remedy="Say why; it is recorded with the version.",
        )
    if override is not None and len(override) > _LONGEST_REASON:
        raise StoreError(
            f"the reason has {len(override)} characters, and {_LONGEST_REASON} can be recorded",
            place="--override",
            remedy="Say it in fewer words.",
        )
    store = open_store(find_project(Path(project) if project is not None else None))
    found = _find(store, named)
    _check_simulated(found, found.tags.get("origin", "real"))
    criteria = (
        _judge_updated(store, found)
        if UPDATED_TAG in found.tags
        else judge(_read_verified(store, found))
    )
    passed = all(item.passed for item in criteria)
    reason = None if override is None or passed else override.strip()
    promoted = passed or reason is not None
    result = Promotion(
        found.name, found.version, found.run_id, criteria, promoted, dry_run, reason, None
    )
    if dry_run:
        return result
    tags = {f"gate.{item.name}": item.describe() for item in criteria}
    tags["gate"] = result.verdict
    # A later verdict without a reason must not stand beside the reason of an earlier one.
    tags["gate.override"] = reason or "none"
    log_verdict(store, found, tags)
    before = promote_version(store, found) if promoted else None
    return Promotion(**{**vars(result), "champion_before": before})


def roll_back(name: str, *, reason: str = "", project: str | Path | None = None) -> RollBack:
    """Give the alias back to the champion before.

    Parameters
    ----------
    name : str
        The registered model.
    reason : str
        Why; recorded.
    project : str or Path, optional
        The project.

    Returns
    -------
    RollBack
        Who is champion now. Rolling back again goes further back.

    Raises
    ------
    BundleError
        If there is no champion, or none before it, or its bundle is not the registered one.
    StoreError
        If the registry can't be reached, or an alias or a version is named.
    """
    named = parse_reference(name)
    if named.alias is not None or named.version is not None:
        raise StoreError(
            "rolling back takes the name of a model alone",
            place=name,
            remedy=f"Write {named.name}; to choose a version yourself, promote it.",
        )
    store = open_store(find_project(Path(project) if project is not None else None))
    champion, previous = find_previous(store, named.name)
    load_bundle(find_version_bundle(store, previous))
    restore(store, champion, previous, reason.strip())
    return RollBack(named.name, champion.version, previous.version, reason.strip())


def _find(store: Store, named: ModelReference) -> RegisteredVersion:
    """Find the version; a model of simulated data has no challenger and is refused as such."""
    try:
        return find_version(store, named, alias=CHALLENGER)
    except BundleError:
        if named.alias is None and named.version is None:
            _check_simulated(find_version(store, named, alias=SIMULATED), "simulated")
        raise


def _check_simulated(found: RegisteredVersion, origin: str) -> None:
    if origin == "simulated":
        raise BundleError(
            "a model trained on simulated data is never promoted",
            place=f"models:/{found.name}/{found.version}",
            remedy="It says nothing of real patients, and no reason overrides that.",
        )


def _judge_updated(store: Store, found: RegisteredVersion) -> tuple[Criterion, ...]:
    """Nothing was validated since an update, so no figure can pass the gate."""
    bundle = load_bundle(find_version_bundle(store, found))
    _check_simulated(found, bundle.manifest.origin)
    return (
        Criterion(
            "validated_since_update",
            f"updated from {found.tags[UPDATED_TAG]}, and not validated since",
            "figures of participants that it has not learnt from",
            passed=False,
            remedy="Validate it in another trial (`glabella validate`), then promote it with "
            "--override and say what was found; or train again with the trial pooled in.",
        ),
    )


def _read_verified(store: Store, found: RegisteredVersion) -> RunRecord:
    """Read the record behind a version once bundle and record are what was registered."""
    place = f"models:/{found.name}/{found.version}"
    if BUNDLE_TAG not in found.tags or RECORD_TAG not in found.tags:
        raise BundleError(
            "this version was registered without digests, so its figures can't be vouched for",
            place=place,
            remedy="It can go on scoring; to promote, train again with this version of Glabella.",
        )
    bundle = load_bundle(find_version_bundle(store, found))
    _check_simulated(found, bundle.manifest.origin)
    folder = find_artifacts(store, found.run_id, RECORD_FOLDER)
    check_digest(folder / RECORD_FILE, found, RECORD_TAG, "record")
    record, _ = read_record(folder)
    if record.promotion is None or bundle.manifest.provenance.get("run") != found.run_id:
        raise BundleError(
            "the record holds nothing to judge by, or is of another run than the bundle",
            place=place,
            remedy="Train again with this version of Glabella.",
        )
    return record
