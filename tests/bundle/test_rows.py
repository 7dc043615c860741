"""Features and faults of each row, by the first fault in each."""

import numpy as np
import pandas as pd

from glabella.bundle.forms import TableLayout
from glabella.bundle.rows import count_faults_by_column, read_baseline, read_rows, read_scales


def _table(**columns):
    plain = {"site": ["a"] * 4, "id": list("1234"), "age": ["30"] * 4, "geschlecht": ["1"] * 4}
    return pd.DataFrame({**plain, **columns}, dtype=str)


def test_codes_of_the_form_become_those_of_the_dictionary(manifest):
    rows = read_rows(_table(geschlecht=["1", "2", "", "2"]), manifest)
    assert rows.usable.all()
    assert rows.features["sex"].tolist()[:2] == ["F", "M"]
    assert rows.features["sex"].isna().tolist() == [False, False, True, False]
    assert rows.features["age_years"].tolist() == [30.0] * 4


def test_each_row_has_its_first_fault_and_the_others_none(manifest):
    rows = read_rows(
        _table(id=["1", "1", "", "4"], age=["", "200", "30", "30"],
               geschlecht=["1", "F", "1", "F"]), manifest
    )  # fmt: skip
    # The second is of the same site and identifier as the first, and its age is wrong too.
    assert rows.faults.tolist() == [
        "age is missing",
        "id is in an earlier row too",
        "id is blank",
        "geschlecht is none of the codes 1, 2",
    ]
    assert not rows.usable.any()


def test_the_same_identifier_at_another_site_is_another_participant(manifest):
    rows = read_rows(_table(site=list("abcd"), id=["1"] * 4), manifest)
    assert rows.usable.all()


def test_repeated_participants_can_be_stated_for_a_part_of_a_table(manifest):
    stated = np.array([False, False, True, False])
    rows = read_rows(_table(), manifest, repeated=stated)
    assert rows.usable.tolist() == (~stated).tolist()


def test_a_baseline_is_read_in_the_dictionarys_codes_and_blank_if_faulty(manifest):
    layout = TableLayout(manifest.form)
    ages = read_baseline(_table(age=["30", "300", "", "x"]), "age_years", manifest, layout)
    assert ages.tolist()[0] == 30.0
    assert ages.isna().tolist() == [False, True, True, True]


def test_no_scale_is_read_if_no_total_depends_on_one(manifest):
    assert read_scales(_table(), manifest, TableLayout(manifest.form)) is None


def test_filled_and_wrong_cells_are_counted_by_column(manifest):
    table = _table(age=["30", "300", "", "x"], geschlecht=["F", "M", "", "1"])
    age, sex = count_faults_by_column(table, manifest, TableLayout(manifest.form))
    assert (age.column, age.filled, age.wrong) == ("age", 3, 2)
    assert (sex.column, sex.filled, sex.wrong) == ("geschlecht", 3, 2)
    assert sex.kind == "is none of the codes 1, 2"
