"""Participants of a new trial that a model was trained on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from glabella.bundle.manifest import Manifest
from glabella.data.identifiers import simplify_ids, write_ids
from glabella.definitions.locate import Project
from glabella.errors import DataError


@dataclass(frozen=True)
class Overlap:
    """How many participants of a table were trained on.

    Parameters
    ----------
    same : int or None
        Those whose identifiers are the same; None if the training's keys are not here.
    alike : int
        Further ones whose identifiers differ in leading zeros, capitals or blanks alone, or are the
        same in a trial of another name.
    """

    same: int | None
    alike: int = 0


def find_overlap(
    ids: Sequence[pd.Series],
    manifest: Manifest,
    project: Project,
    *,
    across_trials: bool = False,
) -> Overlap:
    """Find the participants who are among those of training, by the hash of their identifiers.

    Returns
    -------
    Overlap
        Unknown if the keys of a run that the model has learnt in are not here.
    """
    paths = [project.runs / "keys" / f"{run}.csv" for run in _list_runs(manifest.provenance)]
    if not paths or not all(path.exists() for path in paths):
        return Overlap(None)
    columns = ["studyid", "usubjid"][-len(ids) :]
    known = pd.concat([_read_keys(path, ["studyid", "usubjid"]) for path in paths])
    given = [write_ids(part).tolist() for part in ids]
    trained = [write_ids(known[column]).tolist() for column in columns]
    same = _find_among(given, trained)
    alike = _find_among(_simplify_frame(given), _simplify_frame(trained))
    if len(columns) > 1:
        by_id = _find_among(given[-1:], trained[-1:])
        trial = pd.Series(given[0])
        # Without the trial's name an identifier is all there is.
        same |= by_id & (trial == "")
        if across_trials:
            alike |= _find_among(
                _simplify_frame(given[-1:]), _simplify_frame(trained[-1:])
            ) & ~trial.isin(trained[0])
    alike |= _find_among(
        _simplify_frame([_drop_trials(given[-1], known)]),
        _simplify_frame([known["usubjid"].tolist()]),
    )
    return Overlap(int(same.sum()), int((alike & ~same).sum()))


def check_overlap(overlap: Overlap, place: str, *, may_overlap: bool) -> None:
    """Refuse participants of training, unless that was stated."""
    if may_overlap:
        return
    if overlap.same:
        raise DataError(
            f"{overlap.same} of its participants were trained on, so their figures would be of the "
            "fit",
            place=place,
            remedy="Leave them out, or state it with --allow-overlap.",
        )
    if overlap.alike:
        raise DataError(
            f"{overlap.alike} of its participants have the identifiers of participants who were "
            "trained on, in a trial of another name, or apart from leading zeros, capitals or "
            "blanks",
            place=place,
            remedy="If they are the same people, leave them out; if not, state --allow-overlap.",
        )


def _read_keys(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    # An identifier may be the word NA.
    keys = pd.read_csv(path, dtype=str, keep_default_na=False)
    if "person" in keys and "usubjid" in columns:
        # Of a crossover's periods, the rows of one person.
        people = keys.assign(usubjid=keys["person"].where(keys["person"] != "", keys["usubjid"]))
        keys = pd.concat([keys, people])
    return keys[list(columns)]


def _list_runs(provenance: Mapping[str, Any]) -> list[str]:
    """The runs whose participants the model has learnt from."""
    earlier = (provenance.get("lineage") or {}).get("runs") or []
    return [str(run) for run in (*earlier, provenance.get("run")) if run]


def _drop_trials(ids: Sequence[str], known: pd.DataFrame) -> list[str]:
    """Take the trial's name off identifiers that begin with it, as CDISC makes unique ones."""
    names = sorted({name for name in known["studyid"] if name}, key=len, reverse=True)
    if not names:
        return list(ids)
    start = re.compile(rf"(?:{'|'.join(map(re.escape, names))})[-/_. ]", re.IGNORECASE)
    return [start.sub("", text, count=1) if start.match(text) else "\0" for text in ids]


def _simplify_frame(parts: Sequence[list[str]]) -> list[list[str]]:
    return [simplify_ids(part) for part in parts]


def _find_among(given: Sequence[list[str]], trained: Sequence[list[str]]) -> pd.Series:
    return pd.Series(_hash_ids(given)).isin(set(_hash_ids(trained)))


def _hash_ids(parts: Sequence[Sequence[str]]) -> list[str]:
    joined = ["\0".join(each) for each in zip(*parts, strict=True)]
    return [hashlib.sha256(text.encode()).hexdigest() for text in joined]
