"""What a model is told of each feature: its kind, levels, words and part in the analysis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from glabella.features.feature_columns import FeatureColumns

__all__ = ["FeatureSpec"]


@dataclass(frozen=True)
class FeatureSpec:
    """One column that a model may use.

    Parameters
    ----------
    name : str
        The column.
    label : str
        The words that readers see.
    kind : str
        ``number``, ``ordinal`` (whole grades in order) or ``category``.
    part : str
        ``patient``, ``arm`` or ``trial``. The arm is no property of the patient and is explained
        apart; the trial serves reference candidates only.
    levels : dict
        Of a category, and of an ordinal whose grades have names: code to label, in order.
    unit : str, optional
        Of a number.
    is_severity : bool
        Whether it is the endpoint's own variable at baseline.
    direction : str, optional
        ``increasing`` or ``decreasing``: how the probability of response is held to go with it,
        where the dictionary says so.
    """

    name: str
    label: str
    kind: Literal["number", "ordinal", "category"]
    part: Literal["patient", "arm", "trial"] = "patient"
    levels: dict[str, str] = field(default_factory=dict)
    unit: str | None = None
    is_severity: bool = False
    direction: Literal["increasing", "decreasing"] | None = None

    def describe_value(self, value: object) -> str:
        """Say a value in the dictionary's words.

        Parameters
        ----------
        value : object
            A number, a grade or a code; missing is NaN or None.

        Returns
        -------
        str
            Words, with the unit.

        Examples
        --------
        >>> FeatureSpec("age_years", "Age", "number", unit="years").describe_value(48.0)
        '48 years'
        >>> FeatureSpec("sex", "Sex", "category", levels={"F": "female"}).describe_value("F")
        'female'

        A percentage is said in whole percents, as nobody would read more of it aloud.

        >>> FeatureSpec("share", "Share", "number", unit="% of the range").describe_value(43.75)
        '44 % of the range'
        """
        if value is None or pd.isna(value):  # type: ignore[call-overload]
            return "not recorded"
        if self.kind == "category":
            return self.levels.get(str(value), str(value))
        number = float(value)  # type: ignore[arg-type]
        named = self.levels.get(f"{number:g}")
        if named is not None:
            return named
        is_whole = abs(number) >= 10_000 or (self.unit or "").startswith("%")
        text = f"{round(number)}" if is_whole else f"{number:.4g}"
        return f"{text} {self.unit}" if self.unit else text


@dataclass(frozen=True)
class FeatureTable:
    """The features of each participant.

    Parameters
    ----------
    frame : DataFrame
        One row a participant: numbers and ordinals as floats (NaN where missing), categories as
        pandas categories over the declared levels.
    specs : tuple of FeatureSpec
        One for each column, in order.
    """

    frame: pd.DataFrame
    specs: tuple[FeatureSpec, ...]

    @cached_property
    def columns(self) -> FeatureColumns:
        """The same as what models are fitted to, read once."""
        return FeatureColumns.read(self.frame, self.specs)

    @cached_property
    def covariates(self) -> npt.NDArray[np.float64]:
        """What missing outcomes are imputed from, beside visits: the patient's features.

        Shape (n_participants, n_covariates): numbers, and an indicator for each level but the
        first; NaN where missing. Severity at baseline is among the visits.
        """
        columns = [np.empty((len(self.frame), 0))]
        for spec in self.specs:
            if spec.part != "patient" or spec.is_severity:
                continue
            if spec.kind == "category":
                mine = self.columns.get_category(spec.name)
                columns += [mine.has_level(level)[:, None] for level in list(spec.levels)[1:]]
            else:
                columns.append(self.columns.get_numbers(spec.name)[:, None])
        return np.hstack(columns)

    def exchange(self, names: Sequence[str], order: npt.NDArray[np.int_]) -> FeatureTable:
        """Give each row another's values in some columns.

        Parameters
        ----------
        names : sequence of str
            The columns.
        order : array of int, shape (n_rows,)
            Whose values go to each row.

        Returns
        -------
        FeatureTable
            The other columns stay.
        """
        moved = set(names)
        columns = {
            name: column.array.take(order) if name in moved else column.array
            for name, column in self.frame.items()
        }
        frame = pd.DataFrame(columns, index=self.frame.index, copy=False)
        table = FeatureTable(frame.set_axis(self.frame.columns, axis=1), self.specs)
        # Known without reading them again.
        table.__dict__["columns"] = self.columns.exchange(names, order)
        return table

    def take(self, rows: npt.NDArray[np.int_]) -> FeatureColumns:
        """Take rows by position.

        Parameters
        ----------
        rows : array of int
            Positions.

        Returns
        -------
        FeatureColumns
            The rows in that order.
        """
        return self.columns.take(rows)
