"""Units as trials write them are read, and each factor is exact."""

import pytest

from glabella.data.dictionary import Variable
from glabella.data.ingest.units import find_conversion
from glabella.errors import DefinitionError


def convert(source: str, target: str) -> tuple[float, float]:
    variable = Variable(label="Measured", type="number", unit=target, range=(0, 1000))
    return find_conversion(source, variable, place="t.yaml")


@pytest.mark.parametrize(
    ("source", "target", "factor"),
    [
        ("kg/m2", "kg/m2", 1.0),
        ("kg/m^2", "kg/m2", 1.0),
        ("g/cm2", "kg/m2", 10.0),
        ("lb/in2", "lb/in**2", 1.0),
        ("10^9/L", "10**9/l", 1.0),
        ("x10E9/L", "10^9/L", 1.0),
        ("10⁹/L", "10*9/L", 1.0),
        ("10^3/uL", "10^9/L", 1.0),
        ("cells/mm3", "10^9/L", 0.001),
        ("cells/µL", "10^6/L", 1.0),
        ("mm Hg", "mmHg", 1.0),
        ("IU/L", "mIU/mL", 1.0),
        ("IU", "kIU", 0.001),
        ("y", "months", 12.0),
        ("Yrs", "MONTHS", 12.0),
        ("wk", "days", 7.0),
        ("mo", "years", 1 / 12),
        ("hrs", "days", 1 / 24),
        ("umol/L", "mmol/l", 0.001),
        ("beats/min", "1/min", 1.0),
        ("%", "%", 1.0),
        ("units", "units", 1.0),
    ],
)
def test_field_spellings_are_read(source: str, target: str, factor: float) -> None:
    found, offset = convert(source, target)
    assert offset == 0.0
    assert found == pytest.approx(factor, rel=1e-12)
    if factor in (0.001, 1.0, 7.0, 10.0, 12.0):
        assert found == factor


def test_units_with_another_zero_keep_it() -> None:
    factor, offset = convert("degF", "degC")
    assert (factor, offset) == (pytest.approx(5 / 9), pytest.approx(-160 / 9))


@pytest.mark.parametrize(
    ("source", "target", "finding"),
    [
        ("IU", "mg", "measure different things"),
        ("cells/mm3", "kg", "measure different things"),
        ("Mg", "mmHg", "measure different things"),
        ("10^9", "kg", "measure different things"),
        ("kg", "0*kg", "is no unit that can be converted"),
        ("10^", "kg", "is no unit that can be converted"),
        ("", "kg", "measure different things"),
    ],
)
def test_what_is_no_unit_of_the_same_kind_is_refused(
    source: str, target: str, finding: str
) -> None:
    with pytest.raises(DefinitionError, match=finding):
        convert(source, target)
