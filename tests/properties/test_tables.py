"""Whatever a table holds, it is read right or refused in a message that shows none of it."""

import csv
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glabella.data.dictionary import Dictionary
from glabella.data.mapping.mapping import TrialSource, read_trial
from glabella.definitions.reader import Definition, parse_definition
from glabella.errors import GlabellaError

DICTIONARY = parse_definition(
    """
kind: dictionary
description: x
variables:
  age_years: {label: Age, type: number, unit: years, range: [18, 95]}
  sex: {label: Sex, type: category, codes: {F: female, M: male}}
  country: {label: Country, type: category, codes: {"NO": Norway, SE: Sweden}}
  total: {label: Total, type: score, scale: hamd17, timing: visit}
""",
    Dictionary,
    name="features/dictionary.yaml",
).value


class Holder(Definition):
    kind: str
    source: TrialSource


SOURCE = parse_definition(
    """
kind: holder
source:
  name: t
  participants:
    {file: p.csv, id: id, arm: arm, variables: {age_years: age, sex: sex, country: country}}
  assessments:
    - {file: v.csv, id: id, variable: total, week: week, value: score}
""",
    Holder,
    name="pipelines/t.yaml",
)
CELL = st.one_of(
    st.sampled_from(["", "1", "007", "44", "F", "M", "NO", "SE", "-3", "1e400", "nan", "4,5", " "]),
    st.sampled_from(["2021-03-04", "=1+1", "TRUE", "inf", "0x1F", "٣", "１２", "1_000", "+5"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6),
)
NAMES = ("id", "arm", "age", "sex", "country")


def load(people, visits, folder: Path):
    for name, header, rows in (
        ("p.csv", NAMES, people),
        ("v.csv", ("id", "week", "score"), visits),
    ):
        with (folder / name).open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(header)
            writer.writerows(rows)
    return read_trial(
        SOURCE.value.source,
        folder,
        DICTIONARY,
        origin="real",
        written=SOURCE.origin,
        keys=("source",),
    )


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.lists(st.tuples(*[CELL] * 5), min_size=1, max_size=6),
    visits=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=6),
)
def test_any_cells_are_read_right_or_refused(tmp_path, people, visits):
    try:
        tables = load(people, visits, tmp_path)
    except GlabellaError as error:
        secrets = {cell for row in people for cell in row if len(cell) > 3 and not cell.isspace()}
        known = "there are nothing known codes row rows value values table column the file"
        for secret in secrets:
            if secret.isprintable() and secret.strip() == secret and secret not in known:
                assert f"'{secret}'" not in str(error)
        return
    assert tables.participants["usubjid"].is_unique
    assert tables.participants["age_years"].dropna().between(18, 95).all()
    assert set(tables.participants["sex"].dropna()) <= {"F", "M"}
    assert set(tables.participants["country"].dropna()) <= {"NO", "SE"}
    assert tables.assessments["aval"].between(0, 52).all()
    assert len(tables.participants) == len(people)
    assert set(tables.assessments["usubjid"]) <= set(tables.participants["usubjid"])


@given(
    ages=st.lists(st.one_of(st.none(), st.integers(18, 95)), min_size=1, max_size=8),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sound_cells_are_what_they_were(tmp_path, ages):
    people = [
        (f"00{index}", "x", "" if age is None else str(age), "F", "NO")
        for index, age in enumerate(ages)
    ]
    tables = load(people, [("000", "0", "20"), ("000", "6", "10")], tmp_path)
    assert tables.participants["usubjid"].tolist() == [row[0] for row in people]
    read = [None if pd.isna(age) else int(age) for age in tables.participants["age_years"]]
    assert read == ages
    assert tables.participants["country"].tolist() == ["NO"] * len(ages)
