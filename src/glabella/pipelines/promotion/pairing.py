"""Pairs the held-out predictions of two runs by participant, through the local key files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from glabella.errors import StoreError
from glabella.features.spec import FeatureTable
from glabella.tracking.runs import find_artifacts
from glabella.tracking.store import Store
from glabella.validation.comparison.procedure import PROCEDURE
from glabella.validation.folds.sample import Sample

_IDS = ["studyid", "usubjid"]
_CELLS = ["arm", "cohort", "active"]


class NotPairedError(Exception):
    """Why two runs can't be compared, in words without any participant's data."""


@dataclass(frozen=True)
class HeldOut:
    """The held-out predictions of one run's procedure.

    Parameters
    ----------
    predictions : DataFrame
        As they were logged, of the procedure alone.
    people : DataFrame
        ``studyid``, ``usubjid``, ``period``, ``arm``, ``cohort`` and ``active``, by key.
    """

    predictions: pd.DataFrame
    people: pd.DataFrame


@dataclass(frozen=True)
class Paired:
    """Two runs' predictions of the participants that both have.

    Parameters
    ----------
    first, second : DataFrame
        Rows of `collect_predictions`, positions counted in `sample`.
    sample : Sample
        The participants, without features.
    left_out : int
        Participants that one of the two runs alone has.
    """

    first: pd.DataFrame
    second: pd.DataFrame
    sample: Sample
    left_out: int


def read_held_out(store: Store, run_id: str, keys: Path) -> HeldOut:
    """Read a run's held-out predictions, and whose they are."""
    short = run_id[:8]
    path = keys / f"{run_id}.csv"
    # The id comes from a store that others may write to, and becomes a path here.
    if not re.fullmatch(r"[0-9a-f]{32}", run_id) or not path.is_file():
        raise NotPairedError(
            f"the key file of run {short} is not in {keys}: without it, predictions can't be "
            "paired by participant"
        )
    try:
        people = pd.read_csv(path, dtype=dict.fromkeys((*_IDS, "arm", "cohort", "key"), str),
                             keep_default_na=False)  # fmt: skip
        people["active"] = people["active"].astype(str) == "True"
        people["period"] = people.groupby(_IDS).cumcount()
        people = people.set_index("key")[[*_IDS, "period", *_CELLS]]
    except (KeyError, ValueError, OSError):
        raise NotPairedError(f"the key file of run {short} is of an earlier version") from None
    try:
        table = pd.read_parquet(find_artifacts(store, run_id, "validation") / "predictions.parquet")
    except StoreError as error:
        raise NotPairedError(
            f"the predictions of run {short} can't be read: {error.finding}"
        ) from None
    except (OSError, ValueError):
        raise NotPairedError(f"the predictions of run {short} are not in the store") from None
    mine = table[table["candidate"] == PROCEDURE]
    if mine.empty:
        raise NotPairedError(f"run {short} is of a version that logged no procedure's predictions")
    if not set(mine["key"]) <= set(people.index):
        raise NotPairedError(f"the key file of run {short} is not that of its predictions")
    return HeldOut(mine, people)


def match_runs(first: HeldOut, second: HeldOut, design: str) -> Paired:
    """Pair two runs' predictions under a design."""
    rows = [*_IDS, "period"]
    tables = []
    for item in (first, second):
        table = item.predictions[item.predictions["design"] == design]
        if table.empty:
            raise NotPairedError(f"one of the two has no validation '{design}'")
        tables.append(table.join(item.people[rows], on="key"))
    known = [table.drop_duplicates(rows).set_index(rows) for table in tables]
    common = known[0].index.intersection(known[1].index).sort_values()
    outcomes = [item["responded"].reindex(common).to_numpy(dtype=float) for item in known]
    if not len(common):
        raise NotPairedError("the two have no participant in common")
    # Imputed outcomes are shares of draws, which differ by seed.
    certain = np.isin(outcomes[0], (0, 1)) & np.isin(outcomes[1], (0, 1))
    if np.any(outcomes[0][certain] != outcomes[1][certain]):
        raise NotPairedError("the two hold different outcomes of the same participants")
    positions = pd.Series(np.arange(len(common)), index=common, name="row")
    placed = [
        table.join(positions, on=rows, how="inner").astype({"row": int}).reset_index(drop=True)
        for table in tables
    ]
    cells = first.people.set_index(rows).loc[common]
    trial = common.get_level_values("studyid").to_numpy(dtype=str)
    sample = Sample(
        features=FeatureTable(pd.DataFrame(index=range(len(common))), ()),
        outcomes=np.round(outcomes[0])[None, :].astype(np.int8),
        trial=trial,
        site=np.full(len(common), "", dtype=str),
        active=cells["active"].to_numpy(dtype=bool),
        person=pd.factorize(pd.MultiIndex.from_frame(common.to_frame()[_IDS]))[0],
        arm=cells["arm"].to_numpy(dtype=str),
        cohort=cells["cohort"].to_numpy(dtype=str),
    )
    apart = len(known[0].index.symmetric_difference(known[1].index))
    return Paired(placed[0], placed[1], sample, apart)
