"""Totals from items: the rule for missing ones, recorded totals, scales, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.data.dictionary import Dictionary
from glabella.data.tables import PatientTables
from glabella.data.totals import derive_total_without, derive_totals
from glabella.definitions.reader import parse_definition
from glabella.errors import DefinitionError

# Ten items of 0 to 6 make the 60 points of the MADRS.
ITEMS = [f"item_{number}" for number in range(1, 11)]


def make_dictionary(at_most: int = 2, **scales: Any) -> Dictionary:
    own = {"scale": "madrs"} | scales
    total = {"items": tuple(ITEMS), "missing_at_most": at_most}
    if own["scale"] == "by_trial":
        total["scale"] = "madrs"
    score = {"label": "Total", "type": "score", "timing": "visit", "total": total, **own}
    items = {
        name: {"label": name, "type": "ordinal", "range": (0, 6), "timing": "visit"}
        for name in ITEMS
    }
    return Dictionary.model_validate(
        {"kind": "dictionary", "description": "x", "variables": {"total": score, **items}}
    )


def make_tables(
    answers: dict[tuple[str, float], list[float | None]],
    totals: dict[tuple[str, float], float] | None = None,
    **columns: Any,
) -> PatientTables:
    rows = [
        ("t", who, item, week, float(grade))
        for (who, week), grades in answers.items()
        for item, grade in zip(ITEMS, grades, strict=True)
        if grade is not None
    ]
    rows += [("t", who, "total", week, value) for (who, week), value in (totals or {}).items()]
    people = list(dict.fromkeys(who for who, _ in [*answers, *(totals or {})]))
    return PatientTables(
        participants=pd.DataFrame({"studyid": "t", "usubjid": people, **columns}),
        assessments=pd.DataFrame(rows, columns=["studyid", "usubjid", "paramcd", "week", "aval"]),
        origin="real",
    )


def read_totals(tables: PatientTables) -> dict[tuple[str, float], float]:
    rows = tables.assessments[tables.assessments["paramcd"] == "total"]
    return {(who, week): value for who, week, value in rows[["usubjid", "week", "aval"]].to_numpy()}


def test_items_add_up_and_missing_ones_get_the_share_of_the_others() -> None:
    tables = make_tables(
        {
            ("whole", 0.0): [2] * 10,
            ("whole", 4.0): [1] * 10,
            ("one_less", 0.0): [3, 3, 3, 3, 3, 0, 0, 0, 0, None],
            ("two_less", 0.0): [6] * 8 + [None, None],
            ("three_less", 0.0): [6] * 7 + [None] * 3,
        }
    )
    derived = derive_totals(tables, make_dictionary())
    assert read_totals(derived) == {
        ("whole", 0.0): 20,
        ("whole", 4.0): 10,
        ("one_less", 0.0): pytest.approx(15 * 10 / 9),
        ("two_less", 0.0): 60,
    }
    [note] = derived.findings
    assert (note.severity, note.finding) == (
        "note",
        "4 totals were made from items, 2 of them with up to 2 items missing; 1 visits have more "
        "missing and no total",
    )


def test_a_recorded_total_stays_and_a_disagreement_is_counted() -> None:
    tables = make_tables(
        {("a", 0.0): [2] * 10, ("b", 0.0): [2] * 10, ("c", 0.0): [2] * 9 + [None]},
        {("a", 0.0): 20.0, ("b", 0.0): 23.0, ("c", 0.0): 25.0, ("d", 0.0): 30.0},
    )
    derived = derive_totals(tables, make_dictionary())
    assert read_totals(derived) == read_totals(tables)
    [warning] = derived.findings
    assert warning.severity == "warn"
    assert warning.finding.startswith("at 1 visits the items add up to another total than the")


def test_items_of_one_scale_make_no_total_on_another() -> None:
    tables = make_tables({("a", 0.0): [2] * 10, ("b", 0.0): [2] * 10}, scale=["madrs", "hamd17"])
    derived = derive_totals(tables, make_dictionary(scale="by_trial"))
    assert read_totals(derived) == {("a", 0.0): 20}


def test_tables_without_items_are_left_as_they_are() -> None:
    tables = make_tables({}, {("a", 0.0): 20.0})
    assert derive_totals(tables, make_dictionary()) is tables


def test_keys_that_are_categories_serve_as_well() -> None:
    tables = make_tables({("a", 0.0): [2] * 10, ("b", 0.0): [1] * 10})
    packed = PatientTables(
        tables.participants,
        tables.assessments.astype(dict.fromkeys(["studyid", "usubjid", "paramcd"], "category")),
        "real",
    )
    assert read_totals(derive_totals(packed, make_dictionary())) == read_totals(
        derive_totals(tables, make_dictionary())
    )


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.integers(0, 6)), min_size=10, max_size=10),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 9),
)
def test_totals_equal_a_plain_loop(grades: list[list[int | None]], at_most: int) -> None:
    answers = {(f"p{number}", 0.0): list(row) for number, row in enumerate(grades)}
    wanted = {}
    for key, row in answers.items():
        known = [grade for grade in row if grade is not None]
        if known and len(row) - len(known) <= at_most:
            wanted[key] = pytest.approx(10 * sum(known) / len(known))
    found = read_totals(derive_totals(make_tables(answers), make_dictionary(at_most)))
    assert found == wanted
    assert all(0 <= value <= 60 + 1e-9 for value in found.values())


def test_a_total_without_an_item_is_of_the_others() -> None:
    tables = make_tables(
        {("a", 0.0): [5] + [1] * 9, ("b", 0.0): [None] + [1] * 9, ("c", 0.0): [5, None] + [1] * 8},
        {("a", 0.0): 14.0},
    )
    rows = derive_total_without(tables, make_dictionary(1), "total", ["item_1"])
    assert dict(zip(rows["usubjid"], rows["aval"], strict=True)) == {"a": 9, "b": 9, "c": 9}
    strict = derive_total_without(tables, make_dictionary(0), "total", ["item_1"])
    assert list(strict["usubjid"]) == ["a", "b"]


HEAD = "kind: dictionary\ndescription: x\nvariables:\n"
ITEM = "{label: I, type: ordinal, range: [0, 30], timing: visit}\n"


@pytest.mark.parametrize(
    ("total", "finding"),
    [
        ("{items: [i]}", "must have at least 2 entries"),
        ("{items: [i, i]}", "the item 'i' appears twice"),
        ("{items: [i, k]}", "has an item 'k' that the dictionary lacks"),
        ("{items: [i, b]}", "the item 'b' of 't' needs a `range` and `timing: visit`"),
        ("{items: [i, s]}", "add up to 0 to 35, and Montgomery-Asberg .* goes from 0 to 60"),
        ("{items: [i, j], missing_at_most: 2}", "must leave at least one item"),
        ("{items: [i, j], missing_at_most: -1}", "must be at least 0"),
        ("{items: [i, j], scale: madrs}", "where the trial decides the variable's, and only there"),
        ("{items: [i, j], scale: mardas}", "there is no scale 'mardas'"),
    ],
)
def test_an_impossible_total_is_refused(total: str, finding: str) -> None:
    text = (
        f"{HEAD}  t: {{label: T, type: score, scale: madrs, timing: visit, total: {total}}}\n"
        f"  i: {ITEM}  j: {ITEM}  s: {{label: S, type: ordinal, range: [0, 5], timing: visit}}\n"
        "  b: {label: B, type: ordinal, range: [0, 30]}\n"
    )
    with pytest.raises(DefinitionError, match=finding):
        parse_definition(text, Dictionary, name="d.yaml")


def test_what_is_no_score_at_visits_has_no_items() -> None:
    text = f"{HEAD}  t: {{label: T, type: number, range: [0, 60], total: {{items: [i, j]}}}}\n"
    with pytest.raises(DefinitionError, match="a `total` of items is of a score with `timing:"):
        parse_definition(text, Dictionary, name="d.yaml")


def test_a_million_answers_are_added_in_seconds() -> None:
    n = 100_000
    random = np.random.default_rng(1)
    people = np.char.add("p", np.arange(n).astype(str))
    rows = pd.DataFrame(
        {
            "studyid": "t",
            "usubjid": np.tile(people, 10),
            "paramcd": np.repeat(ITEMS, n),
            "week": 0.0,
            "aval": random.integers(0, 7, 10 * n).astype(float),
        }
    )
    tables = PatientTables(pd.DataFrame({"studyid": "t", "usubjid": people}), rows, "real")
    derived = derive_totals(tables, make_dictionary())
    assert len(derived.assessments) == 11 * n
    wanted = rows["aval"].to_numpy().reshape(10, n).sum(axis=0)
    np.testing.assert_array_equal(derived.assessments["aval"].to_numpy()[10 * n :], wanted)
