"""A table to be scored, one row a participant, to features and faults row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from glabella.bundle.ids import find_doubled, join_ids, read_id
from glabella.bundle.manifest import Manifest
from glabella.data.checks import parse_codes, parse_values
from glabella.data.dictionary import Variable
from glabella.data.tables import WideTables
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
    kinds : tuple of str
        Why rows are refused, without any value.
    which : array of int, shape (n_rows,)
        Each row's reason, counted from 1 in `kinds`; 0 where it can be scored.
    """

    features: pd.DataFrame
    kinds: tuple[str, ...]
    which: npt.NDArray[np.int_]

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Whether each row can be scored."""
        return np.asarray(self.which == 0)

    @property
    def faults(self) -> npt.NDArray[np.object_]:
        """Why each row is refused; None where it can be scored."""
        return np.array([None, *self.kinds], dtype=object)[self.which]


class _Faults:
    """The first fault found in each row."""

    def __init__(self, n_rows: int):
        self.kinds: list[str] = []
        self.which = np.zeros(n_rows, dtype=np.int64)

    def note(self, where: npt.NDArray[np.bool_], column: str, fault: str) -> None:
        if where.any():
            self.kinds.append(f"{column} {fault}")
            self.which[where & (self.which == 0)] = len(self.kinds)


def check_columns(names: Iterable[str], manifest: Manifest) -> None:
    """Refuse a table that lacks a column the model needs.

    Parameters
    ----------
    names : iterable of str
        The table's columns.
    manifest : Manifest
        What the model needs.

    Raises
    ------
    DataError
        With the missing column and the nearest name that is there. Further columns are no fault.
    """
    present = [str(name) for name in names]
    for column in manifest.needed_columns:
        if column not in present:
            raise DataError(
                f"the table lacks the column '{column}', which the model needs",
                remedy=describe_choices(column, present),
            )


def list_read_columns(manifest: Manifest) -> list[str]:
    """List the columns of a table to be scored that are read.

    Parameters
    ----------
    manifest : Manifest
        What the model needs.

    Returns
    -------
    list of str
        Each once; all others are passed over.
    """
    named = (*manifest.id_columns, *manifest.needed_columns, *manifest.optional_columns)
    return list(dict.fromkeys(named))


def prepare_rows(
    frame: pd.DataFrame, manifest: Manifest, *, doubled: npt.NDArray[np.bool_] | None = None
) -> PreparedRows:
    """Check each row and build its features as in training.

    Parameters
    ----------
    frame : DataFrame
        One row a participant, under the analysis's source names.
    manifest : Manifest
        What the model needs.
    doubled : array of bool, shape (n_rows,), optional
        Rows whose participant stands in an earlier row, for a part of a table; found in `frame`
        unless stated.

    Returns
    -------
    PreparedRows
        In the order of the table.

    Raises
    ------
    DataError
        If the table lacks a column.
    """
    check_columns(frame.columns, manifest)
    table = frame.reset_index(drop=True)
    faults = _check_ids(table, manifest, doubled)
    scales = _read_scales(table, manifest, faults)
    tables = _read_tables(table, manifest, scales, faults)
    features = build_patient_features(tables, manifest.feature_set, manifest.dictionary)
    _refuse_unconverted(features, manifest, faults)
    return PreparedRows(features, tuple(faults.kinds), faults.which)


def _read_scales(table: pd.DataFrame, manifest: Manifest, faults: _Faults) -> pd.Series | None:
    column = manifest.scale_column
    if column is None:
        return None
    scales = table[column].astype(object).fillna("").astype(str).str.strip()
    is_learnt = scales.isin(manifest.scales)
    faults.note(~scales.isin(list(SCALES)).to_numpy(), column, "names no known scale")
    faults.note(~is_learnt.to_numpy(), column, "names a scale that the model was not trained on")
    return scales.where(is_learnt, manifest.scales[0])


def _read_tables(
    table: pd.DataFrame,
    manifest: Manifest,
    scales: pd.Series | None,
    faults: _Faults,
) -> WideTables:
    """Make the tables that builders work on: baselines at week 0, later visits at their week."""
    known: dict[str, object] = {
        "studyid": _INTERNAL,
        "usubjid": pd.RangeIndex(len(table)).to_series(),
    }
    if scales is not None:
        known["scale"] = scales
    visits: dict[str, list[tuple[float, pd.Series]]] = {}
    for name, column in manifest.columns.items():
        variable = manifest.variables[name]
        values = _read_values(table[column], variable, scales, faults)
        if name in manifest.required:
            faults.note(values.isna().to_numpy(), column, "is missing")
            _refuse_zero(values, manifest, column, faults)
        if variable.timing == "visit":
            visits.setdefault(name, []).append((0.0, values))
        else:
            known[name] = values
    for visit in manifest.visits:
        if visit.column in table:
            variable = manifest.variables[visit.variable]
            values = _read_values(table[visit.column], variable, scales, faults)
            visits.setdefault(visit.variable, []).append((visit.week, values))
    return WideTables(
        participants=pd.DataFrame(known, index=table.index),
        assessments=pd.DataFrame(columns=["studyid", "usubjid", "paramcd", "week", "aval"]),
        origin="real",
        visits=visits,
    )


def _check_ids(
    table: pd.DataFrame, manifest: Manifest, doubled: npt.NDArray[np.bool_] | None
) -> _Faults:
    faults = _Faults(len(table))
    columns = list_id_columns(table, manifest)
    parts = [read_id(table[column]) for column in columns]
    blank = pc.equal(parts[-1], "").to_numpy(zero_copy_only=False)
    faults.note(blank, columns[-1], "is blank")
    if doubled is None:
        doubled = find_doubled(join_ids(parts))
    faults.note(doubled, columns[-1], "stands in an earlier row")
    return faults


def prepare_columns(frame: pd.DataFrame, manifest: Manifest) -> Iterator[tuple[str, int, int, str]]:
    """Count the values of each column that the model reads, and those that can't be right.

    Parameters
    ----------
    frame : DataFrame
        One row a participant, under the analysis's source names.
    manifest : Manifest
        What the model needs.

    Yields
    ------
    tuple of str, int, int and str
        The column, its filled cells, how many of these are at fault, and the commonest fault.
    """
    table = frame.reset_index(drop=True)
    faults = _Faults(len(table))
    scales = _read_scales(table, manifest, faults)
    if manifest.scale_column is not None:
        filled = int((read_id(table[manifest.scale_column]).to_pandas() != "").sum())
        blank = len(table) - filled
        wrong = int((faults.which > 0).sum()) - blank
        yield manifest.scale_column, filled, wrong, "names no scale that the model was trained on"
    columns = [(column, manifest.variables[name]) for name, column in manifest.columns.items()]
    columns += [(visit.column, manifest.variables[visit.variable]) for visit in manifest.visits]
    for column, variable in columns:
        if column in table:
            parsed = parse_values(table[column], variable, scales=scales)
            counts = np.bincount(parsed.which, minlength=len(parsed.kinds) + 1)
            wrong = int(counts[1:].sum())
            kind = parsed.kinds[int(counts[1:].argmax())] if wrong else ""
            yield column, int(parsed.values.notna().sum()) + wrong, wrong, kind


def list_id_columns(table: pd.DataFrame, manifest: Manifest) -> list[str]:
    """List the columns that identify a participant in a table.

    Parameters
    ----------
    table : DataFrame
        The table.
    manifest : Manifest
        What the model needs.

    Returns
    -------
    list of str
        Those that the table has; the last one is always there.
    """
    return [column for column in manifest.id_columns if column in table]


def _read_values(
    raw: pd.Series, variable: Variable, scales: pd.Series | None, faults: _Faults
) -> pd.Series:
    if variable.type == "category":
        codes, wrong, kind = parse_codes(raw, variable)
        faults.note(wrong > 0, str(raw.name), kind)
        # As categories from the start: a long column of text is slow to make and to read again.
        kinds = pd.CategoricalDtype(list(variable.codes))
        return pd.Series(pd.Categorical.from_codes(codes, dtype=kinds), raw.index)
    parsed = parse_values(raw, variable, scales=scales)
    if parsed.which.any():
        for number, kind in enumerate(parsed.kinds, start=1):
            faults.note(parsed.which == number, str(raw.name), kind)
    return parsed.values


def _refuse_zero(values: pd.Series, manifest: Manifest, column: str, faults: _Faults) -> None:
    """Refuse a baseline of zero: the endpoint, a fraction of it, would mean nothing."""
    if manifest.endpoint_is_relative:
        zero = (values <= 0).to_numpy()
        faults.note(zero, column, "is zero, so that a fall from it means nothing")


def _refuse_unconverted(features: pd.DataFrame, manifest: Manifest, faults: _Faults) -> None:
    """Refuse a total that no published table puts on the scale of training: none is made up."""
    for spec in manifest.feature_specs:
        if spec.is_severity:
            lost = features[spec.name].isna().to_numpy()
            faults.note(lost, spec.label.lower(), "has no entry in the table between the scales")
