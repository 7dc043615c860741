"""Reads the features and the faults of each row of a table to be scored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from glabella.bundle.forms import ItemColumns, TableLayout, find_forms
from glabella.bundle.ids import find_repeated, join_ids
from glabella.bundle.manifest import Manifest
from glabella.data.checks import parse_codes, parse_values
from glabella.data.dictionary import Variable
from glabella.data.identifiers import format_ids
from glabella.data.mapping.labels import read_labelled, read_name_labels
from glabella.data.mapping.sources import VariableColumn
from glabella.data.tables import WideTables
from glabella.data.totals import sum_answers
from glabella.domain.scales import SCALES
from glabella.errors import BundleError
from glabella.features.assemble import build_patient_features

# Row numbers replace trial and identifier while features are built, since identifiers may be blank
# or repeated in a table to be scored, and such rows are refused but not lost.
_INTERNAL = "scored"


@dataclass(frozen=True)
class PreparedRows:
    """The features of each row, and why rows are refused.

    Parameters
    ----------
    features : DataFrame, shape (n_rows, n_features)
        The features for the model; not valid in refused rows.
    kinds : tuple of str
        The reasons for refusing rows, without any value.
    which : array of int, shape (n_rows,)
        Each row's reason, counted from 1 in `kinds`; 0 if it can be scored.
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
        """The reason for which each row is refused; None if it can be scored."""
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


def read_rows(
    frame: pd.DataFrame,
    manifest: Manifest,
    layout: TableLayout | None = None,
    *,
    repeated: npt.NDArray[np.bool_] | None = None,
) -> PreparedRows:
    """Check each row, and build its features as in training."""
    layout = layout or TableLayout(manifest.form)
    find_forms(frame.columns, [layout.form])
    table = frame.reset_index(drop=True)
    faults = _check_ids(table, layout, repeated)
    scales = _check_scales(table, manifest, layout, faults)
    tables = _read_tables(table, manifest, layout, scales, faults)
    features = build_patient_features(tables, manifest.feature_set, manifest.dictionary)
    _check_conversion(features, manifest, faults)
    return PreparedRows(features, tuple(faults.kinds), faults.which)


def read_scales(table: pd.DataFrame, manifest: Manifest, layout: TableLayout) -> pd.Series | None:
    """Read the scale on which each row is rated.

    Returns
    -------
    Series of str, shape (n_rows,), or None
        The names in the table, or the one scale of its form; None if no total needs one.
    """
    if not manifest.scales:
        return None
    column = layout.form.scale_column
    if column is None:
        return pd.Series(layout.form.scale, index=table.index, dtype=object)
    scales, there = read_labelled(table[column], layout.labels.get(column, {}))
    return scales.replace(dict(read_name_labels(there, SCALES).taken)) if there else scales


def _check_scales(
    table: pd.DataFrame, manifest: Manifest, layout: TableLayout, faults: _Faults
) -> pd.Series | None:
    scales, column = read_scales(table, manifest, layout), layout.form.scale_column
    if scales is None or column is None:
        return scales
    is_learnt = scales.isin(manifest.scales)
    faults.note(~scales.isin(list(SCALES)).to_numpy(), column, "names no known scale")
    faults.note(~is_learnt.to_numpy(), column, "names a scale that the model was not trained on")
    return scales.where(is_learnt, manifest.scales[0])


def _read_tables(
    table: pd.DataFrame,
    manifest: Manifest,
    layout: TableLayout,
    scales: pd.Series | None,
    faults: _Faults,
) -> WideTables:
    """Read the tables for feature builders: baselines at week 0, later visits at their week."""
    known: dict[str, object] = {
        "studyid": _INTERNAL,
        "usubjid": pd.RangeIndex(len(table)).to_series(),
    }
    if scales is not None:
        known["scale"] = scales
    visits: dict[str, list[tuple[float, pd.Series]]] = {}
    for name in layout.form.variables:
        variable = manifest.variables[name]
        values, column = _read_baseline(table, name, manifest, layout, scales, faults)
        if name in manifest.required:
            faults.note(values.isna().to_numpy(), column, "is missing")
            _check_zero(values, manifest, column, faults)
        if variable.timing == "visit":
            visits.setdefault(name, []).append((0.0, values))
        else:
            known[name] = values
    for visit in layout.form.visits:
        if visit.column in table:
            variable = manifest.variables[visit.variable]
            values = _read_values(table[visit.column], variable, visit, layout, scales, faults)
            visits.setdefault(visit.variable, []).append((visit.week, values))
    return WideTables(
        participants=pd.DataFrame(known, index=table.index),
        assessments=pd.DataFrame(columns=["studyid", "usubjid", "paramcd", "week", "aval"]),
        origin="real",
        visits=visits,
    )


def read_baseline(
    table: pd.DataFrame, name: str, manifest: Manifest, layout: TableLayout
) -> pd.Series:
    """Read a variable's last value at or before baseline.

    Returns
    -------
    Series, shape (n_rows,)
        In the dictionary's codes and unit; missing if blank or faulty.
    """
    scales = read_scales(table, manifest, layout)
    return _read_baseline(table, name, manifest, layout, scales, _Faults(len(table)))[0]


def _read_baseline(
    table: pd.DataFrame,
    name: str,
    manifest: Manifest,
    layout: TableLayout,
    scales: pd.Series | None,
    faults: _Faults,
) -> tuple[pd.Series, str]:
    """Read the last value at or before baseline, recorded or else the sum of its items."""
    variable, form = manifest.variables[name], layout.form
    given = form.columns.get(name)
    recorded = [] if given is None else [(form.weeks.get(name, 0.0), given)]
    recorded += [(visit.week, visit) for visit in form.earlier if visit.variable == name]
    found = [
        (week, _read_values(table[column.column], variable, column, layout, scales, faults))
        for week, column in recorded
        if column.column in table
    ]
    found += [
        (items.week, _sum_items(table, name, items, manifest, layout, scales, faults))
        for items in form.items.get(name, ())
        if all(column.column in table for column in items.columns.values())
    ]
    # In the same week the recorded value comes before the sum of items: the sort is stable.
    latest = sorted(found, key=lambda item: -item[0])
    values = latest[0][1]
    for _, before in latest[1:]:
        values = values.where(values.notna(), before)
    return values, name if given is None else given.column


def _sum_items(
    table: pd.DataFrame,
    name: str,
    items: ItemColumns,
    manifest: Manifest,
    layout: TableLayout,
    scales: pd.Series | None,
    faults: _Faults,
) -> pd.Series:
    total = manifest.variables[name].total
    if total is None:
        raise BundleError(f"'{name}' is not a total, but a form of the bundle adds its items")
    answers = np.full((len(table), len(total.items)), np.nan)
    for at, item in enumerate(total.items):
        if item in items.columns:
            given, variable = items.columns[item], manifest.variables[item]
            read = _read_values(table[given.column], variable, given, layout, None, faults)
            answers[:, at] = read.to_numpy(dtype=float)
    ranges = [manifest.variables[item].range for item in total.items]
    sums, missing = sum_answers(answers, ranges, most_missing=total.missing_at_most)
    # If no item was answered, there was no visit.
    sums = np.where(missing == len(total.items), np.nan, sums)
    if total.scale is not None and scales is not None:
        sums = np.where((scales == total.scale).to_numpy(), sums, np.nan)
    return pd.Series(sums, index=table.index)


def _check_ids(
    table: pd.DataFrame, layout: TableLayout, repeated: npt.NDArray[np.bool_] | None
) -> _Faults:
    faults = _Faults(len(table))
    columns = layout.form.list_ids(table.columns)
    parts = [format_ids(table[column]) for column in columns]
    blank = pc.equal(parts[-1], "").to_numpy(zero_copy_only=False)
    faults.note(blank, columns[-1], "is blank")
    if repeated is None:
        repeated = find_repeated(join_ids(parts))
    faults.note(repeated, columns[-1], "is in an earlier row too")
    return faults


@dataclass(frozen=True)
class ColumnCounts:
    """The number of values of a column that can't be right.

    Parameters
    ----------
    column : str
        Its name in the table.
    filled, wrong : int
        The number of cells that are not blank, and how many of these are faulty.
    kind : str
        The most frequent fault.
    label_faults : int
        The number of cells whose label in the file contradicts them or is not known.
    label_kind : str
        The fault of these labels.
    """

    column: str
    filled: int
    wrong: int
    kind: str
    label_faults: int = 0
    label_kind: str = ""


def count_faults_by_column(
    frame: pd.DataFrame, manifest: Manifest, layout: TableLayout
) -> Iterator[ColumnCounts]:
    """Count the values of each column that the model reads, and those that can't be right."""
    table = frame.reset_index(drop=True)
    faults, form = _Faults(len(table)), layout.form
    scales = _check_scales(table, manifest, layout, faults)
    if scales is not None and form.scale_column is not None:
        text = format_ids(table[form.scale_column])
        filled = int((text.to_pandas() != "").sum())
        wrong = int((faults.which > 0).sum()) - (len(table) - filled)
        kind = "names no scale that the model was trained on"
        yield ColumnCounts(form.scale_column, filled, wrong, kind)
    columns = [(given, manifest.variables[name]) for name, given in form.columns.items()]
    columns += [
        (visit, manifest.variables[visit.variable]) for visit in (*form.earlier, *form.visits)
    ]
    columns += [
        (given, manifest.variables[item])
        for sets in form.items.values()
        for items in sets
        for item, given in items.columns.items()
    ]
    for given, variable in columns:
        if given.column in table:
            yield _count_faults(table[given.column], given, variable, layout, scales)


def _count_faults(
    raw: pd.Series,
    given: VariableColumn,
    variable: Variable,
    layout: TableLayout,
    scales: pd.Series | None,
) -> ColumnCounts:
    read = layout.read(raw, given, variable)
    parsed = parse_values(read.values, variable, scales=scales)
    which = np.asarray(parsed.which, dtype=np.int64)
    kinds = [*parsed.kinds, *(note.finding.removeprefix("each ") for note in read.notes)]
    for number, note in enumerate(read.notes, start=len(parsed.kinds) + 1):
        which[note.where & (which == 0)] = number
    counts = np.bincount(which, minlength=len(kinds) + 1)[1:]
    wrong = int(counts.sum())
    right = int((parsed.values.notna().to_numpy() & (which == 0)).sum())
    of_labels = [note for note in read.notes if note.is_of_labels and note.where.any()]
    return ColumnCounts(
        given.column,
        right + wrong,
        wrong,
        kinds[int(counts.argmax())] if wrong else "",
        sum(int(note.where.sum()) for note in of_labels),
        of_labels[0].finding if of_labels else "",
    )


def _read_values(
    raw: pd.Series,
    variable: Variable,
    given: VariableColumn,
    layout: TableLayout,
    scales: pd.Series | None,
    faults: _Faults,
) -> pd.Series:
    column, read = str(raw.name), layout.read(raw, given, variable)
    for note in read.notes:
        faults.note(note.where, column, note.finding.removeprefix("each "))
    if variable.type == "category":
        codes, wrong, kind = parse_codes(read.values, variable)
        faults.note(wrong > 0, column, kind)
        # Categories are made at once, since a long column of text is slow to make and to read.
        kinds = pd.CategoricalDtype(list(variable.codes))
        return pd.Series(pd.Categorical.from_codes(codes, dtype=kinds), raw.index)
    parsed = parse_values(read.values, variable, scales=scales)
    if parsed.which.any():
        for number, kind in enumerate(parsed.kinds, start=1):
            faults.note(parsed.which == number, column, kind)
    return parsed.values


def _check_zero(values: pd.Series, manifest: Manifest, column: str, faults: _Faults) -> None:
    """Refuse a baseline of zero, of which the endpoint can't be a fraction."""
    if manifest.endpoint_is_relative:
        zero = (values <= 0).to_numpy()
        faults.note(zero, column, "is zero, so that a relative fall from it is not defined")


def _check_conversion(features: pd.DataFrame, manifest: Manifest, faults: _Faults) -> None:
    """Refuse a total that no published table converts to the scale of training."""
    for spec in manifest.feature_specs:
        if spec.is_severity:
            lost = features[spec.name].isna().to_numpy()
            faults.note(lost, spec.label.lower(), "has no entry in the table between the scales")
