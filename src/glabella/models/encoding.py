"""Features to a matrix of numbers, learnt from training rows and replayed on any others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.features.spec import FeatureSpec

Matrix = npt.NDArray[np.float64]


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
    """

    feature: str
    level: str | None
    fill: float
    center: float
    scale: float


@dataclass(frozen=True)
class Encoding:
    """A learnt encoding.

    Parameters
    ----------
    columns : tuple of EncodedColumn
        In the order of the matrix.
    """

    columns: tuple[EncodedColumn, ...]

    def transform(self, frame: pd.DataFrame) -> Matrix:
        """Encode rows.

        Parameters
        ----------
        frame : DataFrame
            Features by name.

        Returns
        -------
        array of float, shape (n_rows, n_columns)
            The matrix. A level that the encoding never saw is 0 in every indicator.
        """
        matrix = np.empty((len(frame), len(self.columns)), dtype=float)
        for index, column in enumerate(self.columns):
            values = _as_numbers(frame[column.feature], column.level)
            filled = np.where(np.isnan(values), column.fill, values)
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

    def export(self) -> list[dict[str, Any]]:
        """Write the encoding as plain values.

        Returns
        -------
        list of dict
            For JSON; a missing `fill` is None.
        """
        rows = [asdict(column) for column in self.columns]
        for row in rows:
            row["fill"] = None if np.isnan(row["fill"]) else row["fill"]
        return rows

    @staticmethod
    def restore(rows: Iterable[dict[str, Any]], specs: Iterable[FeatureSpec]) -> Encoding:
        """Read an exported encoding back.

        Parameters
        ----------
        rows : iterable of dict
            From `export`.
        specs : iterable of FeatureSpec
            The features that columns may come from.

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
        return Encoding(tuple(_restore_column(row, known) for row in rows))


def fit_encoding(
    frame: pd.DataFrame, specs: Iterable[FeatureSpec], *, fill_and_scale: bool
) -> Encoding:
    """Learn an encoding from training rows.

    Parameters
    ----------
    frame : DataFrame
        The training rows.
    specs : iterable of FeatureSpec
        The features to encode.
    fill_and_scale : bool
        Whether to impute (median; commonest level) and standardise, as a penalised linear model
        needs; a tree takes values as they are, missing ones included.

    Returns
    -------
    Encoding
        Two levels make one indicator; more make one each. Levels that no training row has make
        none.
    """
    columns: list[EncodedColumn] = []
    for spec in specs:
        if spec.kind == "category":
            observed = set(frame[spec.name].dropna())
            levels = [level for level in spec.levels if level in observed]
            commonest = frame[spec.name].mode()
            for level in levels[1:] if len(levels) == 2 else levels:
                fill = float(len(commonest) > 0 and commonest.iloc[0] == level)
                columns.append(_fit_column(frame, spec.name, level, fill, fill_and_scale))
        else:
            values = frame[spec.name].to_numpy(dtype=float)
            present = values[~np.isnan(values)]
            fill = float(np.median(present)) if len(present) else 0.0
            columns.append(_fit_column(frame, spec.name, None, fill, fill_and_scale))
    return Encoding(tuple(columns))


def _fit_column(
    frame: pd.DataFrame, name: str, level: str | None, fill: float, fill_and_scale: bool
) -> EncodedColumn:
    if not fill_and_scale:
        return EncodedColumn(name, level, np.nan, 0.0, 1.0)
    values = _as_numbers(frame[name], level)
    filled = np.where(np.isnan(values), fill, values)
    if np.ptp(filled) == 0:
        # A constant column carries nothing: 0 for every training row, and no leverage for others.
        return EncodedColumn(name, level, fill, float(filled[0]), 1.0)
    return EncodedColumn(name, level, fill, float(filled.mean()), float(filled.std()))


def _as_numbers(column: pd.Series, level: str | None) -> Matrix:
    if level is None:
        return np.asarray(column, dtype=float)
    indicator = np.asarray(column == level, dtype=float)
    indicator[column.isna().to_numpy()] = np.nan
    return indicator


def _restore_column(row: dict[str, Any], known: dict[str, FeatureSpec]) -> EncodedColumn:
    if set(row) != {field.name for field in fields(EncodedColumn)}:
        raise ValueError("a column has more or fewer entries than it should")
    spec = known[row["feature"]]
    level = row["level"]
    if (spec.kind == "category") != (level is not None) or level not in (None, *spec.levels):
        raise ValueError("a column's level does not fit its feature")
    fill = np.nan if row["fill"] is None else check_finite(row["fill"])
    scale = check_finite(row["scale"])
    if scale <= 0:
        raise ValueError("a column's scale is not above zero")
    return EncodedColumn(spec.name, level, fill, check_finite(row["center"]), scale)


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
