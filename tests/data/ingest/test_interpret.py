"""A source's codes, units and labels become the dictionary's or are refused: no guesses."""

import pandas as pd
import pytest

from glabella.data.checks import RowsError
from glabella.data.dictionary import Dictionary, Variable
from glabella.data.ingest.mapping import TrialSource, map_trial
from glabella.data.ingest.raw import RawTable
from glabella.data.ingest.units import find_conversion
from glabella.data.tables import PatientTables
from glabella.definitions.reader import Definition, parse_definition
from glabella.errors import DefinitionError

DICTIONARY = parse_definition(
    """
kind: dictionary
description: x
variables:
  age_years: {label: Age, type: number, unit: years, range: [18, 95]}
  weight_kg: {label: Weight, type: number, unit: kg, range: [20, 300]}
  warmth: {label: Temperature, type: number, unit: degC, range: [30, 45]}
  sex: {label: Sex, type: category, codes: {F: female, M: male}}
  grade: {label: Grade, type: ordinal, range: [0, 3], codes: {"0": none, "1": mild}}
  total: {label: Total, type: score, scale: madrs, timing: visit}
""",
    Dictionary,
    name="features/dictionary.yaml",
).value


class Holder(Definition):
    kind: str
    source: TrialSource


def load(variables: str, people: pd.DataFrame, labels: dict | None = None) -> PatientTables:
    text = (
        "kind: holder\nsource:\n  name: t\n  participants:\n    file: p.csv\n    id: id\n"
        f"    variables: {variables}\n"
    )
    read = parse_definition(text, Holder, name="pipelines/t.yaml")
    raw = {"p.csv": RawTable(people, value_labels=labels or {})}
    return map_trial(
        read.value.source, raw, DICTIONARY, origin="real", written=read.origin, keys=("source",)
    )


def people(**columns: list) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"id": [f"QQ{k}" for k in range(n)], **columns})


@pytest.mark.parametrize("given", [["1", "2", ""], [1.0, 2.0, None], [1, 2, pd.NA]])
def test_codes_are_translated_whatever_the_type_of_the_file(given) -> None:
    tables = load('{sex: {column: s, codes: {"1": M, "2": F}}}', people(s=given))
    assert tables.participants["sex"].iloc[:2].tolist() == ["M", "F"]
    assert tables.participants["sex"].isna().tolist() == [False, False, True]


def test_a_code_may_mean_missing() -> None:
    tables = load('{sex: {column: s, codes: {"1": M, "9": ""}}}', people(s=["1", "9"]))
    assert tables.participants["sex"].isna().tolist() == [False, True]


def test_a_code_that_is_not_listed_is_refused_even_if_the_dictionary_has_it() -> None:
    with pytest.raises(RowsError) as caught:
        load('{sex: {column: s, codes: {"1": M, "2": F}}}', people(s=["1", "F", "7"]))
    assert str(caught.value) == (
        "p.csv, column 's': 2 of 3 values: each is none of the codes 1, 2\n"
        "  List it among `codes:` of the source, or mend it."
    )
    assert caught.value.rows is not None
    assert caught.value.rows["row"].tolist() == [2, 3]


def test_a_code_for_what_the_dictionary_lacks_is_refused_at_its_line() -> None:
    with pytest.raises(DefinitionError, match=r"t.yaml:7: 'W' is no code of 'Sex'"):
        load('{sex: {column: s, codes: {"1": W}}}', people(s=["1"]))


@pytest.mark.parametrize("numbers", [[220.462, 110.231], ["220.462", "110.231"]])
def test_units_are_converted(numbers) -> None:
    tables = load("{weight_kg: {column: w, unit: lb}}", people(w=numbers))
    assert tables.participants["weight_kg"].tolist() == pytest.approx([100, 50], rel=1e-5)


def test_units_with_another_zero_are_converted() -> None:
    tables = load("{warmth: {column: w, unit: degF}}", people(w=[98.6, None]))
    assert tables.participants["warmth"].iloc[0] == pytest.approx(37)
    assert tables.participants["warmth"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("entry", "given", "expected"),
    [
        ("age_years: {column: w, unit: months}", 216, 18.0),
        ("age_years: {column: w, unit: days}", 18627.75, 51.0),
        ("warmth: {column: w, unit: degF}", 98.6, 37.0),
        ("weight_kg: {column: w, unit: g}", 70100, 70.1),
    ],
)
@pytest.mark.parametrize("form", [float, str])
def test_a_converted_value_has_no_stray_digits(entry, given, expected, form) -> None:
    # 216 months as 17.999... years would fall out of trials of adults.
    tables = load(f"{{{entry}}}", people(w=[form(given), form(given)]))
    assert tables.participants.iloc[:, -1].tolist() == [expected, expected]


def test_a_small_factor_keeps_its_digits() -> None:
    hormone = Variable(
        label="Hormone", type="number", unit="mol/l", range=(0, 1), timing="baseline"
    )
    factor, offset = find_conversion("fmol/l", hormone, place="t.yaml")
    assert (factor, offset) == (1e-15, 0.0)


def test_of_a_number_a_code_may_mean_missing() -> None:
    tables = load('{age_years: {column: a, codes: {"999": ""}}}', people(a=[45, 999, None]))
    assert tables.participants["age_years"].isna().tolist() == [False, True, True]
    assert tables.participants["age_years"].iloc[0] == 45


def test_a_code_for_missing_is_read_before_the_unit() -> None:
    tables = load(
        '{age_years: {column: a, unit: months, codes: {"9": ""}}}', people(a=["480", "9"])
    )
    assert tables.participants["age_years"].iloc[0] == 40
    assert tables.participants["age_years"].isna().tolist() == [False, True]


def test_a_unit_beside_codes_that_say_more_than_missing_is_refused() -> None:
    with pytest.raises(DefinitionError, match="beside a `unit`, `codes` can only say what means"):
        load('{age_years: {column: a, unit: months, codes: {"9": "40"}}}', people(a=["480"]))


def test_the_range_is_checked_after_conversion() -> None:
    with pytest.raises(RowsError, match="1 of 2 values: each is outside 18 to 95 years"):
        load("{age_years: {column: a, unit: months}}", people(a=[480, 48]))


def test_text_among_numbers_is_refused_after_conversion_too() -> None:
    with pytest.raises(RowsError, match="1 of 2 values: each is not a number"):
        load("{age_years: {column: a, unit: months}}", people(a=["480", "old"]))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("weight_kg: {column: w, unit: cm}", "'cm' and 'kg' measure different things"),
        ("weight_kg: {column: w, unit: stonez}", "is no unit that can be converted"),
        ("weight_kg: {column: w, unit: kg/}", "is no unit that can be converted"),
        ("weight_kg: {column: w, unit: kg)}", "is no unit that can be converted"),
        ("weight_kg: {column: w, unit: (}", "is no unit that can be converted"),
        ("weight_kg: {column: w, unit: '\"'}", "is no unit that can be converted"),
        ("sex: {column: w, unit: kg}", "'Sex' is no number, so it has no unit"),
    ],
)
def test_a_unit_that_can_not_be_converted_is_refused(entry: str, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        load(f"{{{entry}}}", people(w=["1"]))


@pytest.mark.parametrize("words", [{"1": "Male", "2": "female"}, {"1": "M", "2": "F"}])
def test_a_files_own_value_labels_say_what_a_code_means(words) -> None:
    tables = load("{sex: s}", people(s=[1.0, 2.0]), {"s": words})
    assert tables.participants["sex"].tolist() == ["M", "F"]


def test_a_label_that_contradicts_the_dictionary_is_refused() -> None:
    with pytest.raises(RowsError, match="label of the value is the dictionary's of another code"):
        load("{grade: g}", people(g=[0.0, 1.0]), {"g": {"0": "mild", "1": "none"}})


def test_a_label_of_nothing_known_changes_nothing() -> None:
    with pytest.raises(RowsError, match="is not one of the codes F, M"):
        load("{sex: s}", people(s=[1.0]), {"s": {"1": "unclear"}})


CROSSOVER = """\
kind: holder
source:
  name: t
  design: crossover
  periods: PERIODS
  participants: {file: p.csv, id: id, arms: {1: first, 2: second}}
  assessments:
    - {file: v.csv, id: id, variable: total, period: period, week: week, value: score}
"""
PEOPLE = pd.DataFrame({"id": ["1", "2", "3"], "first": ["a", "b", "a"], "second": ["b", "a", ""]})
VISITS = pd.DataFrame(
    {
        "id": ["1", "1", "1", "1", "2", "2", "2", "2", "3"],
        "period": [1, 1, 2, 2, 1, 1, 2, 2, 1],
        "week": [0, 4, 0, 4, 0, 4, 0, 4, 0],
        "score": [30, 20, 28, 10, 31, 21, 29, 11, 32],
    }
)


def load_crossover(periods: str, visits: pd.DataFrame = VISITS) -> PatientTables:
    read = parse_definition(CROSSOVER.replace("PERIODS", periods), Holder, name="pipelines/t.yaml")
    raw = {"p.csv": RawTable(PEOPLE), "v.csv": RawTable(visits)}
    return map_trial(
        read.value.source, raw, DICTIONARY, origin="real", written=read.origin, keys=("source",)
    )


def test_a_crossover_contributes_its_first_period_unless_stated() -> None:
    tables = load_crossover("first")
    assert tables.participants["usubjid"].tolist() == ["1", "2", "3"]
    assert tables.participants["arm"].tolist() == ["a", "b", "a"]
    assert tables.assessments["aval"].tolist() == [30, 20, 31, 21, 32]
    assert "person" not in tables.participants
    assert [item.finding for item in tables.findings] == [
        "4 assessments are of another period than the first and are left aside"
    ]


def test_all_periods_give_a_row_each_and_keep_the_person() -> None:
    tables = load_crossover("all")
    people = tables.participants
    assert people["person"].tolist() == ["1", "2", "3", "1", "2"]
    assert people["arm"].tolist() == ["a", "b", "a", "b", "a"]
    assert people["usubjid"].is_unique
    scores = tables.assessments.groupby("usubjid")["aval"].apply(list).to_dict()
    assert scores["1/1"] == [30, 20]
    assert scores["1/2"] == [28, 10]
    assert any("took no arm in a period that counts" in item.finding for item in tables.findings)


def test_a_period_without_an_arm_is_refused() -> None:
    with pytest.raises(RowsError, match="1 rows name a period that has no arm"):
        load_crossover("all", VISITS.assign(period=[3, *VISITS["period"][1:]]))
