"""Features read out of a table once, so that taking rows costs what NumPy costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from glabella.features.spec import FeatureSpec

__all__ = ["FeatureColumns"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int_]


@dataclass(frozen=True)
class Category:
    """Values of a category.

    Parameters
    ----------
    codes : array of int, shape (n_rows,)
        Positions among `levels`, -1 where missing.
    levels : tuple
        In order; as the table had them.
    """

    codes: npt.NDArray[np.integer[Any]]
    levels: tuple[Any, ...]

    def count_levels(self) -> dict[Any, int]:
        """Count the rows of each level that has some, in the order of the levels.

        Returns
        -------
        dict of int
            By level.
        """
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))
        return {level: int(n) for level, n in zip(self.levels, counts, strict=True) if n}

    def has_level(self, level: Any) -> Floats:
        """Tell who has a level.

        Parameters
        ----------
        level : object
            One of the levels, or another, which nobody has.

        Returns
        -------
        array of float, shape (n_rows,)
            1 or 0; NaN where missing.
        """
        table = np.array([*(each == level for each in self.levels), np.nan], dtype=float)
        return np.asarray(table[self.codes])

    def look_up(self, values: Mapping[Any, float]) -> Floats:
        """Give each row the number of its level.

        Parameters
        ----------
        values : mapping of float
            By level.

        Returns
        -------
        array of float, shape (n_rows,)
            NaN where the level has none or is missing.
        """
        # The last stands for a missing value, whose position is -1.
        table = np.array([*(values.get(level, np.nan) for level in self.levels), np.nan])
        return np.asarray(table[self.codes], dtype=float)


@dataclass(frozen=True, eq=False)
class FeatureColumns:
    """The features of some participants, column by column.

    Parameters
    ----------
    names : tuple of str
        Numbers and ordinals, in the order of `numbers`.
    numbers : array of float, shape (n_numbers, n_rows)
        NaN where missing.
    categories : mapping of Category
        By name.
    """

    names: tuple[str, ...]
    numbers: Floats
    categories: Mapping[str, Category]

    @classmethod
    def read(cls, frame: pd.DataFrame, specs: Iterable[FeatureSpec]) -> FeatureColumns:
        """Read the columns of a table.

        Parameters
        ----------
        frame : DataFrame
            Features by name.
        specs : iterable of FeatureSpec
            Those that are read. A category that the table lacks is left out: whoever needs it
            is told when they ask for it.

        Returns
        -------
        FeatureColumns
            A copy.

        Raises
        ------
        KeyError
            If the table lacks a number.
        """
        names: list[str] = []
        categories: dict[str, Category] = {}
        for spec in specs:
            if spec.kind != "category":
                names.append(spec.name)
            elif spec.name in frame:
                categories[spec.name] = _read_category(frame[spec.name])
        numbers = np.empty((len(names), len(frame)))
        for at, name in enumerate(names):
            numbers[at] = frame[name].to_numpy(dtype=float)
        return cls(tuple(names), numbers, categories)

    @classmethod
    def of_matrix(cls, matrix: Floats) -> FeatureColumns:
        """Name the columns of a plain matrix by their position.

        Parameters
        ----------
        matrix : array of float, shape (n_rows, n_columns)
            Numbers.

        Returns
        -------
        FeatureColumns
            ``x0``, ``x1`` and so on.
        """
        names = tuple(f"x{at}" for at in range(matrix.shape[1]))
        return cls(names, np.ascontiguousarray(matrix.T, dtype=float), {})

    def __len__(self) -> int:
        """The number of rows."""
        return int(self.numbers.shape[1])

    def take(self, rows: Rows) -> FeatureColumns:
        """Take rows by position.

        Parameters
        ----------
        rows : array of int
            Positions.

        Returns
        -------
        FeatureColumns
            In that order.
        """
        return FeatureColumns(
            self.names,
            self.numbers.take(rows, axis=1),
            {
                name: Category(item.codes.take(rows), item.levels)
                for name, item in self.categories.items()
            },
        )

    def exchange(self, names: Iterable[str], order: Rows) -> FeatureColumns:
        """Give each row another's values in some columns.

        Parameters
        ----------
        names : iterable of str
            The columns.
        order : array of int, shape (n_rows,)
            Whose values go to each row.

        Returns
        -------
        FeatureColumns
            The other columns stay.
        """
        numbers, categories = self.numbers.copy(), dict(self.categories)
        for name in names:
            if name in categories:
                mine = categories[name]
                categories[name] = Category(mine.codes.take(order), mine.levels)
            else:
                numbers[self.names.index(name)] = self.get_numbers(name).take(order)
        return FeatureColumns(self.names, numbers, categories)

    def get_numbers(self, name: str) -> Floats:
        """Give a number or ordinal.

        Parameters
        ----------
        name : str
            Of the feature.

        Returns
        -------
        array of float, shape (n_rows,)
            Not a copy.

        Raises
        ------
        KeyError
            If it was not read.
        """
        if name not in self.names:
            raise KeyError(name)
        return np.asarray(self.numbers[self.names.index(name)])

    def get_category(self, name: str) -> Category:
        """Give a category.

        Parameters
        ----------
        name : str
            Of the feature.

        Returns
        -------
        Category
            Not a copy.

        Raises
        ------
        KeyError
            If it was not read.
        """
        return self.categories[name]

    def get_labels(self, name: str) -> npt.NDArray[np.str_]:
        """Give the values of a column as text.

        Parameters
        ----------
        name : str
            Of the feature.

        Returns
        -------
        array of str, shape (n_rows,)
            ``nan`` where missing.

        Raises
        ------
        KeyError
            If it was not read.
        """
        if name in self.names:
            return np.asarray(self.get_numbers(name).astype(str))
        mine = self.categories[name]
        return np.asarray(np.array([*map(str, mine.levels), "nan"])[mine.codes])

    def find_infinite(self) -> str | None:
        """Find a number without end.

        Returns
        -------
        str or None
            The first feature that holds one.
        """
        if not np.isinf(self.numbers).any():
            return None
        return self.names[int(np.argmax(np.isinf(self.numbers).any(axis=1)))]


def _read_category(column: pd.Series) -> Category:
    known = column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")
    held = known.array
    return Category(np.asarray(held.codes), tuple(held.categories.tolist()))
