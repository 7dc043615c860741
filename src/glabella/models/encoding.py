"""Features to a matrix of numbers, learnt from training rows and replayed on any others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.features.spec import FeatureSpec

Matrix = npt.NDArray[np.float64]
_OPTIONAL = ("shifts", "levels")


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

    def transform(self, frame: pd.DataFrame) -> Matrix:
        """Encode rows.

        Parameters
        ----------
        frame : DataFrame
            Features by name.

        Returns
        -------
        array of float, shape (n_rows, n_columns)
            The matrix. A level that the encoding never saw is 0 in every indicator. A trial that
            it never saw, or that is not known, is taken to lie at the mean over trials.
        """
        matrix = np.empty((len(frame), len(self.columns)), dtype=float)
        read: dict[str, _Column] = {}
        for index, column in enumerate(self.columns):
            if column.feature not in read:
                read[column.feature] = _read_column(frame[column.feature], column.is_category)
            values = read[column.feature].as_numbers(column.level, column.levels)
            filled = np.where(np.isnan(values), column.fill, values)
            if column.shifts and self.trial is not None:
                filled = filled - _as_shifts(frame[self.trial], column.shifts)
            matrix[:, index] = (filled - column.center) / column.scale
        return matrix

    def sum_by_feature(self, matrix: Matrix, features: Sequence[str]) -> Matrix:
        """Sum a matrix's columns to the clinical features they come from.

        Parameters
        ----------
        matrix : array of float, shape (n_rows, n_columns)
            One value for each encoded column.
        features : sequence of str
            The features, in the order wanted.

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

        Parameters
        ----------
        cubes : array of float, shape (n_rows, n_columns, n_columns)
            One value a row and pair of columns.
        features : sequence of str
            The features, in the order wanted.

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
        """Read an exported encoding back.

        Parameters
        ----------
        rows : iterable of dict
            From `export`.
        specs : iterable of FeatureSpec
            The features that columns may come from.
        trial : str, optional
            The feature that holds the trial.

        Returns
        -------
        Encoding
            Equal to the exported one.

        Raises
        ------
        ValueError
            If a row is not one that `export` could have written.
        """
        known = {spec.name: spec for spec in specs}
        columns = tuple(_restore_column(row, known) for row in rows)
        return Encoding(columns, trial if any(column.shifts for column in columns) else None)


def fit_encoding(
    frame: pd.DataFrame,
    specs: Iterable[FeatureSpec],
    *,
    fill_and_scale: bool,
    within: str | None = None,
    as_codes: bool = False,
) -> Encoding:
    """Learn an encoding from training rows.

    Parameters
    ----------
    frame : DataFrame
        The training rows.
    specs : iterable of FeatureSpec
        The features to encode.
    fill_and_scale : bool
        Whether to impute (median; commonest level), centre, and standardise numbers, as a
        penalised linear model needs; a tree takes values as they are, missing ones included.
    within : str, optional
        The feature that holds the trial, within which features of the patient are centred: what
        is learnt of them is then of differences inside trials alone.
    as_codes : bool
        Whether a category of three levels or more stands in one column, by position, for a model
        that splits levels into groups itself; a level that no training row has is then missing.

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
    columns: list[EncodedColumn] = []
    for spec in specs:
        trials = frame[within] if within is not None and spec.part == "patient" else None
        column = _read_column(frame[spec.name], spec.kind == "category")
        if spec.kind == "category":
            counts = column.count_levels()
            levels = [level for level in spec.levels if counts.get(level)]
            if as_codes and len(levels) > 2:
                columns.append(
                    EncodedColumn(spec.name, None, np.nan, 0.0, 1.0, levels=tuple(levels))
                )
                continue
            commonest = max(counts, key=lambda level: counts[level]) if counts else None
            for level in levels[1:] if len(levels) == 2 else levels:
                fill = float(level == commonest)
                values = column.as_numbers(level)
                columns.append(_fit_column(values, spec.name, level, fill, fill_and_scale, trials))
        else:
            values = column.as_numbers(None)
            present = values[~np.isnan(values)]
            fill = float(np.median(present)) if len(present) else 0.0
            columns.append(_fit_column(values, spec.name, None, fill, fill_and_scale, trials))
    return Encoding(tuple(columns), within)


def _fit_column(
    values: Matrix,
    name: str,
    level: str | None,
    fill: float,
    fill_and_scale: bool,
    trials: pd.Series | None,
) -> EncodedColumn:
    filled = np.where(np.isnan(values), fill, values) if fill_and_scale else values
    shifts: dict[str, float] = {}
    if trials is not None:
        means = pd.Series(filled).groupby(trials.astype(str).to_numpy()).mean().dropna()
        shifts = {str(trial): float(mean) for trial, mean in (means - means.mean()).items()}
        filled = filled - _as_shifts(trials, shifts)
    if not fill_and_scale:
        return EncodedColumn(name, level, np.nan, 0.0, 1.0, shifts)
    # Subtracting means leaves rounding where within every trial all are alike.
    rounding = 1e-12 * float(np.abs(filled).max()) if shifts else 0.0
    if np.ptp(filled) <= rounding:
        # A constant column carries nothing: 0 for every training row, and no leverage for others.
        return EncodedColumn(name, level, fill, float(filled[0]), 1.0, shifts)
    # An indicator keeps its unit: divided by its spread, a level that few have would count for as
    # much as one that half have, and a prior that is alike for all would not shrink it.
    scale = 1.0 if level is not None else float(filled.std())
    return EncodedColumn(name, level, fill, float(filled.mean()), scale, shifts)


def _as_shifts(trials: pd.Series, shifts: Mapping[str, float]) -> Matrix:
    return np.array([shifts.get(trial, 0.0) for trial in trials.astype(str)], dtype=float)


@dataclass(frozen=True)
class _Column:
    """A feature's values once they were taken out of the table, which is slow.

    Parameters
    ----------
    values : array, shape (n_rows,)
        Numbers, or positions among `levels` where it is a category, -1 for a missing one.
    levels : list of str, optional
        Of a category.
    """

    values: npt.NDArray[Any]
    levels: list[str] | None = None

    def as_numbers(self, level: str | None, levels: tuple[str, ...] = ()) -> Matrix:
        """Give numbers, an indicator of a level, or positions among some levels; NaN where missing.

        Parameters
        ----------
        level : str or None
            Of the indicator.
        levels : tuple of str
            Those whose position is the value.

        Returns
        -------
        array of float, shape (n_rows,)
            A new one, but for numbers.
        """
        if self.levels is None:
            return self.values
        if levels:
            positions = [levels.index(each) if each in levels else np.nan for each in self.levels]
            # The last stands for a missing value, whose position is -1.
            return np.asarray(np.array([*positions, np.nan], dtype=float)[self.values])
        told = [float(each == level) for each in self.levels]
        return np.asarray(np.array([*told, np.nan], dtype=float)[self.values])

    def count_levels(self) -> dict[str, int]:
        """Count the rows of each level that has some, in the order of the levels.

        Returns
        -------
        dict of int
            By level.
        """
        levels = self.levels or []
        counts = np.bincount(self.values[self.values >= 0], minlength=len(levels))
        return {level: int(n) for level, n in zip(levels, counts, strict=True) if n}


def _read_column(column: pd.Series, is_category: bool) -> _Column:
    if not is_category:
        return _Column(np.asarray(column, dtype=float))
    known = column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")
    held = known.array
    return _Column(np.asarray(held.codes), held.categories.tolist())


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
    if scale <= 0:
        raise ValueError("a column's scale is not above zero")
    shifts = {str(trial): check_finite(value) for trial, value in row.get("shifts", {}).items()}
    return EncodedColumn(spec.name, level, fill, check_finite(row["center"]), scale, shifts, levels)


def check_finite(value: object) -> float:
    """Check that a restored value is a finite number.

    Parameters
    ----------
    value : object
        From a model's file.

    Returns
    -------
    float
        The number.

    Raises
    ------
    ValueError
        If it is text, missing, infinite or not a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise ValueError("a number of the model is not a finite number")
    return float(value)
