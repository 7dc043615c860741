"""Values against the dictionary: each fault by its row, in words that hold no value."""

import numpy as np
import pandas as pd
import pytest

from glabella.data.checks import (
    Finding,
    count_faults,
    group_findings,
    parse_values,
    raise_findings,
)
from glabella.data.dictionary import Variable
from glabella.domain.scales import SCALES
from glabella.errors import DataError

AGE = Variable(label="Age", type="number", unit="years", range=(18, 90))
GRADE = Variable(label="Grade", type="ordinal", range=(0, 3))
SEX = Variable(label="Sex", type="category", codes={"F": "female", "M": "male"})
NAMIBIA = Variable(label="Country", type="category", codes={"NA": "Namibia", "ZA": "South Africa"})
COUNTRY = Variable(label="Country", type="category", codes={"NO": "Norway", "007": "Bond"})
NUMBERED = Variable(label="Site", type="category", codes={"1": "one", "2": "two"})
TWSTRS = Variable(label="Torticollis", type="score", scale="twstrs")
TOTAL = Variable(label="Total", type="score", scale="by_trial")

OUTSIDE_AGE = "is outside 18 to 90 years"


@pytest.mark.parametrize(
    ("variable", "cell", "value", "fault"),
    [
        (AGE, "44", 44.0, None),
        (AGE, " 44.5 ", 44.5, None),
        (AGE, "1.8e1", 18.0, None),
        (AGE, "90", 90.0, None),
        (AGE, "", np.nan, None),
        (AGE, "   ", np.nan, None),
        (AGE, "17.999", np.nan, OUTSIDE_AGE),
        (AGE, "90.001", np.nan, OUTSIDE_AGE),
        (AGE, "-1", np.nan, OUTSIDE_AGE),
        (AGE, "forty", np.nan, "is not a number"),
        (AGE, "44,5", np.nan, "is not a number"),
        (AGE, "4 4", np.nan, "is not a number"),
        (AGE, "nan", np.nan, "is not a number"),
        (AGE, "NA", np.nan, None),
        (AGE, "na", np.nan, "is not a number"),
        (AGE, "n/a", np.nan, "is not a number"),
        (AGE, "True", np.nan, "is not a number"),
        (AGE, "inf", np.nan, "is not a finite number"),
        (AGE, "-inf", np.nan, "is not a finite number"),
        (AGE, "1e999", np.nan, "is not a finite number"),
        (GRADE, "0", 0.0, None),
        (GRADE, "3.0", 3.0, None),
        (GRADE, "", np.nan, None),
        (GRADE, "1.5", np.nan, "is not a whole number"),
        (GRADE, "4", np.nan, "is outside 0 to 3"),
        (GRADE, "3.5", np.nan, "is outside 0 to 3"),
        (GRADE, "mild", np.nan, "is not a number"),
        (GRADE, "NA", np.nan, None),
        (TWSTRS, "0", 0.0, None),
        (TWSTRS, "85", 85.0, None),
        (TWSTRS, "86", np.nan, "is outside 0 to 85, the range of twstrs"),
        (TWSTRS, "-1", np.nan, "is outside 0 to 85, the range of twstrs"),
    ],
)
def test_a_number_is_read_or_refused(
    variable: Variable, cell: str, value: float, fault: str | None
) -> None:
    # The cells around it must stay what they are.
    parsed = parse_values(pd.Series(["20" if variable is AGE else "1", cell, ""]), variable)
    np.testing.assert_equal(
        parsed.values.to_numpy(), [20.0 if variable is AGE else 1.0, value, np.nan]
    )
    assert parsed.faults.tolist() == [None, fault, None]


@pytest.mark.parametrize(
    ("variable", "cell", "value", "fault"),
    [
        (SEX, "F", "F", None),
        (SEX, " M ", "M", None),
        (SEX, "", None, None),
        (SEX, "f", None, "is not one of the codes F, M"),
        (SEX, "female", None, "is not one of the codes F, M"),
        (SEX, "NA", None, None),
        (SEX, "N/A", None, "is not one of the codes F, M"),
        (NAMIBIA, "NA", "NA", None),
        (NAMIBIA, "", None, None),
        (COUNTRY, "NO", "NO", None),
        (COUNTRY, "007", "007", None),
        (COUNTRY, "7", None, "is not one of the codes NO, 007"),
        (COUNTRY, "False", None, "is not one of the codes NO, 007"),
    ],
)
def test_a_code_is_read_or_refused(
    variable: Variable, cell: str, value: str | None, fault: str | None
) -> None:
    parsed = parse_values(pd.Series([cell, ""]), variable)
    assert [None if pd.isna(v) else v for v in parsed.values] == [value, None]
    assert parsed.faults.tolist() == [fault, None]


@pytest.mark.parametrize(
    ("raw", "codes"),
    [
        (pd.Series([1, 2]), ["1", "2"]),
        (pd.Series([1.0, np.nan]), ["1", None]),
        (pd.Series([1, None], dtype="Int64"), ["1", None]),
        (pd.Series(["1", None], dtype=object), ["1", None]),
        (pd.Series(["1", "2"], dtype="category"), ["1", "2"]),
    ],
)
def test_a_code_stored_as_a_number_is_the_same_code(
    raw: pd.Series, codes: list[str | None]
) -> None:
    parsed = parse_values(raw, NUMBERED)
    assert [None if pd.isna(v) else v for v in parsed.values] == codes
    assert parsed.faults.tolist() == [None, None]


def test_a_long_code_stored_as_a_number_is_the_same_code() -> None:
    trial = Variable(label="T", type="category", codes={"1234567": "one", "1234568": "two"})
    parsed = parse_values(pd.Series([1234567, 1234568]), trial)
    assert parsed.values.tolist() == ["1234567", "1234568"]
    assert parsed.faults.tolist() == [None, None]


@pytest.mark.parametrize(
    "raw",
    [
        pd.Series([44.0, np.nan]),
        pd.Series([44, None], dtype="Int64"),
        pd.Series([44.0, None], dtype="Float64"),
        pd.Series([44, None], dtype=object),
        pd.Series(["44", None], dtype=object),
        pd.Series(["44", ""], dtype="string"),
        pd.Series(["44", None], dtype="category"),
    ],
)
def test_a_number_is_the_same_whatever_it_is_stored_as(raw: pd.Series) -> None:
    parsed = parse_values(raw, AGE)
    np.testing.assert_equal(parsed.values.to_numpy(), [44.0, np.nan])
    assert parsed.faults.tolist() == [None, None]


def test_a_column_keeps_its_row_labels() -> None:
    raw = pd.Series(["20", "x"], index=[7, 7])
    assert parse_values(raw, AGE).values.index.tolist() == [7, 7]


def test_each_row_is_judged_on_the_scale_of_its_own_trial() -> None:
    parsed = parse_values(
        pd.Series(["53", "53", "53", "61", "61", "5", ""]),
        TOTAL,
        scales=pd.Series(["hamd17", "hamd21", "madrs", "madrs", "hamd21", "hamd18", "hamd18"]),
    )
    np.testing.assert_equal(parsed.values.to_numpy(), [np.nan, 53, 53, np.nan, 61, np.nan, np.nan])
    no_scale = f"has no known scale ({', '.join(sorted(SCALES))})"
    outside = "is outside the range of its scale"
    assert parsed.faults.tolist() == [outside, None, None, outside, None, no_scale, None]


def test_a_score_by_trial_without_scales_is_refused() -> None:
    parsed = parse_values(pd.Series(["5", ""]), TOTAL)
    assert parsed.faults[0] is not None
    assert parsed.faults[1] is None


def test_faults_are_grouped_by_kind_and_counted_commonest_first() -> None:
    parsed = parse_values(pd.Series(["x", "200", "20", "y", ""]), AGE)
    findings = count_faults(parsed.faults, place="p.csv, column 'age'", remedy="Mend them.")
    assert [finding.finding for finding in findings] == [
        "2 of 5 values: each is not a number",
        f"1 of 5 values: each {OUTSIDE_AGE}",
    ]
    assert {finding.place for finding in findings} == {"p.csv, column 'age'"}


def test_no_fault_gives_no_finding_and_no_refusal() -> None:
    findings = count_faults(parse_values(pd.Series(["20"]), AGE).faults, place="p", remedy="r")
    assert findings == []
    raise_findings(findings)


def test_one_finding_is_refused_in_its_own_words() -> None:
    with pytest.raises(DataError) as caught:
        raise_findings([Finding("p.csv, column 'age'", "1 of 5 values: each is odd", "Mend it.")])
    assert str(caught.value) == "p.csv, column 'age': 1 of 5 values: each is odd\n  Mend it."


def test_many_findings_are_one_refusal_of_bounded_length() -> None:
    kinds = [chr(ord("a") + i) for i in range(23)]
    with pytest.raises(DataError) as caught:
        raise_findings([Finding(f"place {kind}", f"wrong {kind}", "Mend it.") for kind in kinds])
    lines = str(caught.value).splitlines()
    assert lines[0] == "23 findings in the data"
    assert lines[1] == "  place a: wrong a. Mend it."
    assert lines[-1] == "  ... and more of 3 other kinds"
    assert len(lines) == 22


def test_findings_that_read_alike_are_one_with_its_places() -> None:
    with pytest.raises(DataError) as caught:
        raise_findings([Finding(f"column 'c{i}'", "wrong", "Mend it.") for i in range(121)])
    assert str(caught.value) == (
        "column 'c0'; column 'c1'; column 'c2'; column 'c3'; column 'c4' and 116 more: wrong\n"
        "  Mend it."
    )


def test_findings_that_differ_in_numbers_and_names_are_counted_after_three() -> None:
    many = [
        Finding(f"column 'c{i}'", f"{i + 1} of 9 values: odd", f"Mend 'v{i}'.") for i in range(121)
    ]
    other = Finding("p.csv", "torn", "Copy it.")
    grouped = group_findings([*many, other])
    assert grouped[:3] == many[:3]
    assert grouped[3].place.endswith("column 'c7' and 113 more")
    assert grouped[3].finding == "118 more findings of the same kind, with other numbers or names"
    assert grouped[4:] == [other]
    with pytest.raises(DataError, match="122 findings in the data"):
        raise_findings([*many, other])


def test_three_of_a_kind_and_other_severities_stay_apart() -> None:
    three = [Finding(f"p{i}", "wrong", "Mend it.") for i in range(3)]
    notes = [Finding(f"p{i}", "wrong", "Mend it.", "note") for i in range(2)]
    assert group_findings([*three, *notes]) == [*three, *notes]


FLAG = Variable(label="Flag", type="category", codes={"0": "no", "1": "yes"})


@pytest.mark.parametrize(
    "raw", [["1", "0", ""], ["1.0", "0.0", ""], [1.0, 0.0, None], pd.array([1, 0, None], "Int64")]
)
def test_a_code_is_the_same_as_text_and_as_a_number(raw) -> None:
    parsed = parse_values(pd.Series(raw), FLAG)
    assert parsed.values.iloc[:2].tolist() == ["1", "0"]
    assert parsed.values.isna().tolist() == [False, False, True]
    assert not pd.notna(parsed.faults).any()


def test_a_code_that_is_written_with_zeros_is_itself() -> None:
    versions = Variable(label="Version", type="category", codes={"1": "first", "1.0": "second"})
    assert parse_values(pd.Series(["1.0", "1"]), versions).values.tolist() == ["1.0", "1"]
    assert pd.notna(parse_values(pd.Series(["01", "1.5", "1.00"]), FLAG).faults).tolist() == [
        True,
        True,
        False,
    ]
