"""Which record is the baseline of a parameter, and whether the sponsor's changes follow from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from glabella.data.adam.cells import Bools, State, add_finding, note_refused_rows
from glabella.data.adam.records import TEXTS, Records
from glabella.data.checks import parse_values

_TOLERANCE = 1e-6


def check_baselines(state: State, records: Records) -> None:
    """Check that baselines are single, and that BASE and CHG follow from AVAL."""
    key, flagged = records.visit_key, records.rows["is_baseline"].to_numpy()
    doubled = np.zeros(len(flagged), dtype=bool)
    doubled[flagged] = key[flagged].duplicated().to_numpy()
    _raise_refusal(
        state,
        records,
        "ABLFL",
        doubled,
        "{count} records are a second baseline of the same subject",
        "Flag one; where BASETYPE tells them apart, name it with `basetype:`.",
    )
    if records.rows["value"].dtype == object:
        return
    value, base, change = (records.read_numbers(name) for name in ("value", "base", "chg"))
    of_person = pd.Series(base).groupby(key.to_numpy())
    span = of_person.transform("max") - of_person.transform("min")
    for column, wrong, finding in (
        ("BASE", span.to_numpy() > _TOLERANCE, "{count} records are of subjects with several BASE"),
        (
            "BASE",
            flagged & (np.abs(base - value) > _TOLERANCE),
            "{count} baseline records have a BASE that is not their AVAL",
        ),
        (
            "CHG",
            np.abs(change - (value - base)) > _TOLERANCE,
            "{count} records have a CHG that is not AVAL less BASE",
        ),
    ):
        _raise_refusal(
            state, records, column, wrong, finding, "Ask who made the dataset which is right."
        )


def _raise_refusal(
    state: State, records: Records, column: str, wrong: Bools, finding: str, remedy: str
) -> None:
    text = f"{finding} (PARAMCD '{records.parameter}')"
    note_refused_rows(state, records.file, column, records.positions[wrong], text, remedy)


def list_bases(records: Records) -> pd.DataFrame:
    """List the baselines that BASE states.

    Returns
    -------
    DataFrame
        A row a person and period: ``key``, ``person``, ``period`` and ``base``.
    """
    rows = records.rows[["row", "person", "period", "base"]].assign(key=records.visit_key)
    return rows[rows["base"].notna()].drop_duplicates("key")


def derive_baselines(state: State, records: Records, bases: pd.DataFrame) -> Records:
    """Give each person and period one record of week 0.

    Returns
    -------
    Records
        The flagged record, else BASE; what else was taken by then is screening and left aside.
        Where the dataset has neither flag nor BASE, all that was taken by week 0.
    """
    flagged = records.rows["is_baseline"].to_numpy()
    if not flagged.any() and bases.empty:
        return records
    _note_late_baselines(state, records)
    early = records.rows["is_early"].to_numpy()
    if early.any():
        add_finding(
            state,
            records.place,
            f"{int(early.sum())} records from before treatment are not the baseline and are "
            "excluded",
            "ABLFL, or else BASE, says which value is.",
        )
    with_value = flagged & records.rows["value"].notna().to_numpy()
    alone = bases[~bases["key"].isin(records.visit_key[with_value])]
    if len(alone) and "ABLFL" in records.columns:
        add_finding(
            state,
            f"{records.file}, column 'BASE'",
            f"{len(alone)} subjects have a BASE and no baseline record of "
            f"'{records.parameter}': BASE is taken",
            "Flag the record with ABLFL where there is one.",
        )
    return _add_baselines(state, records.keep(~early), alone)


def _note_late_baselines(state: State, records: Records) -> None:
    flagged = records.rows["is_baseline"].to_numpy()
    is_first = (records.rows["period"] == 1).to_numpy()
    late = int((flagged & is_first & (records.read_numbers("ady") > 1)).sum())
    if late:
        add_finding(
            state,
            records.place,
            f"{late} baselines were taken after the day treatment began",
            "Such a value may hold the treatment's effect; look at their ADY.",
            "warn",
        )


def _add_baselines(state: State, records: Records, bases: pd.DataFrame) -> Records:
    """Add BASE as records of week 0, held to the dictionary like any value."""
    if bases.empty or records.rows["value"].dtype == object:
        return records
    variable = state.dictionary.variables[records.variable]
    scale = state.source.scale
    raw = bases["base"].reset_index(drop=True)
    scales = None if scale is None else pd.Series(scale, index=raw.index)
    parsed = parse_values(raw, variable, scales=scales)
    positions = np.asarray(bases["row"].to_numpy(), dtype=np.intp)
    state.note_faults(parsed.faults, records.file, "BASE", records.variable, positions)
    added = pd.DataFrame(
        {
            "row": positions,
            "person": bases["person"].to_numpy(),
            "period": bases["period"].to_numpy(),
            "is_baseline": True,
            "is_early": False,
            "value": parsed.values.to_numpy(),
            "week": 0.0,
        }
    )
    for name in TEXTS:
        added[name.lower()] = ""
    return replace(records, rows=pd.concat([records.rows, added], ignore_index=True))
