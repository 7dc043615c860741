"""Values in a source's unit to the dictionary's."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

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
    except (pint.PintError, ValueError, TypeError, AttributeError):
        raise DefinitionError(
            f"'{unit}' or '{variable.unit}' is no unit that can be converted",
            place=place,
            remedy="Write units such as years, months, weeks, days, kg, lb, cm, inch, mg/dl.",
        ) from None
    return round(float(one - zero), 12), round(float(zero), 12)
