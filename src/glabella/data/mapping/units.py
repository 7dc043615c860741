"""Values in a source's unit to the dictionary's."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from tokenize import TokenError
from typing import Any

import numpy as np
import pandas as pd

from glabella.data.dictionary import Variable
from glabella.data.mapping.unit_kinds import COUNTED_WORDS, find_counted, find_kind
from glabella.errors import DefinitionError

# How trials and laboratories write what pint has under another name. Words of time and count know
# no case; the others do, since Mg is not mg.
_SPELLINGS = {"mm Hg": "mmHg", "mcL": "microliter", "bpm": "beats/min"}
_WORDS = {
    "y": "year", "yr": "year", "yrs": "year", "years": "year",
    "mo": "month", "mos": "month", "mon": "month", "months": "month",
    "wk": "week", "wks": "week", "weeks": "week",
    "days": "day", "hr": "hour", "hrs": "hour", "hours": "hour",
    "pounds": "pound", "lbs": "pound",
    **dict.fromkeys(("fraction", "proportion", "ratio"), "1"),
    **dict.fromkeys(COUNTED_WORDS, "count"),
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
# Of laboratories, a grain for the library.
_GRAMS = {"gr", "gm", "gms"}
# The line that links the two standards of HbA1c: Hoelzel and others, Clin Chem 2004;50:166-174.
_HBA1C = re.compile(r"hb\s*a1c|\ba1c\b|gly(cat|cosylat)ed ha?emoglobin|glycoha?emoglobin", re.I)
# What differs between two values, or spreads about them, has no zero of its own.
_OF_TWO_VALUES = re.compile(
    r"chang|differ|\bdelta\b|δ|\bfall|\bdrop|\bris(e|ing)|increas|decreas|reduc|\bsd\b|deviation|"
    r"varia|\brange\b|\bnot\b",
    re.I,
)
_INCOMPLETE = re.compile(r"/\s*\d+(?:\.\d+)?\s*(?:/|$)|\d\s+\d")
_NGSP_BY_IFCC, _NGSP_AT_ZERO = 0.09148, 2.152
# The size of a degree and where its scale has zero, in kelvins: exact, where the library rounds.
_TEMPERATURES = {
    "kelvin": (Fraction(1), Fraction(0)),
    "degree_Celsius": (Fraction(1), Fraction("273.15")),
    "degree_Fahrenheit": (Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
}


@lru_cache(maxsize=1)
def _open_registry() -> Any:
    # Reading the table of units takes longer than reading a trial: only who names a unit waits.
    import pint

    registry: Any = pint.UnitRegistry()
    # Of a preparation's effect, which no amount of substance equals.
    registry.define("international_unit = [biological_activity] = IU")
    return registry


def _format_unit(unit: str) -> str:
    """Write a unit as pint reads it: ``kg/m2`` as ``kg/m**2``, ``10^9/L`` as ``10**9/L``."""
    for written, read in _SPELLINGS.items():
        unit = re.sub(rf"(?<!\w){written}(?!\w)", read, unit)
    unit = re.sub(
        r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda found: f"10^{found[1].translate(_SUPERSCRIPTS)}", unit
    )
    unit = re.sub(r"^\s*[x×]\s*(?=10)", "", unit)
    unit = re.sub(r"\b10\s*(?:\^|\*\*?|[eE])\s*(-?\d+)", r"10**\1", unit)
    # A number and the unit after it divide together: mL/min/1.73 m2, mg/100 mL.
    unit = re.sub(
        r"/\s*(\d+(?:\.\d+)?)\s*([^\W\d_]+(?:[2-5]|\s*(?:\^|\*\*)\s*[2-5])?)", r"/(\1 \2)", unit
    )
    unit = re.sub(r"\b([a-zµμ]*[a-z])([2-5])\b", r"\1**\2", unit)
    return re.sub(r"[A-Za-z]+", lambda found: _WORDS.get(found[0].lower(), found[0]), unit)


def find_conversion(unit: str, variable: Variable, *, place: str) -> tuple[float, float]:
    """Find how a source's unit becomes the dictionary's.

    Returns
    -------
    tuple of float
        Factor and offset: the dictionary's value is factor times the source's plus offset.

    Notes
    -----
    A variable whose label names HbA1c is converted between per cent (NGSP) and mmol/mol (IFCC) by
    the published line [1]_. A month is a twelfth of a year of 365.25 days.

    References
    ----------
    .. [1] Hoelzel W, et al. IFCC reference system for measurement of hemoglobin A1c in human blood
       and the national standardization schemes. Clin Chem 2004;50:166-174.

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
    counted = find_counted(unit), find_counted(variable.unit)
    if _format_unit(unit) == _format_unit(variable.unit) and (
        not all(counted) or counted[0] == counted[1]
    ):
        return 1.0, 0.0
    try:
        found = _convert_units(unit, variable.unit, is_hba1c=_is_hba1c(variable.label))
    # What pint's own reader of words makes of a stray sign is not one family of errors.
    except (
        pint.PintError, ValueError, TypeError, AttributeError, AssertionError, LookupError,
        SyntaxError, TokenError, ArithmeticError,
    ):  # fmt: skip
        raise DefinitionError(
            f"'{unit}' or '{variable.unit}' is no unit that can be converted",
            place=place,
            remedy="Write units such as years, months, weeks, days, g, kg, lb, cm, inch, mg/dL, "
            "kg/m2, 10^9/L, mmHg, IU, degC, and capitals as they are meant: mL is no ML.",
        ) from None
    if found is None:
        raise DefinitionError(
            f"'{unit}' and '{variable.unit}' measure different things",
            place=place,
            remedy="A concentration by weight and one by amount differ by the substance, and a "
            "percentage and a ratio of amounts, counts or doses of different kinds are linked by "
            "no factor; convert such values in the file. HbA1c in % and mmol/mol is converted if "
            "the variable's `label:` says that it is HbA1c.",
        )
    return found


def _is_hba1c(label: str) -> bool:
    return bool(_HBA1C.search(label)) and not _OF_TWO_VALUES.search(label)


def _convert_units(unit: str, target: str, *, is_hba1c: bool) -> tuple[float, float] | None:
    """Give factor and offset, or None where the units measure different things."""
    if {unit.strip().lower(), target.strip().lower()} & _GRAMS:
        raise ValueError
    # Shorthand whose unit is left to the reader, such as mL/min/1.73 and 10 9/L.
    if any(_INCOMPLETE.search(each) for each in (unit, target)):
        raise ValueError
    registry = _open_registry()
    kinds = [find_kind(each, _format_unit(each), registry) for each in (unit, target)]
    source, wanted = kinds
    if source is None or wanted is None:
        raise ValueError
    if source.is_same_kind(wanted):
        return _measure(unit, target, registry)
    if is_hba1c and source.is_share and wanted.is_ratio_of_amounts:
        to_ngsp, _ = _measure(unit, "%", registry)
        from_ifcc, _ = _measure("mmol/mol", target, registry)
        factor = from_ifcc / _NGSP_BY_IFCC
        return to_ngsp * factor, -_NGSP_AT_ZERO * factor
    if is_hba1c and source.is_ratio_of_amounts and wanted.is_share:
        to_ifcc, _ = _measure(unit, "mmol/mol", registry)
        from_ngsp, _ = _measure("%", target, registry)
        return to_ifcc * _NGSP_BY_IFCC * from_ngsp, _NGSP_AT_ZERO * from_ngsp
    return None


def _measure(unit: str, target: str, registry: Any) -> tuple[float, float]:
    # A unit may have a factor of its own, as ten to the ninth a litre has.
    source = registry.Quantity(registry.parse_expression(_format_unit(unit)))
    wanted = registry.Quantity(registry.parse_expression(_format_unit(target)))
    if str(source.units) in _TEMPERATURES and str(wanted.units) in _TEMPERATURES:
        (step, zero), (of_step, of_zero) = (_TEMPERATURES[str(q.units)] for q in (source, wanted))
        return float(step / of_step), float((zero - of_zero) / of_step)
    one = registry.Quantity(float(source.magnitude), source.units).to(wanted.units).magnitude
    return _keep_digits(float(one / wanted.magnitude), 15), 0.0


def convert_values(values: pd.Series, factor: float, offset: float) -> pd.Series:
    """Convert numbers, free of the last digits that a factor without an exact form leaves.

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
    made = values * factor + offset
    # Near the other scale's zero nothing but the rounding is left of a difference.
    made = made.mask(made.abs() < 1e-13 * abs(offset), 0.0)
    codes, levels = pd.factorize(made, use_na_sentinel=False)
    rounded = np.array([_keep_digits(level, 12) for level in levels], dtype=float)
    return pd.Series(rounded[codes], index=values.index, name=values.name)


def _keep_digits(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
