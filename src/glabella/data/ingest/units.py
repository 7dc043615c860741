"""Values in a source's unit to the dictionary's."""

from __future__ import annotations

from functools import lru_cache
from tokenize import TokenError
from typing import Any

import numpy as np
import pandas as pd

from glabella.data.dictionary import Variable
from glabella.errors import DefinitionError


@lru_cache(maxsize=1)
def _open_registry() -> Any:
    # Reading the table of units takes longer than reading a trial: only who names a unit waits.
    import pint

    return pint.UnitRegistry()


def find_conversion(unit: str, variable: Variable, *, place: str) -> tuple[float, float]:
    """Find how a source's unit becomes the dictionary's.

    Parameters
    ----------
    unit : str
        The source's, such as ``lb`` or ``years``.
    variable : Variable
        Whose unit is meant.
    place : str
        Where the unit was written, for the message.

    Returns
    -------
    tuple of float
        Factor and offset: the dictionary's value is factor times the source's plus offset.

    Raises
    ------
    DefinitionError
        If a unit is unknown, or the two measure different things.

    Examples
    --------
    >>> age = Variable(label="Duration", type="number", unit="months", range=(0, 720))
    >>> find_conversion("years", age, place="pipelines/a.yaml:9")
    (12.0, 0.0)
    """
    import pint

    if variable.unit is None:
        raise DefinitionError(
            f"'{variable.label}' has no unit in the dictionary, so nothing can be converted to it",
            place=place,
            remedy="Give its `unit:` there, or leave this one out.",
        )
    registry = _open_registry()
    try:
        source = registry.Unit(unit)
        target = registry.Unit(variable.unit)
        zero = registry.Quantity(0.0, source).to(target).magnitude
        one = registry.Quantity(1.0, source).to(target).magnitude
    except pint.DimensionalityError:
        raise DefinitionError(
            f"'{unit}' and '{variable.unit}' measure different things",
            place=place,
            remedy="A concentration by weight and one by amount differ by the substance; "
            "convert such values in the file.",
        ) from None
    # What pint's own reader of words makes of a stray sign is not one family of errors.
    except (
        pint.PintError, ValueError, TypeError, AttributeError, AssertionError, LookupError,
        SyntaxError, TokenError,
    ):  # fmt: skip
        raise DefinitionError(
            f"'{unit}' or '{variable.unit}' is no unit that can be converted",
            place=place,
            remedy="Write units such as years, months, weeks, days, kg, lb, cm, inch, mg/dl.",
        ) from None
    return _keep_digits(float(one - zero), 15), _keep_digits(float(zero), 15)


def convert_values(values: pd.Series, factor: float, offset: float) -> pd.Series:
    """Convert numbers, free of the last digits that a factor without an exact form leaves.

    Parameters
    ----------
    values : Series of float
        In the source's unit.
    factor, offset : float
        From `find_conversion`.

    Returns
    -------
    Series of float
        To twelve significant digits: 216 months are 18 years, and not a little less.

    Examples
    --------
    >>> convert_values(pd.Series([216.0, 6.0]), 1 / 12, 0.0).tolist()
    [18.0, 0.5]
    """
    # A column repeats its values, and rounding by digits is slow.
    codes, levels = pd.factorize(values * factor + offset, use_na_sentinel=False)
    rounded = np.array([_keep_digits(level, 12) for level in levels], dtype=float)
    return pd.Series(rounded[codes], index=values.index, name=values.name)


def _keep_digits(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
