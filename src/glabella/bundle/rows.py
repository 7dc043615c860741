"""A table to be scored, one row a participant, to features and faults row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.bundle.manifest import Manifest
from glabella.data.checks import parse_values
from glabella.data.dictionary import Variable
from glabella.data.tables import PatientTables
from glabella.domain.scales import SCALES
from glabella.errors import DataError, describe_choices
from glabella.features.assemble import build_patient_features

# Row numbers stand in for trial and id while features are built: ids may be blank or repeated
# in a table that is to be scored, and such rows are refused, not lost.
_INTERNAL = "scored"


@dataclass(frozen=True)
class PreparedRows:
    """Features of each row, and what is wrong with each.

    Parameters
    ----------
    features : DataFrame, shape (n_rows, n_features)
        What the model sees; meaningless in rows at fault.
    faults : array of object, shape (n_rows,)
        Why a row is refused, without any value; None where it can be scored.
    """

    features: pd.DataFrame
    faults: npt.NDArray[np.object_]


def check_columns(frame: pd.DataFrame, manifest: Manifest) -> None:
    """Refuse a table that lacks a column the model needs.

    Parameters
    ----------
    frame : DataFrame
        The table.
    manifest : Manifest
        What the model needs.

    Raises
    ------
    DataError
        With the missing column and the nearest name that is there. Further columns are no fault.
    """
    present = [str(column) for column in frame.columns]
    for column in manifest.needed_columns:
        if column not in present:
            raise DataError(
                f"the table lacks the column '{column}', which the model needs",
                remedy=describe_choices(column, present),
            )


def prepare_rows(frame: pd.DataFrame, manifest: Manifest) -> PreparedRows:
    """Check each row and build its features as in training.

    Parameters
    ----------
    frame : DataFrame
        One row a participant, under the analysis's source names.
    manifest : Manifest
        What the model needs.

    Returns
    -------
    PreparedRows
        In the order of the table.

    Raises
    ------
    DataError
        If the table lacks a column.
    """
    check_columns(frame, manifest)
    table = frame.reset_index(drop=True)
    faults = _check_ids(table, manifest)
    scales = _read_scales(table, manifest, faults)
    tables = _read_tables(table, manifest, scales, faults)
    features = build_patient_features(tables, manifest.feature_set, manifest.dictionary)
    _refuse_unconverted(features, manifest, faults)
    return PreparedRows(features=features, faults=faults)


def _read_scales(
    table: pd.DataFrame, manifest: Manifest, faults: npt.NDArray[np.object_]
) -> pd.Series | None:
    column = manifest.scale_column
    if column is None:
        return None
    scales = table[column].astype(object).fillna("").astype(str).str.strip()
    is_learnt = scales.isin(manifest.scales)
    _note(faults, ~scales.isin(list(SCALES)).to_numpy(), column, "names no known scale")
    _note(faults, ~is_learnt.to_numpy(), column, "names a scale that the model was not trained on")
    return scales.where(is_learnt, manifest.scales[0])


def _read_tables(
    table: pd.DataFrame,
    manifest: Manifest,
    scales: pd.Series | None,
    faults: npt.NDArray[np.object_],
) -> PatientTables:
    """Make the tables that builders work on: baselines at week 0, later visits at their week."""
    participants = pd.DataFrame(
        {"studyid": _INTERNAL, "usubjid": np.arange(len(table)).astype(str)}
    )
    if scales is not None:
        participants["scale"] = scales
    assessed = [pd.DataFrame(columns=["studyid", "usubjid", "paramcd", "week", "aval"])]
    for name, column in manifest.columns.items():
        variable = manifest.variables[name]
        values = _read_values(table[column], variable, scales, faults)
        if name in manifest.required:
            _note(faults, values.isna().to_numpy(), column, "is missing")
            _refuse_zero(values, manifest, column, faults)
        if variable.timing == "visit":
            assessed.append(_as_visit(participants, name, 0.0, values))
        else:
            participants[name] = values
    for visit in manifest.visits:
        if visit.column in table:
            variable = manifest.variables[visit.variable]
            values = _read_values(table[visit.column], variable, scales, faults)
            assessed.append(_as_visit(participants, visit.variable, visit.week, values))
    return PatientTables(
        participants=participants,
        assessments=pd.concat(
            [part for part in assessed if len(part)] or assessed[:1], ignore_index=True
        ),
        origin="real",
    )


def _check_ids(table: pd.DataFrame, manifest: Manifest) -> npt.NDArray[np.object_]:
    faults = np.full(len(table), None, dtype=object)
    columns = [column for column in manifest.id_columns if column in table]
    ids = table[columns].astype(object).fillna("").astype(str)
    ids = ids.apply(lambda column: column.str.strip())
    last = ids[columns[-1]]
    _note(faults, (last == "").to_numpy(), columns[-1], "is blank")
    _note(faults, ids.duplicated(keep="first").to_numpy(), columns[-1], "stands in an earlier row")
    return faults


def _note(
    faults: npt.NDArray[np.object_], where: npt.NDArray[np.bool_], column: str, fault: str
) -> None:
    """Record a fault in rows that have none yet: the first found is the one reported."""
    free = np.array([item is None for item in faults], dtype=bool)
    faults[where & free] = f"{column} {fault}"


def _note_each(
    faults: npt.NDArray[np.object_], found: npt.NDArray[np.object_], column: str
) -> None:
    for kind in {fault for fault in found if fault is not None}:
        _note(faults, found == kind, column, kind)


def _read_values(
    raw: pd.Series,
    variable: Variable,
    scales: pd.Series | None,
    faults: npt.NDArray[np.object_],
) -> pd.Series:
    parsed = parse_values(raw, variable, scales=scales)
    _note_each(faults, parsed.faults, str(raw.name))
    return parsed.values


def _as_visit(
    participants: pd.DataFrame, name: str, week: float, values: pd.Series
) -> pd.DataFrame:
    known = values.notna().to_numpy()
    return pd.DataFrame(
        {
            "studyid": _INTERNAL,
            "usubjid": participants["usubjid"][known],
            "paramcd": name,
            "week": week,
            "aval": values[known].astype(float),
        }
    )


def _refuse_zero(
    values: pd.Series, manifest: Manifest, column: str, faults: npt.NDArray[np.object_]
) -> None:
    """Refuse a baseline of zero: the endpoint, a fraction of it, would mean nothing."""
    if manifest.endpoint_is_relative:
        zero = (values <= 0).to_numpy()
        _note(faults, zero, column, "is zero, so that a fall from it means nothing")


def _refuse_unconverted(
    features: pd.DataFrame, manifest: Manifest, faults: npt.NDArray[np.object_]
) -> None:
    """Refuse a total that no published table puts on the scale of training: none is made up."""
    for spec in manifest.feature_specs:
        if spec.is_severity:
            lost = features[spec.name].isna().to_numpy()
            _note(faults, lost, spec.label.lower(), "has no entry in the table between the scales")
