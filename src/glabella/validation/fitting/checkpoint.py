"""Keeps finished fits, so that an interrupted run can be continued without fitting them again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.atomic import (
    PARTIAL,
    NotOursError,
    make_folder,
    name_partial,
    open_new,
    refuse_odd_folder,
)
from glabella.errors import DataError
from glabella.models.candidate import Candidate
from glabella.models.estimators.interface import Contributions
from glabella.validation.folds.fold_result import FoldResult, InnerLosses
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.splits import Fold

_FIT = ".npz"


@dataclass(frozen=True)
class FitKey:
    """What a fit depends on, in one digest.

    Parameters
    ----------
    digest : str
        SHA-256 in hexadecimal: two fits with the same digest give the same predictions.
    """

    digest: str


class Checkpoint:
    """A folder of finished fits, as plain arrays.

    Parameters
    ----------
    folder : Path
        Made when the first fit is kept. It holds predictions by position, never an id.
    versions : mapping of str
        Of the libraries: a fit by others is not taken for one of these.

    Raises
    ------
    DataError
        If the folder is a link, or another user's: its fits would be taken for ours.
    """

    def __init__(self, folder: Path, versions: dict[str, str]) -> None:
        self.folder = folder
        self._versions = json.dumps(versions, sort_keys=True)
        self._hashed: list[tuple[Sample, str]] = []
        self._refuse_odd_folder()

    def make_key(
        self,
        candidate: Candidate,
        sample: Sample,
        fold: Fold,
        outcomes: npt.NDArray[np.int8],
        *,
        inner_folds: int,
        seeds: Sequence[np.random.SeedSequence],
        is_weighed: bool,
    ) -> FitKey:
        """Make the key of a fit from everything that it depends on.

        Parameters
        ----------
        candidate : Candidate
            Its definition.
        sample : Sample
            The participants; of them the features, trials and sites.
        fold : Fold
            Who is trained on and who is held out.
        outcomes : array of int, shape (n_imputations, n_train)
            What is learnt from.
        inner_folds : int
            Folds of the tuning.
        seeds : sequence of SeedSequence
            Of the fit and of its inner folds.
        is_weighed : bool
            Whether inner losses are wanted beside the fit.

        Returns
        -------
        FitKey
            Of that fit alone.
        """
        states = [str(seed.state) for seed in seeds]
        definition = candidate.model_dump_json()
        asked = (inner_folds, is_weighed, fold.unit, sample.background)
        stated = (self._versions, definition, states, *asked)
        digest = hashlib.sha256(json.dumps(stated).encode())
        digest.update(self._hash_sample(sample).encode())
        for array in (fold.train, fold.test, outcomes):
            digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return FitKey(digest.hexdigest())

    def find(self, key: FitKey, name: str, fold: Fold) -> FoldResult | None:
        """Find a finished fit.

        Parameters
        ----------
        key : FitKey
            Of the fit.
        name : str
            The candidate.
        fold : Fold
            The split.

        Returns
        -------
        FoldResult or None
            None where it is not there, or was not written whole.
        """
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
        """Keep a finished fit; one that failed is tried again.

        Parameters
        ----------
        key : FitKey
            Of the fit.
        result : FoldResult
            What came of it.
        """
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

    def make_scope(
        self, candidates: Mapping[str, Candidate], sample: Sample, *stated: object
    ) -> str:
        """Make the digest of what tasks depend on that draw participants anew.

        Parameters
        ----------
        candidates : mapping of Candidate
            What is fitted.
        sample : Sample
            The participants, with the strata that they are drawn within, their outcomes, and what
            missing ones are imputed from.
        *stated : object
            Whatever else the tasks depend on, as plain values.

        Returns
        -------
        str
            SHA-256 in hexadecimal.
        """
        definitions = {name: item.model_dump_json() for name, item in candidates.items()}
        asked = (self._versions, definitions, sample.background, repr(stated))
        digest = hashlib.sha256(json.dumps(asked).encode())
        digest.update(self._hash_sample(sample).encode())
        drawn = sample.complete_training(np.arange(sample.n), np.random.SeedSequence(0))
        digest.update(json.dumps(sample.strata.tolist()).encode())
        for array in (sample.active, sample.outcomes, drawn):
            digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def find_plain(self, key: FitKey) -> Any:
        """Find what a task came to.

        Parameters
        ----------
        key : FitKey
            Of the task.

        Returns
        -------
        object
            As it was kept; None where it is not there, or was not written whole.
        """
        try:
            with self._name(key).open("rb") as file, np.load(file, allow_pickle=False) as kept:
                return _join(json.loads(str(kept["stated"])), kept)
        except (OSError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile):
            return None

    def keep_plain(self, key: FitKey, content: object) -> None:
        """Keep what a task came to.

        Parameters
        ----------
        key : FitKey
            Of the task.
        content : object
            Plain values, bytes and arrays, in dicts and lists.
        """
        arrays: dict[str, Any] = {}
        self._write(key, _part(content, arrays), arrays)

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
        """Count the finished fits.

        Returns
        -------
        int
            Of any analysis that kept them here.
        """
        return len(list(self.folder.glob(f"*{_FIT}")))

    def clear(self) -> None:
        """Delete the folder with all fits; what is no fit stays."""
        self._refuse_odd_folder()
        for path in self.folder.glob("*"):
            # Those of versions before bore the number of a process.
            if path.suffix in (_FIT, PARTIAL) or path.suffix[1:].isdigit():
                path.unlink(missing_ok=True)
        # Gone already, or another training kept a fit in between.
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def _name(self, key: FitKey) -> Path:
        return self.folder / f"{key.digest}{_FIT}"

    def _refuse_odd_folder(self) -> None:
        try:
            refuse_odd_folder(self.folder)
        except NotOursError as error:
            raise DataError(
                f"finished fits can't be kept here: {error.strerror}",
                place=str(self.folder),
                remedy="It was left as it is. Remove it, and train again.",
            ) from None

    def _hash_sample(self, sample: Sample) -> str:
        for known, digest in self._hashed:
            if known is sample:
                return digest
        frame = sample.features.frame
        columns = repr([*frame.columns, *map(str, frame.dtypes), sample.features.specs])
        made = hashlib.sha256(columns.encode())
        made.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
        made.update(np.ascontiguousarray(sample.people).tobytes())
        if sample.margin is not None:
            made.update(np.ascontiguousarray(sample.margin).tobytes())
        made.update(json.dumps([sample.trial.tolist(), sample.site.tolist()]).encode())
        self._hashed.append((sample, made.hexdigest()))
        return made.hexdigest()


def _part(content: object, arrays: dict[str, Any]) -> list[Any]:
    """Write a tree as JSON, with arrays and bytes beside it."""
    if isinstance(content, Mapping):
        return ["dict", {str(name): _part(item, arrays) for name, item in content.items()}]
    if isinstance(content, list | tuple):
        return ["list", [_part(item, arrays) for item in content]]
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
