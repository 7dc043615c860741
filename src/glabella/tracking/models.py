"""The model that a verb uses: a bundle folder, or a version in the registry."""

from __future__ import annotations

from pathlib import Path

from glabella.bundle.load import Bundle, is_bundle, load_bundle
from glabella.definitions.locate import Project
from glabella.errors import BundleError
from glabella.tracking.registry import find_registered_bundle


def find_bundle(model: str | None, *, project: Project, allow_simulated: bool) -> Bundle:
    """Find and load the model to score with."""
    if model is not None and is_bundle(Path(model)):
        bundle = load_bundle(Path(model))
    else:
        bundle = load_bundle(
            find_registered_bundle(model, project=project, allow_simulated=allow_simulated)
        )
    if bundle.manifest.origin == "simulated" and not allow_simulated:
        raise BundleError(
            f"the model '{bundle.manifest.model}' was trained on simulated data",
            remedy="Do not use it for real patients. To use it anyway, add --allow-simulated.",
        )
    return bundle
