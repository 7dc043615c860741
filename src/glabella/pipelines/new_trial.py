"""A trial that had no part in training, read with its outcomes and predicted by a bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.bundle.familiarity import describe_domain
from glabella.bundle.load import Bundle
from glabella.bundle.manifest import Manifest
from glabella.bundle.predict import choose_arm, prepare_features
from glabella.bundle.reference import measure_drift
from glabella.bundle.rows import check_columns, list_id_columns
from glabella.data.ingest.files import read_table
from glabella.definitions.locate import Project
from glabella.errors import DataError, describe_choices
from glabella.features.spec import FeatureTable
from glabella.validation.metrics import FEWEST_OF_A_CLASS
from glabella.validation.sample import Sample

_RESPONDED = frozenset({"1", "1.0", "true", "yes", "responder"})
_OTHERS = frozenset({"0", "0.0", "false", "no", "non-responder"})

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TrialColumns:
    """Where a table with outcomes holds what a table to be scored does not.

    Parameters
    ----------
    outcome : str
        The column of response: 1 or 0, true or false, yes or no; blank where it is not known.
    arm : str, optional
        The column of each row's arm, by the name or the words that the analysis gives it.
    """

    outcome: str
    arm: str | None = None


@dataclass(frozen=True)
class NewTrial:
    """Participants with known outcomes and what a model predicts for them.

    Parameters
    ----------
    name : str
        The table's name without its ending.
    sample : Sample
        Those who were predicted and whose outcome is known.
    log_odds : array of float, shape (n,)
        Of the model.
    rows : int
        Of the table.
    refused_by_reason : dict of int
        Rows that the model refused.
    without_outcome : int
        Further rows whose outcome is not known.
    out_of_domain : int
        Participants who are unlike those of training.
    drift : dict of dict
        Feature to ``index``, ``noise`` and ``is_marked``, as `score` tells it.
    overlap : int or None
        Participants who stand among those of training; None where that can't be told, because
        the training's keys are not here.
    table_sha256 : str
        Of the file.
    people : DataFrame, shape (n, 2)
        ``studyid`` and ``usubjid`` of those of the sample; never logged.
    """

    name: str
    sample: Sample
    log_odds: Floats
    rows: int
    refused_by_reason: dict[str, int]
    without_outcome: int
    out_of_domain: int
    drift: dict[str, dict[str, Any]]
    overlap: int | None
    table_sha256: str
    people: pd.DataFrame = field(repr=False)

    @property
    def probability(self) -> Floats:
        """Predicted."""
        return np.asarray(1.0 / (1.0 + np.exp(-self.log_odds)), dtype=float)

    def predict(self) -> pd.DataFrame:
        """Give the predictions as validation tabulates them.

        Returns
        -------
        DataFrame
            Rows as of `collect_predictions`, in one fold.
        """
        return pd.DataFrame(
            {
                "row": np.arange(self.sample.n),
                "design": "new trial",
                "repeat": 0,
                "fold": 0,
                "group": self.name,
                "responded": self.sample.labels,
                "probability": self.probability,
            }
        )


def read_new_trial(
    path: Path,
    bundle: Bundle,
    columns: TrialColumns,
    *,
    arm: str | None,
    project: Project,
    may_overlap: bool,
) -> NewTrial:
    """Read a table with outcomes, and predict its participants.

    Parameters
    ----------
    path : Path
        One row a participant, under the names of a table to be scored, with the outcome.
    bundle : Bundle
        The model.
    columns : TrialColumns
        Where outcome and arm are.
    arm : str or None
        The arm of all rows, where no column says it.
    project : Project
        Whose keys say who was trained on.
    may_overlap : bool
        Whether participants of training are allowed.

    Returns
    -------
    NewTrial
        Rows that the model refuses or whose outcome is missing are counted and left out.

    Raises
    ------
    DataError
        If a column is missing, an outcome or an arm can't be read, participants of training are
        among them, or too few of a class are left.
    """
    manifest = bundle.manifest
    frame = read_table(path).frame.reset_index(drop=True)
    try:
        check_columns(frame.columns, manifest)
    except DataError as error:
        error.place = error.place or path.name
        raise
    outcome = _read_outcome(frame, columns.outcome, path.name)
    arms = _read_arms(frame, manifest, columns.arm, arm, path.name)
    ids = _read_ids(frame, manifest)
    overlap = count_overlap(ids, manifest, project)
    refuse_overlap(overlap, path.name, may_overlap=may_overlap)
    features, usable, refused = _prepare(frame, bundle, arms)
    kept = usable & ~np.isnan(outcome)
    responded = outcome[kept].astype(np.int8)
    refuse_few(responded, path.name)
    mine = features[kept].reset_index(drop=True)
    blank = np.full(len(mine), "", dtype=str)
    told = arms[kept]
    roles = {item.name: item.role for item in manifest.arms}
    _, inside = describe_domain(mine, manifest, bundle.likeness)
    return NewTrial(
        name=path.stem,
        sample=Sample(
            features=FeatureTable(mine, manifest.feature_specs),
            outcomes=responded[None],
            trial=np.full(len(mine), path.stem),
            site=blank,
            cohort=blank,
            arm=told,
            active=np.array([roles.get(name, "active") == "active" for name in told], dtype=bool),
        ),
        log_odds=bundle.model.log_odds(mine),
        rows=len(frame),
        refused_by_reason=refused,
        without_outcome=int((usable & np.isnan(outcome)).sum()),
        out_of_domain=int((~inside).sum()),
        drift=describe_drift(mine, manifest),
        overlap=overlap,
        table_sha256=hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        people=pd.DataFrame(
            {
                "studyid": ids[0][kept].to_numpy() if len(ids) > 1 else path.stem,
                "usubjid": ids[-1][kept].to_numpy(),
            }
        ),
    )


def _read_outcome(frame: pd.DataFrame, column: str, place: str) -> Floats:
    """Read 1, 0 or NaN; anything else is refused with its column, never with its value."""
    _require(frame, column, place)
    words = frame[column].astype(object)
    text = words.where(words.notna(), "").astype(str).str.strip().str.lower()
    known = text.map({**dict.fromkeys(_RESPONDED, 1.0), **dict.fromkeys(_OTHERS, 0.0)})
    unread = known.isna() & (text != "")
    if unread.any():
        raise DataError(
            f"{int(unread.sum())} values of '{column}' say neither response nor none",
            place=place,
            remedy="Write 1 or 0, true or false, or yes or no; leave blank what is not known.",
        )
    return np.asarray(known, dtype=float)


def _read_arms(
    frame: pd.DataFrame, manifest: Manifest, column: str | None, arm: str | None, place: str
) -> npt.NDArray[np.str_]:
    if not manifest.arms:
        if column is not None or arm is not None:
            raise DataError("the model knows no arms", place="--arm", remedy="Leave it out.")
        return np.full(len(frame), "", dtype=str)
    if column is None:
        if arm is None:
            raise DataError(
                "the model's predictions depend on the arm, and nothing says which each row had",
                place=place,
                remedy="Name the column with --arm-column, or the arm of all with --arm.",
            )
        return np.full(len(frame), choose_arm(manifest, arm) or "")
    _require(frame, column, place)
    names = {item.label: item.name for item in manifest.arms}
    names |= {item.name: item.name for item in manifest.arms}
    text = frame[column].astype(object).fillna("").astype(str).str.strip()
    read = text.map(names)
    if read.isna().any():
        raise DataError(
            f"{int(read.isna().sum())} values of '{column}' name no arm of the model",
            place=place,
            remedy=f"Write {', '.join(item.name for item in manifest.arms)}.",
        )
    return read.to_numpy(dtype=str)


def _require(frame: pd.DataFrame, column: str, place: str) -> None:
    if column not in frame:
        raise DataError(
            f"the table has no column '{column}'",
            place=place,
            remedy=describe_choices(column, [str(name) for name in frame.columns]),
        )


def _prepare(
    frame: pd.DataFrame, bundle: Bundle, arms: npt.NDArray[np.str_]
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_], dict[str, int]]:
    """Build the features of each row under its own arm."""
    parts, usable = [], np.zeros(len(frame), dtype=bool)
    refused: dict[str, int] = {}
    for name in dict.fromkeys(arms):
        # The whole table each time: who stands in it twice is seen only there.
        prepared = prepare_features(bundle, frame, arm=name or None)
        mine = arms == name
        parts.append(prepared.features[mine])
        usable |= prepared.usable & mine
        for fault in prepared.faults[mine & ~prepared.usable]:
            refused[str(fault)] = refused.get(str(fault), 0) + 1
    return pd.concat(parts).loc[frame.index], usable, refused


def describe_drift(features: pd.DataFrame, manifest: Manifest) -> dict[str, dict[str, Any]]:
    """Hold the distribution of each feature against that of training.

    Parameters
    ----------
    features : DataFrame
        Of the participants.
    manifest : Manifest
        Of the model.

    Returns
    -------
    dict of dict
        By feature: ``index``, ``noise``, ``is_marked``.
    """
    found = {}
    for name, known in manifest.reference.items():
        drift = measure_drift(known, known.count(features[name]))
        found[name] = {"index": drift.index, "noise": drift.noise, "is_marked": drift.is_marked}
    return found


def count_overlap(ids: Sequence[pd.Series], manifest: Manifest, project: Project) -> int | None:
    """Count the participants who stand among those of training, by the hash of their identifiers.

    Parameters
    ----------
    ids : sequence of Series
        Trial and identifier of each participant, or the identifier alone.
    manifest : Manifest
        Of the model.
    project : Project
        Whose keys, outside MLflow's store, say who was trained on.

    Returns
    -------
    int or None
        None where the keys of a run that the model has learnt in are not here.
    """
    paths = [project.runs / "keys" / f"{run}.csv" for run in _list_runs(manifest.provenance)]
    if not paths or not all(path.exists() for path in paths):
        return None
    columns = ["studyid", "usubjid"][-len(ids) :]
    known = pd.concat([pd.read_csv(path, dtype=str, usecols=columns) for path in paths])
    trained = set(_hash_ids([known[column] for column in columns]))
    return int(pd.Series(_hash_ids(ids)).isin(trained).sum())


def refuse_overlap(overlap: int | None, place: str, *, may_overlap: bool) -> None:
    """Refuse participants of training, unless that was stated.

    Parameters
    ----------
    overlap : int or None
        From `count_overlap`.
    place : str
        The table.
    may_overlap : bool
        Whether it was.

    Raises
    ------
    DataError
        With their number.
    """
    if overlap and not may_overlap:
        raise DataError(
            f"{overlap} of its participants were trained on, so their figures would be of the fit",
            place=place,
            remedy="Leave them out, or state it with --allow-overlap.",
        )


def refuse_few(responded: npt.NDArray[np.int8], place: str) -> None:
    """Refuse a trial that says nothing of a model.

    Parameters
    ----------
    responded : array of int, shape (n,)
        The outcome.
    place : str
        The table.

    Raises
    ------
    DataError
        If a class has under five participants.
    """
    rarer = min(int(responded.sum()), int((1 - responded).sum()))
    if rarer < FEWEST_OF_A_CLASS:
        raise DataError(
            f"{len(responded)} participants are left, {rarer} of the rarer class: under "
            f"{FEWEST_OF_A_CLASS}, nothing can be said of the model",
            place=place,
            remedy="Wait for more participants, or pool tables into one.",
        )


def _list_runs(provenance: Mapping[str, Any]) -> list[str]:
    """The runs whose participants the model has learnt from."""
    earlier = (provenance.get("lineage") or {}).get("runs") or []
    return [str(run) for run in (*earlier, provenance.get("run")) if run]


def _read_ids(frame: pd.DataFrame, manifest: Manifest) -> list[pd.Series]:
    names = list_id_columns(frame, manifest)[-2:]
    return [frame[name].astype(object).fillna("").astype(str).str.strip() for name in names]


def _hash_ids(parts: Sequence[pd.Series]) -> list[str]:
    texts = [part.astype(object).fillna("").astype(str) for part in parts]
    joined = ["\0".join(each) for each in zip(*texts, strict=True)]
    return [hashlib.sha256(text.encode()).hexdigest() for text in joined]
