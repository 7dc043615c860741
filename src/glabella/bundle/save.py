"""Saves a bundle atomically."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from glabella.atomic import make_folder, name_partial, write_together
from glabella.bundle.manifest import MANIFEST_FILE, SUMS_FILE, Manifest
from glabella.errors import BundleError


def write_bundle(folder: Path, manifest: Manifest, model_files: Mapping[str, bytes]) -> Path:
    """Write a bundle's files and the SHA-256 of each."""
    if folder.exists():
        raise BundleError("a bundle is already there", place=str(folder))
    text = manifest.model_dump_json(indent=2, by_alias=True) + "\n"
    files = {MANIFEST_FILE: text.encode(), **model_files}
    sums = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        for name, content in sorted(files.items())
    )
    partial = folder.with_name(name_partial(folder.name))
    try:
        make_folder(partial)
        write_together(partial, {**files, SUMS_FILE: sums.encode()})
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder
