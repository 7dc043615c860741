"""Loads a bundle after checking every file of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from glabella.bundle.applicability.applicability_domain import LIKENESS_FILE, ApplicabilityDomain
from glabella.bundle.applicability.similar_patients import NEIGHBOURS_FILE, SimilarGroups
from glabella.bundle.manifest import FORMAT, MANIFEST_FILE, SUMS_FILE, Manifest
from glabella.bundle.refits import REFITS_FILE, restore_refits
from glabella.definitions.words import list_texts
from glabella.errors import BundleError, escape_controls
from glabella.models.build import BINARY_FILES, MODEL_FILE, restore_model
from glabella.models.estimators.interface import ResponderModel

# A file that is not on this list is never opened.
ALLOWED_FILES = frozenset(
    {
        MANIFEST_FILE,
        SUMS_FILE,
        MODEL_FILE,
        LIKENESS_FILE,
        REFITS_FILE,
        NEIGHBOURS_FILE,
        *BINARY_FILES,
    }
)
# The errors that plain data in another form lead to.
_ANOTHER_FORM = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
_REMEDY = "Copy the bundle again from the run that made it."


class _Open(BaseModel):
    """The least that the open parts of a manifest contain, of the values that a verb reads."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Prediction(_Open):
    low: float
    high: float
    method: str


class _Concordance(_Open):
    predictions: list[_Prediction] | None = None


class _RandomEffects(_Open):
    auc: _Concordance | None = None


class _Design(_Open):
    auc: float | None = None
    random_effects: _RandomEffects | None = None


class _Figures(_Open):
    pooled: _Design | None = None
    across: _Design | None = None


class _Cell(_Open):
    trial: str


class _Training(_Open):
    cells: list[_Cell]


class _Lineage(_Open):
    runs: list[str | None] | None = None


class _Provenance(_Open):
    run: str | None = None
    lineage: _Lineage | None = None


@dataclass(frozen=True)
class Bundle:
    """A checked model with its manifest.

    Parameters
    ----------
    manifest : Manifest
        The description of the model.
    model : ResponderModel
        The fitted model.
    domain : ApplicabilityDomain
        The distances from the training participants.
    further : mapping of bytes
        Files that only some verbs need: refits and groups of training participants.
    digest : str
        SHA-256 of the list of sums, which covers every file; blank for a bundle that was not
        loaded from files.
    """

    manifest: Manifest
    model: ResponderModel
    domain: ApplicabilityDomain
    further: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    digest: str = ""

    @cached_property
    def refits(self) -> tuple[ResponderModel, ...]:
        """The model's refits to bootstrap samples; empty if the analysis asked for none."""
        content = self.further.get(REFITS_FILE)
        if content is None:
            return ()
        return tuple(restore_refits(content, self.manifest.feature_specs))

    def load_similar_groups(self) -> SimilarGroups:
        """Load the groups of training participants."""
        try:
            return SimilarGroups.restore(self.further[NEIGHBOURS_FILE], self.manifest.feature_specs)
        except _ANOTHER_FORM:
            raise BundleError(
                "the groups of training participants are missing, or not as this version of "
                "Glabella writes them",
                remedy=_REMEDY,
            ) from None


def is_bundle(folder: Path) -> bool:
    """Return whether a folder has the manifest of a bundle."""
    try:
        return (folder / MANIFEST_FILE).is_file()
    except (OSError, ValueError):
        # It is not a valid path: too long a name, or a character that no file's name has.
        return False


def load_bundle(folder: Path) -> Bundle:
    """Load the model of a bundle after checking its files."""
    if not is_bundle(folder):
        raise BundleError("this folder is not a bundle", place=str(folder))
    files = _check_files(folder)
    version = _read_format(files[MANIFEST_FILE], folder)
    if version != FORMAT:
        raise BundleError(
            f"the bundle's format is {version}, and this version of Glabella reads {FORMAT}",
            place=str(folder),
            remedy="Install the version that its manifest names.",
        )
    try:
        manifest = Manifest.model_validate_json(files[MANIFEST_FILE])
        for part, value in (
            (_Training, manifest.training),
            (_Figures, manifest.performance),
            (_Provenance, manifest.provenance),
        ):
            part.model_validate(value)
    except ValidationError as error:
        first = ".".join(str(key) for key in error.errors()[0]["loc"])
        raise BundleError(
            f"the manifest is not as Glabella writes it, at '{first}'",
            place=str(folder),
            remedy=_REMEDY,
        ) from None
    if any(
        escape_controls(text, keep="\n\t") != text
        for _, text in list_texts(json.loads(files[MANIFEST_FILE]))
    ):
        # Labels of features and arms reach terminals, scores and pages.
        raise BundleError(
            "the manifest has characters that are invisible, or that change how others are shown",
            place=str(folder),
            remedy=_REMEDY,
        )
    contradiction = manifest.find_contradiction()
    if contradiction is not None:
        raise BundleError(
            f"the manifest contradicts itself: {contradiction}", place=str(folder), remedy=_REMEDY
        )
    digest = hashlib.sha256((folder / SUMS_FILE).read_bytes()).hexdigest()
    further = {name: files.pop(name) for name in (REFITS_FILE, NEIGHBOURS_FILE) if name in files}
    try:
        domain = ApplicabilityDomain.restore(files.pop(LIKENESS_FILE), manifest.feature_specs)
    except _ANOTHER_FORM:
        raise BundleError(
            f"'{LIKENESS_FILE}' is missing, or not as this version of Glabella writes it",
            place=str(folder),
            remedy=_REMEDY,
        ) from None
    model = restore_model(files, manifest.feature_specs)
    return Bundle(manifest, model, domain, further, digest)


def _check_files(folder: Path) -> dict[str, bytes]:
    present = {path.name for path in folder.iterdir()}
    odd = sorted(path.name for path in folder.iterdir() if path.is_symlink() or not path.is_file())
    if odd:
        raise BundleError(
            f"'{odd[0]}' is not a plain file, as all files of a bundle are",
            place=str(folder),
            remedy=_REMEDY,
        )
    foreign = sorted(present - ALLOWED_FILES)
    if foreign:
        raise BundleError(
            f"the bundle has the file '{foreign[0]}', which is not part of a bundle",
            place=str(folder),
            remedy=_REMEDY,
        )
    sums = {}
    try:
        for line in (folder / SUMS_FILE).read_text(encoding="utf-8").splitlines():
            digest, name = line.split("  ", 1)
            if name in sums:
                raise ValueError("a file is named twice")
            sums[name] = digest
    except (OSError, ValueError):
        raise BundleError(
            f"the bundle's {SUMS_FILE} is missing or unreadable",
            place=str(folder),
            remedy=_REMEDY,
        ) from None
    if set(sums) != present - {SUMS_FILE} or not {MANIFEST_FILE, MODEL_FILE} <= set(sums):
        raise BundleError(
            f"the bundle's files are not those that {SUMS_FILE} names",
            place=str(folder),
            remedy=_REMEDY,
        )
    files = {name: (folder / name).read_bytes() for name in sums}
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != sums[name]:
            raise BundleError(
                f"'{name}' was changed after the bundle was saved",
                place=str(folder),
                remedy=_REMEDY,
            )
    return files


def _read_format(content: bytes, folder: Path) -> object:
    try:
        return json.loads(content)["format"]
    except _ANOTHER_FORM:
        raise BundleError(
            "the manifest is not readable", place=str(folder), remedy=_REMEDY
        ) from None
