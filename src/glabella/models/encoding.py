"""Features to a matrix of numbers, learnt from training rows and replayed on any others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.features.feature_columns import FeatureColumns
from glabella.features.spec import FeatureSpec

Matrix = npt.NDArray[np.float64]
# Features by name, as a table or read out of one.
Features = pd.DataFrame | FeatureColumns
_OPTIONAL = ("shifts", "levels")
# No fit comes near it, and what models make of such numbers, such as the cube of the ratio of two,
# is still finite.
LARGEST = 1e30


@dataclass(frozen=True)
class EncodedColumn:
    """One column of the matrix.

    Parameters
    ----------
    feature : str
        The feature it comes from.
    level : str or None
        For a category, the level it indicates.
    fill : float
        What stands for a missing value; NaN where the model takes missing values itself.
    center, scale : float
        Subtracted, then divided by.
    shifts : dict of float
        Where features are centred within trial: trial to how far its mean lies above the mean
        over trials, which is subtracted before. Empty otherwise.
    levels : tuple of str
        Where a category stands in one column: the levels whose position is its value.
    """

    feature: str
    level: str | None
    fill: float
    center: float
    scale: float
    shifts: Mapping[str, float] = field(default_factory=dict)
    levels: tuple[str, ...] = ()

    @property
    def is_category(self) -> bool:
        """Whether the feature is a category."""
        return self.level is not None or bool(self.levels)


@dataclass(frozen=True)
class Encoding:
    """A learnt encoding.

    Parameters
    ----------
    columns : tuple of EncodedColumn
        In the order of the matrix.
    trial : str or None
        The feature that holds the trial, where others are centred within it.
    """

    columns: tuple[EncodedColumn, ...]
    trial: str | None = None

    def transform(self, frame: Features) -> Matrix:
        """Encode rows.

        Returns
        -------
        array of float, shape (n_rows, n_columns)
            The matrix. A level that the encoding never saw is 0 in every indicator. A trial that
            it never saw, or that is not known, is taken to lie at the mean over trials.
        """
        read = frame if isinstance(frame, FeatureColumns) else self._read(frame)
        matrix = np.empty((len(self.columns), len(read)))
        for index, column in enumerate(self.columns):
            matrix[index] = _read_column(read, column.feature, column.level, column.levels)
        fill, center, scale = self._constants
        missing = np.isnan(matrix)
        if missing.any():
            matrix = np.where(missing, fill[:, None], matrix)
        if self.trial is not None and any(column.shifts for column in self.columns):
            trials = read.get_labels(self.trial)
            for index, column in enumerate(self.columns):
                if column.shifts:
                    matrix[index] -= _as_shifts(trials, column.shifts)
        matrix -= center[:, None]
        matrix /= scale[:, None]
        return np.ascontiguousarray(matrix.T)

    @cached_property
    def _constants(self) -> tuple[Matrix, Matrix, Matrix]:
        """Of each column: what stands for a missing value, what is subtracted, and the divisor."""
        fill, center, scale = (
            np.array([getattr(column, name) for column in self.columns], dtype=float)
            for name in ("fill", "center", "scale")
        )
        return fill, center, scale

    def _read(self, frame: pd.DataFrame) -> FeatureColumns:
        kinds = {
            column.feature: FeatureSpec(
                column.feature, column.feature, "category" if column.is_category else "number"
            )
            for column in self.columns
        }
        if self.trial is not None:
            kinds.setdefault(self.trial, FeatureSpec(self.trial, self.trial, "category"))
        return FeatureColumns.read(frame, kinds.values())

    def sum_by_feature(self, matrix: Matrix, features: Sequence[str]) -> Matrix:
        """Sum a matrix's columns to the clinical features they come from.

        Returns
        -------
        array of float, shape (n_rows, n_features)
            0 for a feature without a column.
        """
        summed = np.zeros((len(matrix), len(features)))
        for index, column in enumerate(self.columns):
            summed[:, features.index(column.feature)] += matrix[:, index]
        return summed

    def sum_pairs_by_feature(self, cubes: Matrix, features: Sequence[str]) -> Matrix:
        """Sum values of pairs of columns to pairs of the clinical features they were made of.

        Returns
        -------
        array of float, shape (n_rows, n_features, n_features)
            0 for a feature without a column.
        """
        owners = [features.index(column.feature) for column in self.columns]
        belongs = np.zeros((len(owners), len(features)))
        belongs[range(len(owners)), owners] = 1.0
        return np.asarray(belongs.T @ cubes @ belongs, dtype=float)

    def export(self) -> list[dict[str, Any]]:
        """Write the encoding as plain values.

        Returns
        -------
        list of dict
            For JSON; a missing `fill` is None, and `shifts` and `levels` are there where there
            are some.
        """
        rows = [asdict(column) for column in self.columns]
        for row in rows:
            row["fill"] = None if np.isnan(row["fill"]) else row["fill"]
            for name in _OPTIONAL:
                if not row[name]:
                    del row[name]
        return rows

    @staticmethod
    def restore(
        rows: Iterable[dict[str, Any]], specs: Iterable[FeatureSpec], *, trial: str | None = None
    ) -> Encoding:
        """Read an exported encoding back."""
        known = {spec.name: spec for spec in specs}
        columns = tuple(_restore_column(row, known) for row in rows)
        return Encoding(columns, trial if any(column.shifts for column in columns) else None)


def fit_encoding(
    frame: Features,
    specs: Iterable[FeatureSpec],
    *,
    fill_and_scale: bool,
    within: str | None = None,
    as_codes: bool = False,
) -> Encoding:
    """Learn an encoding from training rows.

    Returns
    -------
    Encoding
        Two levels make one indicator; more make one each. Levels that no training row has make
        none.

    References
    ----------
    .. [1] Enders CK, Tofighi D. Centering predictor variables in cross-sectional multilevel
       models: a new look at an old issue. Psychol Methods 2007;12:121-138.
    """
    used = list(specs)
    if isinstance(frame, FeatureColumns):
        read = frame
    else:
        more = [] if within is None else [FeatureSpec(within, within, "category")]
        read = FeatureColumns.read(frame, [*used, *more])
    found = [column for spec in used for column in _list_columns(read, spec, as_codes)]
    if not fill_and_scale:
        found = [replace(column, fill=np.nan) for column in found]
    if not found or (not fill_and_scale and within is None):
        return Encoding(tuple(found), within)
    values = np.stack(
        [_read_column(read, column.feature, column.level, column.levels) for column in found]
    )
    if fill_and_scale:
        fill = np.array([column.fill for column in found])
        values = np.where(np.isnan(values), fill[:, None], values)
    if within is not None:
        trials = read.get_labels(within)
        of_patient = {spec.name for spec in used if spec.part == "patient"}
        for at, column in enumerate(found):
            if column.feature in of_patient and not column.levels:
                found[at] = replace(column, shifts=_learn_shifts(values[at], trials))
                values[at] -= _as_shifts(trials, found[at].shifts)
    return Encoding(tuple(_standardise(found, values) if fill_and_scale else found), within)


def _list_columns(
    read: FeatureColumns, spec: FeatureSpec, as_codes: bool
) -> Iterator[EncodedColumn]:
    """List the columns of a feature, each with what would stand for a missing value."""
    if spec.kind != "category":
        values = read.get_numbers(spec.name)
        present = values[~np.isnan(values)]
        middle = float(np.median(present)) if len(present) else 0.0
        yield EncodedColumn(spec.name, None, middle, 0.0, 1.0)
        return
    counts = read.get_category(spec.name).count_levels()
    levels = [level for level in spec.levels if counts.get(level)]
    if as_codes and len(levels) > 2:
        yield EncodedColumn(spec.name, None, np.nan, 0.0, 1.0, levels=tuple(levels))
        return
    commonest = max(counts, key=lambda level: counts[level]) if counts else None
    for level in levels[1:] if len(levels) == 2 else levels:
        yield EncodedColumn(spec.name, level, float(level == commonest), 0.0, 1.0)


def _standardise(columns: Sequence[EncodedColumn], values: Matrix) -> Iterator[EncodedColumn]:
    means, spreads, ranges = values.mean(axis=1), values.std(axis=1), np.ptp(values, axis=1)
    for at, column in enumerate(columns):
        # Subtracting means leaves rounding where within every trial all are alike.
        rounding = 1e-12 * float(np.abs(values[at]).max()) if column.shifts else 0.0
        if ranges[at] <= rounding:
            # A constant column carries nothing: 0 for every training row, and no leverage for
            # others.
            yield replace(column, center=float(values[at, 0]))
            continue
        # An indicator keeps its unit: divided by its spread, a level that few have would count
        # for as much as one that half have, and a prior that is alike for all would not shrink it.
        scale = 1.0 if column.level is not None else float(spreads[at])
        yield replace(column, center=float(means[at]), scale=scale)


def _learn_shifts(values: Matrix, trials: npt.NDArray[np.str_]) -> dict[str, float]:
    means = pd.Series(values).groupby(trials).mean().dropna()
    return {str(trial): float(mean) for trial, mean in (means - means.mean()).items()}


def _as_shifts(trials: npt.NDArray[np.str_], shifts: Mapping[str, float]) -> Matrix:
    known, which = np.unique(trials, return_inverse=True)
    return np.array([shifts.get(trial, 0.0) for trial in known.tolist()], dtype=float)[which]


def _read_column(
    read: FeatureColumns, feature: str, level: str | None, levels: tuple[str, ...]
) -> Matrix:
    """Give numbers, an indicator of a level, or positions among some levels; NaN where missing."""
    if level is not None:
        return read.get_category(feature).has_level(level)
    if levels:
        positions = {each: float(at) for at, each in enumerate(levels)}
        return read.get_category(feature).look_up(positions)
    return read.get_numbers(feature)


def _restore_column(row: dict[str, Any], known: dict[str, FeatureSpec]) -> EncodedColumn:
    if set(row) - set(_OPTIONAL) != {item.name for item in fields(EncodedColumn)} - set(_OPTIONAL):
        raise ValueError("a column has more or fewer entries than it should")
    spec = known[row["feature"]]
    level = row["level"]
    levels = tuple(row.get("levels", ()))
    is_category = level is not None or bool(levels)
    if (spec.kind == "category") != is_category or not {level, *levels} <= {None, *spec.levels}:
        raise ValueError("a column's level does not fit its feature")
    fill = np.nan if row["fill"] is None else check_finite(row["fill"])
    scale = check_finite(row["scale"])
    if scale < 1.0 / LARGEST:
        raise ValueError("a column's scale is not above zero")
    if len(set(levels)) != len(levels):
        raise ValueError("a level has two codes")
    shifts = {str(trial): check_finite(value) for trial, value in row.get("shifts", {}).items()}
    return EncodedColumn(spec.name, level, fill, check_finite(row["center"]), scale, shifts, levels)


def check_finite(value: object) -> float:
    """Check that a restored value is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
        raise ValueError("a number of the model is not a finite number")
    return float(value)


def check_position(value: object, count: int) -> int:
    """Check that a restored value is a position among some things."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        raise ValueError("a part of an expansion or table is of a column that is not there")
    return value
