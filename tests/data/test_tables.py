"""The hash of the data: any value changes it, and where the values were read from does not."""

import numpy as np
import pandas as pd
import pytest

from glabella.data.tables import PatientTables, hash_tables


def make_tables() -> PatientTables:
    return PatientTables(
        participants=pd.DataFrame(
            {
                "studyid": ["A", "A", "B"],
                "usubjid": ["1", "2", "1"],
                "arm": ["x", "y", "x"],
                "age_years": [40.0, np.nan, 60.5],
                "sex": pd.Series(["F", None, "M"], dtype=object),
            }
        ),
        assessments=pd.DataFrame(
            {
                "studyid": ["A", "A", "B"],
                "usubjid": ["1", "2", "1"],
                "paramcd": ["t", "t", "t"],
                "week": [0.0, 4.0, 0.0],
                "aval": [20.0, 10.0, 30.0],
            }
        ),
        origin="real",
    )


CELLS = [
    (name, row, column)
    for name in ("participants", "assessments")
    for column in getattr(make_tables(), name).columns
    for row in range(3)
]


@pytest.mark.parametrize(("name", "row", "column"), CELLS)
def test_any_single_value_changes_the_hash(name: str, row: int, column: str) -> None:
    tables = make_tables()
    before = hash_tables(tables)
    frame = getattr(tables, name)
    value = frame.loc[row, column]
    is_number = frame[column].dtype == float
    frame.loc[row, column] = (
        np.nextafter(0.0 if pd.isna(value) else value, 99) if is_number else "Q"
    )
    assert hash_tables(tables) != before


@pytest.mark.parametrize(("name", "row", "column"), CELLS)
def test_any_value_that_goes_missing_changes_the_hash(name: str, row: int, column: str) -> None:
    tables = make_tables()
    frame = getattr(tables, name)
    if pd.isna(frame.loc[row, column]):
        frame.loc[row, column] = 0.0 if frame[column].dtype == float else "None"
    before = hash_tables(tables)
    frame.loc[row, column] = None
    assert hash_tables(tables) != before


def test_equal_tables_have_equal_hashes_of_64_digits() -> None:
    assert hash_tables(make_tables()) == hash_tables(make_tables())
    assert len(hash_tables(make_tables())) == 64


def test_the_order_of_the_columns_and_the_row_labels_make_no_difference() -> None:
    tables = make_tables()
    turned = PatientTables(
        participants=tables.participants[tables.participants.columns[::-1]].set_axis(
            [7, 8, 9], axis=0
        ),
        assessments=tables.assessments[tables.assessments.columns[::-1]],
        origin="real",
    )
    assert hash_tables(turned) == hash_tables(tables)


def test_how_text_and_missing_values_are_stored_makes_no_difference() -> None:
    tables = make_tables()
    stored = PatientTables(
        participants=tables.participants.astype(
            {"studyid": "category", "arm": "string", "sex": "string", "age_years": "Float64"}
        ),
        assessments=tables.assessments,
        origin="real",
    )
    assert hash_tables(stored) == hash_tables(tables)


def test_a_row_more_or_in_another_place_changes_the_hash() -> None:
    tables = make_tables()
    fewer = PatientTables(tables.participants, tables.assessments.iloc[:2], "real")
    turned = PatientTables(tables.participants, tables.assessments.iloc[::-1], "real")
    assert len({hash_tables(tables), hash_tables(fewer), hash_tables(turned)}) == 3


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"a": ["x"], "b": ["y"]}, {"a": ["xby"]}),
        ({"a": ["1"]}, {"a1": [""]}),
        ({"a": ["x", "y"]}, {"a": ["x\x1fy"]}),
    ],
    ids=["columns_run_together", "name_and_value_run_together", "the_separator_in_a_value"],
)
def test_different_tables_whose_text_runs_together_alike_have_different_hashes(
    one: dict[str, list[str]], two: dict[str, list[str]]
) -> None:
    empty = make_tables().assessments
    hashes = {hash_tables(PatientTables(pd.DataFrame(x), empty, "real")) for x in (one, two)}
    assert len(hashes) == 2
