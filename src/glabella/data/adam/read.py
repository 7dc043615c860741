"""A trial's ADaM datasets to participants and assessments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from glabella.data.adam.cells import State, name_in_capitals
from glabella.data.adam.events import map_events
from glabella.data.adam.records import NUMBERS, TEXTS
from glabella.data.adam.source import AdamSource
from glabella.data.adam.subjects import Subjects, map_subjects
from glabella.data.adam.visits import map_parameter
from glabella.data.checks import raise_findings
from glabella.data.dictionary import Dictionary
from glabella.data.reading.files import read_table
from glabella.data.reading.raw import RawTable
from glabella.data.tables import PatientTables
from glabella.definitions.reader import Origin
from glabella.errors import Refusals

# What of a BDS dataset is ever asked for; the rest of a large one is not even read.
_BDS_COLUMNS = ("STUDYID", "USUBJID", "PARAMCD", "AVAL", "AVALC", "ABLFL", *TEXTS, *NUMBERS)
_MOST_FLAGS = 99


def read_adam(
    source: AdamSource,
    folder: Path,
    dictionary: Dictionary,
    *,
    written: Origin,
    keys: tuple[str | int, ...],
    origin: Literal["real", "simulated"] = "real",
) -> PatientTables:
    """Read a source's datasets and map them."""
    raw, refusals = {}, Refusals()
    for file in source.files:
        columns = _list_columns(source) if file in source.adam.bds else None
        with refusals.collect():
            raw[file] = read_table(
                folder / file,
                source.read.get(file),
                columns=columns,
                may_be_empty=file == source.adam.adae,
            )
    refusals.raise_all()
    return map_adam(source, raw, dictionary, origin=origin, written=written, keys=keys)


def _list_columns(source: AdamSource) -> list[str]:
    flags = [f"ANL{number:02d}FL" for number in range(1, _MOST_FLAGS + 1)]
    names = [*_BDS_COLUMNS, *flags, *([source.analysis_flag] if source.analysis_flag else [])]
    return [*names, *(name.lower() for name in names)]


def map_adam(
    source: AdamSource,
    raw: Mapping[str, RawTable],
    dictionary: Dictionary,
    *,
    origin: Literal["real", "simulated"],
    written: Origin,
    keys: tuple[str | int, ...],
) -> PatientTables:
    """Map ADaM datasets to participants and assessments.

    Returns
    -------
    PatientTables
        Typed and checked; what was left aside stands in its findings, counted. With
        ``periods: all`` a person has a row a period: ``usubjid`` with the period after a slash,
        ``person`` as it stands in ADSL, and ``period`` in both tables.
    """
    frames = {
        file: replace(table, frame=name_in_capitals(table, file=file))
        for file, table in raw.items()
    }
    state: State = State(source, frames, dictionary, written, keys)
    subjects = map_subjects(state)
    flags = map_events(state, subjects)
    rows = {name: map_parameter(state, name, subjects) for name in source.parameters}
    raise_findings(state.findings, rows=state.list_rows())
    is_visit = {name: dictionary.variables[name].timing == "visit" for name in rows}
    people, labels = _stack_participants(
        subjects, flags, {name: of for name, of in rows.items() if not is_visit[name]}
    )
    assessments = _stack_assessments(
        people, labels, {name: of for name, of in rows.items() if is_visit[name]}
    )
    return PatientTables(people, assessments, origin, findings=tuple(state.findings))


def _stack_participants(
    subjects: Subjects,
    flags: Mapping[int, pd.DataFrame],
    known: Mapping[str, pd.DataFrame],
) -> tuple[pd.DataFrame, pd.Series]:
    """Make one row a participant, or one for each period, and number them by person and period."""
    several = len(subjects.taken) > 1
    parts, labels = [], []
    for period, took in subjects.taken.items():
        frame = subjects.frame
        keys = ("studyid", "usubjid", "siteid", "cohort")
        columns = {name: frame[name] for name in keys if name in frame}
        part = pd.DataFrame(columns).assign(arm=subjects.arms[period])
        if several:
            part["person"] = frame["usubjid"]
            part["usubjid"] = frame["usubjid"] + f"/{period}"
            part["period"] = period
        others = [name for name in frame if name not in columns]
        part = pd.concat([part, frame[others]], axis=1)
        for name, rows in known.items():
            part[name] = _find_known(rows, period).reindex(part.index).to_numpy()
        if period in flags:
            part = pd.concat([part, flags[period]], axis=1)
        parts.append(part[took])
        labels.append(pd.DataFrame({"person": np.flatnonzero(took), "period": period}))
    of_rows = pd.MultiIndex.from_frame(pd.concat(labels, ignore_index=True))
    people = pd.concat(parts, ignore_index=True)
    return people, pd.Series(np.arange(len(people)), index=of_rows)


def _find_known(rows: pd.DataFrame, period: int) -> pd.Series:
    """The last value by baseline of each person."""
    by_then = rows[(rows["week"] <= 0) & (rows["period"] == period)].sort_values("week")
    return by_then.groupby("person")["value"].last()


def _stack_assessments(
    people: pd.DataFrame, labels: pd.Series, rows: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Name each record's participant; names are categories, written once and not a row."""
    columns = ["person", "period", "week", "value"]
    parts = list(rows.values()) or [pd.DataFrame(columns=columns, dtype=float).assign(dtype="")]
    every = pd.concat(parts, ignore_index=True)
    at = labels.reindex(pd.MultiIndex.from_frame(every[["person", "period"]].astype(int)))
    position = at.to_numpy(dtype=np.intp)
    made = {name: _select_record(people[name], position) for name in ("studyid", "usubjid")}
    sizes = [len(of) for of in rows.values()]
    codes = np.repeat(np.arange(len(sizes)), sizes)
    made["paramcd"] = pd.Categorical.from_codes(codes, pd.Index(list(rows), dtype=object))
    frame = pd.DataFrame(made).assign(
        week=every["week"].to_numpy(dtype=float), aval=every["value"].to_numpy(dtype=float)
    )
    if "period" in people:
        frame["period"] = every["period"].to_numpy(dtype=int)
    # A source without derived values has the same columns, and the same hash, as any other.
    if (every["dtype"] != "").any():
        frame["dtype"] = every["dtype"].to_numpy(dtype=object)
    return frame


def _select_record(names: pd.Series, position: Sequence[int] | np.ndarray) -> pd.Categorical:
    codes, levels = pd.factorize(names.astype(object))
    return pd.Categorical.from_codes(codes[position], pd.Index(levels, dtype=object))
