"""Refits of a bundle's model to bootstrap samples, in one file of plain data."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zlib
from collections.abc import Mapping, Sequence

from glabella.errors import BundleError
from glabella.features.spec import FeatureSpec
from glabella.models.build import restore_model
from glabella.models.estimators.interface import ResponderModel

REFITS_FILE = "refits.json.gz"
# Enough for a range; more would make a bundle large.
MOST_KEPT = 20
# The size of all refits, uncompressed: a hundred times that of the largest shipped candidates.
_MOST_BYTES = 1 << 30


def export_refits(models: Sequence[Mapping[str, bytes]]) -> bytes:
    """Write the first twenty refits as compressed JSON, fewer if they exceed a gigabyte."""
    content: list[dict[str, str]] = []
    size = 0
    for files in models[:MOST_KEPT]:
        packed = {name: base64.b64encode(file).decode("ascii") for name, file in files.items()}
        size += len(json.dumps(packed)) + 2
        if size > _MOST_BYTES - 2:
            break
        content.append(packed)
    # There is no time stamp, so that the same refits give the same file.
    return gzip.compress(json.dumps(content).encode(), mtime=0)


def restore_refits(content: bytes, specs: Sequence[FeatureSpec]) -> list[ResponderModel]:
    """Restore the refits that `export_refits` wrote."""
    try:
        plain = json.loads(_read_compressed(content))
        if len(plain) > MOST_KEPT:
            raise ValueError("there are more refits than a bundle has")
        models = [
            {str(name): base64.b64decode(file, validate=True) for name, file in files.items()}
            for files in plain
        ]
    except (
        AttributeError, EOFError, MemoryError, OSError, RecursionError, TypeError, ValueError,
        zlib.error,
    ):  # fmt: skip
        raise BundleError(
            "the refits are not as this version of Glabella writes them",
            remedy="Copy the bundle again from the run that made it.",
        ) from None
    return [restore_model(files, specs) for files in models]


def _read_compressed(content: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
        plain = packed.read(_MOST_BYTES + 1)
    if len(plain) > _MOST_BYTES:
        raise ValueError("the uncompressed refits are too large")
    return plain
