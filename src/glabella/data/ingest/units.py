"""Values in a source's unit to the dictionary's."""

from __future__ import annotations

import re
from functools import lru_cache
from tokenize import TokenError
from typing import Any

import numpy as np
import pandas as pd

from glabella.data.dictionary import Variable
from glabella.errors import DefinitionError

# How trials and laboratories write what pint has under another name. Words of time and count know
# no case; the others do, since Mg is not mg.
_SPELLINGS = {"mm Hg": "mmHg", "mcL": "microliter"}
_WORDS = {
    "y": "year", "yr": "year", "yrs": "year", "years": "year",
    "mo": "month", "mos": "month", "mon": "month", "months": "month",
    "wk": "week", "wks": "week", "weeks": "week",
    "days": "day", "hr": "hour", "hrs": "hour", "hours": "hour",
    "cell": "count", "cells": "count", "beats": "count", "breaths": "count",
    "pounds": "pound", "lbs": "pound",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@lru_cache(maxsize=1)
def _open_registry() -> Any:
    # Reading the table of units takes longer than reading a trial: only who names a unit waits.
    import pint

    registry: Any = pint.UnitRegistry()
    # Of a preparation's effect, which no amount of substance equals.
    registry.define("international_unit = [biological_activity] = IU")
    return registry


def _spell(unit: str) -> str:
    """Write a unit as pint reads it: ``kg/m2`` as ``kg/m**2``, ``10^9/L`` as ``10**9/L``."""
    for written, read in _SPELLINGS.items():
        unit = re.sub(rf"(?<!\w){written}(?!\w)", read, unit)
    unit = re.sub(
        r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda found: f"10^{found[1].translate(_SUPERSCRIPTS)}", unit
    )
    unit = re.sub(r"^\s*[x×]\s*(?=10)", "", unit)
    unit = re.sub(r"\b10\s*(?:\^|\*\*?|[eE])\s*(-?\d+)", r"10**\1", unit)
    unit = re.sub(r"\b([a-zµμ]*[a-z])([23])\b", r"\1**\2", unit)
    return re.sub(r"[A-Za-z]+", lambda found: _WORDS.get(found[0].lower(), found[0]), unit)


def find_conversion(unit: str, variable: Variable, *, place: str) -> tuple[float, float]:
    """Find how a source's unit becomes the dictionary's.

    Parameters
    ----------
    unit : str
        The source's, such as ``lb``, ``years``, ``kg/m2`` or ``10^9/L``.
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
    if _spell(unit) == _spell(variable.unit):
        return 1.0, 0.0
    registry = _open_registry()
    try:
        # A unit may have a factor of its own, as ten to the ninth a litre has.
        source = registry.Quantity(registry.parse_expression(_spell(unit)))
        target = registry.Quantity(registry.parse_expression(_spell(variable.unit)))
        zero = registry.Quantity(0.0, source.units).to(target.units).magnitude
        one = registry.Quantity(float(source.magnitude), source.units).to(target.units).magnitude
        factor, offset = (one - zero) / target.magnitude, zero / target.magnitude
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
        SyntaxError, TokenError, ArithmeticError,
    ):  # fmt: skip
        raise DefinitionError(
            f"'{unit}' or '{variable.unit}' is no unit that can be converted",
            place=place,
            remedy="Write units such as years, months, weeks, days, kg, lb, cm, inch, mg/dl, "
            "kg/m2, 10^9/L, mmHg, IU.",
        ) from None
    return _keep_digits(float(factor), 15), _keep_digits(float(offset), 15)


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
