"""A source's codes, units and labels become the dictionary's or are refused: no guesses."""

import pandas as pd
import pytest

from glabella.data.checks import RowsError
from glabella.data.dictionary import Dictionary, Variable
from glabella.data.mapping.labels import NamedArm
from glabella.data.mapping.mapping import TrialSource, map_trial
from glabella.data.mapping.units import find_conversion
from glabella.data.reading.raw import RawTable
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
  grade_v: {label: Grade at visits, type: ordinal, range: [0, 99], timing: visit}
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


@pytest.mark.parametrize(
    "given", [["1", "2", ""], ["1.0", "2.0", ""], [1.0, 2.0, None], [1, 2, pd.NA]]
)
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
        "  List it among `codes:` of the source, or correct it."
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
    with pytest.raises(RowsError, match="by the file's label the value stands for something else"):
        load("{grade: g}", people(g=[0.0, 1.0]), {"g": {"0": "mild", "1": "none"}})


def test_a_label_of_nothing_known_changes_nothing() -> None:
    with pytest.raises(RowsError, match="is not one of the codes F, M"):
        load("{sex: s}", people(s=[1.0]), {"s": {"1": "unclear"}})


UNCLEAR = "the file's label of the value does not say what it stands for"


@pytest.mark.parametrize(
    ("entry", "values", "labels"),
    [
        ("age_years: a", [45, 88, 88], {"88": "not known"}),
        ("age_years: {column: a, unit: months}", [480, 999, 999], {"999": "not known"}),
        ("sex: a", ["F", "M", "M"], {"M": "Mann"}),
        ("grade: a", [0, 1, 1], {"0": "none", "1": "schwer"}),
        ("grade: a", [0, 3, 3], {"3": "not assessed"}),
    ],
    ids=["number", "unit", "category", "other_language", "grade"],
)
def test_what_a_labelled_value_stands_for_is_asked_for(entry, values, labels) -> None:
    with pytest.raises(RowsError) as caught:
        load(f"{{{entry}}}", people(a=values), {"a": labels})
    assert str(caught.value) == (
        f"p.csv, column 'a': 2 of 3 values: {UNCLEAR}\n"
        "  Say with `codes:` of the source what each labelled value stands for: a code, itself, "
        'or "" where it means missing.'
    )
    assert caught.value.rows is not None
    assert caught.value.rows["row"].tolist() == [2, 3]


@pytest.mark.parametrize(("meant", "expected"), [("", None), ("88", 88)])
def test_codes_settle_what_a_labelled_number_stands_for(meant, expected) -> None:
    entry = f'{{age_years: {{column: a, codes: {{"88": "{meant}"}}}}}}'
    ages = load(entry, people(a=[45, 88, 30]), {"a": {"88": "not known"}}).participants["age_years"]
    assert ages.astype(object).where(ages.notna(), None).tolist() == [45, expected, 30]


def test_a_grade_may_have_a_code_for_missing_and_stands_for_itself_otherwise() -> None:
    entry = '{grade: {column: g, codes: {"3": ""}}}'
    tables = load(entry, people(g=[0, 1, 2, 3]), {"g": {"0": "none", "3": "not done"}})
    assert tables.participants["grade"].fillna(-1).tolist() == [0, 1, 2, -1]


@pytest.mark.parametrize(
    ("entry", "values", "labels"),
    [
        ("age_years: a", [45, 50], {"45": "45", "99": "not known"}),
        ("grade: a", [0, 1], {"0": "0 = None", "1": "1. mild"}),
        ("sex: a", ["F", "M"], {"F": "F", "M": " MALE "}),
    ],
)
def test_labels_that_agree_or_that_nobody_has_change_nothing(entry, values, labels) -> None:
    found = load(f"{{{entry}}}", people(a=values), {"a": labels}).participants.iloc[:, -1]
    assert found.tolist() == values


LONG = """\
kind: holder
source:
  name: t
  participants: {file: p.sav, id: id, arm: treat, scale: rated}
  assessments:
    - {file: v.sav, id: id, WHAT, week: week, value: score}
"""
ARMS = (
    NamedArm(("bont", "1"), ("bont", "BoNT/A")),
    NamedArm(("placebo", "0"), ("placebo", "Placebo")),
)


def load_long(
    values: str, visits: pd.DataFrame, *, arms=ARMS, given=(1, 0), **labels: dict
) -> PatientTables:
    read = parse_definition(LONG.replace("WHAT", values), Holder, name="pipelines/t.yaml")
    participants = pd.DataFrame({"id": ["QQ1", "QQ2"], "treat": given, "rated": [1.0, 1.0]})
    raw = {
        "p.sav": RawTable(participants, value_labels={"rated": {"1": "MADRS"}, **labels}),
        "v.sav": RawTable(visits, value_labels=labels),
    }
    source, origin = read.value.source, read.origin
    return map_trial(
        source, raw, DICTIONARY, origin="real", written=origin, keys=("source",), arms=arms
    )


VALUES = pd.DataFrame(
    {"id": ["QQ1", "QQ1", "QQ2"], "week": [0, 4, 0], "score": [30, 12, 9], "what": [1, 1, 2]}
)


def test_a_long_files_labelled_value_is_asked_for_and_settled_by_codes() -> None:
    with pytest.raises(RowsError) as caught:
        load_long("variable: total", VALUES, score={"9": "not done"})
    assert f"1 of 3 values: {UNCLEAR}" in str(caught.value)
    tables = load_long('variable: total, codes: {"9": ""}', VALUES, score={"9": "not done"})
    assert tables.assessments["aval"].tolist() == [30, 12]
    assert tables.participants["scale"].tolist() == ["madrs", "madrs"]


def test_parameters_are_read_by_their_labels_and_each_ones_values_by_theirs() -> None:
    names = {"1": "Total", "2": "grade_v"}
    with pytest.raises(RowsError) as caught:
        load_long("parameter: what", VALUES, what=names, score={"12": "unsure"})
    assert str(caught.value).startswith(f"v.sav, column 'score': 1 of 2 values: {UNCLEAR}")
    assert caught.value.rows is not None
    assert caught.value.rows["row"].tolist() == [2]
    coded = 'parameter: what, codes: {"12": "12"}'
    tables = load_long(coded, VALUES, what=names, score={"12": "unsure"})
    assert sorted(tables.assessments["paramcd"]) == ["grade_v", "total", "total"]
    with pytest.raises(RowsError, match="by the file's label the value stands for something else"):
        load_long(
            'parameter: what, parameters: {total: "1", grade_v: "2"}',
            VALUES,
            what={"1": "2", "2": "1"},
        )


def test_weeks_that_their_labels_number_as_visits_are_refused() -> None:
    agreed = {"0": "Baseline", "4": "Week 4"}
    assert len(load_long("variable: total", VALUES, week=agreed).assessments) == 3
    with pytest.raises(RowsError, match=r"1 of 3 values.*\n  It may number visits"):
        load_long("variable: total", VALUES, week={"0": "Baseline", "4": "Week 8"})


@pytest.mark.parametrize(
    ("treat", "labels", "arms"),
    [
        ((1, 0), {"1": "BoNT/A", "0": "PLACEBO"}, ["1", "0"]),
        ((7, 8), {"7": "BoNT/A", "8": "placebo"}, ["bont", "placebo"]),
        (("bont", "0"), {}, ["bont", "0"]),
    ],
    ids=["agree", "by_label", "no_label"],
)
def test_arms_are_read_by_their_labels(treat, labels, arms) -> None:
    tables = load_long("variable: total", VALUES, given=treat, treat=labels)
    assert tables.participants["arm"].tolist() == arms


@pytest.mark.parametrize(
    ("labels", "finding"),
    [
        ({"1": "Placebo", "0": "BoNT/A"}, "by the file's label the value stands for something"),
        ({"1": "Vehicle", "0": "Verum"}, UNCLEAR),
    ],
)
def test_arms_whose_labels_deny_the_code_or_say_nothing_are_refused(labels, finding) -> None:
    with pytest.raises(RowsError, match=finding) as caught:
        load_long("variable: total", VALUES, treat=labels)
    assert "2 of 2 values" in str(caught.value)
    assert "List the label among `codes:` of the arm that it names" in str(caught.value)
    # Without declared arms nothing can be compared.
    assert load_long("variable: total", VALUES, arms=(), treat=labels).n == 2


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
        "4 assessments are of another period than the first and are excluded"
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
