"""What a fit depends on, in one digest, so that a kept fit is never taken for another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.models.candidate import Candidate
from glabella.validation.folds.sample import Sample
from glabella.validation.folds.splits import Fold


@dataclass(frozen=True)
class FitKey:
    """The key of a finished fit or task.

    Parameters
    ----------
    digest : str
        SHA-256 in hexadecimal: two fits with the same digest give the same predictions.
    """

    digest: str


class Digester:
    """Makes keys from everything that a fit depends on; a sample is hashed once.

    Parameters
    ----------
    versions : mapping of str
        Of the packages: a fit by others is not taken for one of these.
    """

    def __init__(self, versions: Mapping[str, str]) -> None:
        self._versions = json.dumps(versions, sort_keys=True)
        self._hashed: list[tuple[Sample, str]] = []

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
        """Make the key of a fit to the outcomes of a fold's training part."""
        states = [str(seed.state) for seed in seeds]
        definition = candidate.model_dump_json()
        asked = (inner_folds, is_weighed, fold.unit, sample.background)
        stated = (self._versions, definition, states, *asked)
        digest = hashlib.sha256(json.dumps(stated).encode())
        digest.update(self._hash_sample(sample).encode())
        for array in (fold.train, fold.test, outcomes):
            digest.update(_write_array(array))
        return FitKey(digest.hexdigest())

    def make_scope(
        self, candidates: Mapping[str, Candidate], sample: Sample, *stated: object
    ) -> str:
        """Make the digest of what tasks depend on that draw participants themselves.

        Of the sample, these depend on the strata that participants are drawn within, on their
        outcomes, and on what missing ones are imputed from; `stated` is whatever else they depend
        on, as plain values.
        """
        definitions = {name: item.model_dump_json() for name, item in candidates.items()}
        asked = (self._versions, definitions, sample.background, repr(stated))
        digest = hashlib.sha256(json.dumps(asked).encode())
        digest.update(self._hash_sample(sample).encode())
        drawn = sample.complete_training(np.arange(sample.n), np.random.SeedSequence(0))
        digest.update(json.dumps(sample.strata.tolist()).encode())
        for array in (sample.active, sample.outcomes, drawn):
            digest.update(_write_array(array))
        return digest.hexdigest()

    def _hash_sample(self, sample: Sample) -> str:
        for known, digest in self._hashed:
            if known is sample:
                return digest
        digest = _hash_sample(sample)
        self._hashed.append((sample, digest))
        return digest


def _hash_sample(sample: Sample) -> str:
    frame = sample.features.frame
    columns = repr([*frame.columns, *map(str, frame.dtypes), sample.features.specs])
    made = hashlib.sha256(columns.encode())
    made.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    made.update(np.ascontiguousarray(sample.people).tobytes())
    if sample.margin is not None:
        made.update(np.ascontiguousarray(sample.margin).tobytes())
    made.update(json.dumps([sample.trial.tolist(), sample.site.tolist()]).encode())
    return made.hexdigest()


def _write_array(array: npt.NDArray[np.generic]) -> bytes:
    return str(array.shape).encode() + np.ascontiguousarray(array).tobytes()
