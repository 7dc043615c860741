"""Units as trials write them are read, and each factor is exact."""

import pandas as pd
import pytest

from glabella.data.dictionary import Variable
from glabella.data.mapping.units import convert_values, find_conversion
from glabella.errors import DefinitionError


def convert(source: str, target: str, *, label: str = "Measured") -> tuple[float, float]:
    variable = Variable(label=label, type="number", unit=target, range=(0, 1000))
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
        ("L/L", "%", 100.0),
        ("fraction", "%", 100.0),
        ("permille", "%", 0.1),
        ("mg/100 mL", "mg/dL", 1.0),
        ("mL/min/1.73m2", "L/min/1.73 m2", 0.001),
        ("dyn*s/cm5", "mmHg*min/L", 1 / 79.993),
        ("U/L", "ukat/L", 1 / 60),
        ("seizures/month", "seizures/week", 12 * 7 / 365.25),
        ("bpm", "1/min", 1.0),
        ("mmol/mol", "mol/mol", 0.001),
        ("rem", "mSv", 10.0),
        ("radian", "degree", 57.29577951308232),
    ],
)
def test_field_spellings_are_read(source: str, target: str, factor: float) -> None:
    found, offset = convert(source, target)
    assert offset == 0.0
    assert found == pytest.approx(factor, rel=1e-12 if factor != 1 / 79.993 else 1e-4)
    if factor in (0.001, 1.0, 7.0, 10.0, 12.0):
        assert found == factor


@pytest.mark.parametrize(
    ("source", "target", "values"),
    [
        ("degF", "degC", {98.6: 37.0, 32.0: 0.0}),
        ("degC", "degF", {37.0: 98.6, 38.5: 101.3}),
        ("degC", "K", {37.0: 310.15}),
        ("K", "degC", {310.15: 37.0}),
    ],
)
def test_units_with_another_zero_keep_it(
    source: str, target: str, values: dict[float, float]
) -> None:
    found = convert_values(pd.Series(list(values)), *convert(source, target))
    assert found.tolist() == list(values.values())


@pytest.mark.parametrize("label", ["HbA1c", "Glycated haemoglobin at entry", "Hb A1c (A1C)"])
def test_hba1c_follows_the_line_that_links_its_two_standards(label: str) -> None:
    to_ifcc = convert("%", "mmol/mol", label=label)
    found = convert_values(pd.Series([6.5, 7.0, 9.0]), *to_ifcc)
    # As published for 6.5, 7 and 9 %.
    assert found.round().tolist() == [48, 53, 75]
    back = convert_values(found, *convert("mmol/mol", "%", label=label))
    assert back.tolist() == pytest.approx([6.5, 7.0, 9.0], rel=1e-11)
    assert convert("%", "%", label=label) == (1.0, 0.0)
    assert convert("fraction", "mmol/mol", label=label)[0] == pytest.approx(100 / 0.09148)


SAME_DIMENSION = [
    ("%", "mmol/mol"),
    ("mmol/mol", "%"),
    ("%", "mol/mol"),
    ("%", "g/g"),
    ("mg/g", "%"),
    ("ppm", "%"),
    ("%", "count"),
    ("cells", "%"),
    ("10^9", "%"),
    ("degree", "%"),
    ("radian", "fraction"),
    ("degree", "degC"),
    ("mg/g", "mg/mmol"),
    ("mmol/L", "mg/dL"),
    ("days/month", "%"),
    ("Bq", "Hz"),
    ("mCi", "1/min"),
    ("Sv", "Gy"),
    ("rem", "cGy"),
    ("N*m", "J"),
    ("delta_degC", "degC"),
    ("breaths/min", "beats/min"),
    ("IU/L", "U/L"),
    ("mL/min/1.73m2", "mL/min"),
]


@pytest.mark.parametrize(("source", "target"), SAME_DIMENSION)
def test_one_dimension_is_not_one_measure(source: str, target: str) -> None:
    with pytest.raises(DefinitionError, match="measure different things"):
        convert(source, target)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("dB", "%"),
        ("pH", "mol/L"),
        ("pH", "henry"),
        ("points", "cm"),
        ("units", "cd/m2"),
        ("rpm", "Hz"),
        ("mEq/L", "mmol/L"),
        ("degC/min", "degF/min"),
        ("ML/min", "mL/min"),
        ("PG", "pg"),
        ("gr", "g"),
        ("gm", "g"),
        ("C", "degC"),
        ("F", "degC"),
        ("byte", "%"),
    ],
)
def test_what_only_looks_like_a_unit_of_trials_is_refused(source: str, target: str) -> None:
    with pytest.raises(DefinitionError, match="is no unit that can be converted"):
        convert(source, target)


@pytest.mark.parametrize(
    ("source", "target", "finding"),
    [
        ("IU", "mg", "measure different things"),
        ("cells/mm3", "kg", "measure different things"),
        ("Mg", "mmHg", "is no unit that can be converted"),
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
