"""Keeps finished fits, so that an interrupted run can be continued without fitting them again."""

from __future__ import annotations

import contextlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from glabella.atomic import (
    PARTIAL,
    NotOursError,
    check_own_folder,
    make_folder,
    name_partial,
    open_new,
)
from glabella.errors import DataError
from glabella.models.estimators.contributions import Contributions
from glabella.validation.fitting.digest import Digester, FitKey
from glabella.validation.folds.fold_result import FoldResult, InnerLosses
from glabella.validation.folds.splits import Fold

_FIT = ".npz"


class Checkpoint:
    """A folder of finished fits, as plain arrays.

    Two trainings of an analysis may use it at once: each fit is found by its own key, and a
    folder that the other one cleared is made again.

    Parameters
    ----------
    folder : Path
        Made when the first fit is kept. It holds predictions by position, never an id.
    versions : mapping of str
        Of the packages: a fit by others is not taken for one of these.

    Raises
    ------
    DataError
        If the folder is a link, or another user's: its fits would be taken for ours.
    """

    def __init__(self, folder: Path, versions: Mapping[str, str]) -> None:
        self.folder = folder
        self.digester = Digester(versions)
        self._check_own_folder()

    def find(self, key: FitKey, name: str, fold: Fold) -> FoldResult | None:
        """Find a finished fit; None if it is not there, or was not written whole."""
        path = self._name(key)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                stated = json.loads(str(kept["stated"]))
                contributions = None
                if "values" in kept:
                    contributions = Contributions(
                        tuple(stated["features"]), kept["values"], kept["base"], stated["scale"]
                    )
                return FoldResult(
                    name,
                    fold,
                    kept["probability"],
                    contributions,
                    stated["setting"],
                    stated["seconds"],
                    inner=None
                    if stated["inner"] is None
                    else InnerLosses(*map(tuple, stated["inner"])),
                )
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            return None

    def keep(self, key: FitKey, result: FoldResult) -> None:
        """Keep a finished fit; one that failed is tried again."""
        if result.probability is None:
            return
        stated: dict[str, Any] = {
            "setting": result.setting,
            "seconds": result.seconds,
            "inner": None if result.inner is None else [result.inner.losses, result.inner.sizes],
        }
        arrays: dict[str, Any] = {"probability": result.probability}
        if result.contributions is not None:
            stated["features"] = result.contributions.features
            stated["scale"] = result.contributions.scale
            arrays |= {"values": result.contributions.values, "base": result.contributions.base}
        self._write(key, stated, arrays)

    def find_plain(self, key: FitKey) -> Any:
        """Find the result of a task; None if it is not there, or was not written whole."""
        try:
            with self._name(key).open("rb") as file, np.load(file, allow_pickle=False) as kept:
                return _join(json.loads(str(kept["stated"])), kept)
        except (OSError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile):
            return None

    def keep_plain(self, key: FitKey, content: object) -> None:
        """Keep the result of a task: plain values, bytes and arrays, in dicts and lists."""
        arrays: dict[str, Any] = {}
        self._write(key, _write_part(content, arrays), arrays)

    def _write(self, key: FitKey, stated: object, arrays: Mapping[str, Any]) -> None:
        path = self._name(key)
        partial = path.with_name(name_partial(path.stem[:8]))
        # Another training of the same analysis may end, and clear the folder, at any moment; a fit
        # that is not kept is only fitted again.
        with contextlib.suppress(FileNotFoundError):
            make_folder(self.folder)
            try:
                with open_new(partial, private=True) as file:
                    np.savez(file, stated=np.array(json.dumps(stated)), **arrays)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)

    def count(self) -> int:
        """Count the finished fits, of any analysis that kept them here."""
        return len(list(self.folder.glob(f"*{_FIT}")))

    def remove_all(self) -> None:
        """Delete the folder with all fits; files that are not fits stay."""
        self._check_own_folder()
        for path in self.folder.glob("*"):
            # Earlier versions ended their names with the number of a process.
            if path.suffix in (_FIT, PARTIAL) or path.suffix[1:].isdigit():
                path.unlink(missing_ok=True)
        # Gone already, or another training kept a fit in between.
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def _name(self, key: FitKey) -> Path:
        return self.folder / f"{key.digest}{_FIT}"

    def _check_own_folder(self) -> None:
        try:
            check_own_folder(self.folder)
        except NotOursError as error:
            raise DataError(
                f"finished fits can't be kept here: {error.strerror}",
                place=str(self.folder),
                remedy="It was left as it is. Remove it, and train again.",
            ) from None


def _write_part(content: object, arrays: dict[str, Any]) -> list[Any]:
    """Write a tree as JSON, with arrays and bytes beside it."""
    if isinstance(content, Mapping):
        return ["dict", {str(name): _write_part(item, arrays) for name, item in content.items()}]
    if isinstance(content, list | tuple):
        return ["list", [_write_part(item, arrays) for item in content]]
    if isinstance(content, np.ndarray | bytes):
        name = f"array_{len(arrays)}"
        is_bytes = isinstance(content, bytes)
        arrays[name] = np.frombuffer(content, dtype=np.uint8) if is_bytes else content
        return ["bytes" if is_bytes else "array", name]
    return ["value", content]


def _join(parted: Sequence[Any], arrays: Mapping[str, Any]) -> Any:
    kind, content = parted
    if kind == "dict":
        return {name: _join(item, arrays) for name, item in content.items()}
    if kind == "list":
        return [_join(item, arrays) for item in content]
    if kind == "value":
        return content
    return arrays[content].tobytes() if kind == "bytes" else arrays[content]
