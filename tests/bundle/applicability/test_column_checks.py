"""A column of which no value can be right is refused, and one wrong value is not."""

import pandas as pd
import pytest

from glabella.bundle.applicability.column_checks import ColumnCheck
from glabella.bundle.forms import TableLayout
from glabella.errors import DataError


@pytest.fixture
def check(manifest):
    return ColumnCheck(manifest, TableLayout(manifest.form))


def _table(age, sex):
    return pd.DataFrame(
        {"id": [str(at) for at in range(len(age))], "age": age, "geschlecht": sex}, dtype=str
    )


def test_a_column_in_another_coding_is_refused_in_words_that_say_so(check):
    assert not check.add(_table(["30"] * 10, ["F", "M"] * 5))
    assert check.is_wrong
    with pytest.raises(DataError) as caught:
        check.check_columns()
    assert (
        "each of the 10 values of the column 'geschlecht' is none of the codes 1, 2: its unit or "
        "coding looks wrong"
    ) in str(caught.value)


def test_one_right_value_in_a_later_batch_is_enough(check):
    assert not check.add(_table(["300"] * 20, ["1"] * 20))
    assert check.add(_table(["30"], ["1"]))
    assert not check.is_wrong
    check.check_columns()


def test_a_blank_column_is_not_called_wrong(check):
    assert not check.add(_table(["30"] * 20, [""] * 20))
    assert not check.is_wrong
    check.check_columns()


def test_fewer_than_ten_wrong_values_are_left_to_their_rows(check):
    check.add(_table(["300"] * 9, ["1"] * 9))
    assert check.is_wrong
    check.check_columns()
    check.add(_table(["300"], ["1"]))
    with pytest.raises(DataError, match="each of the 10 values of the column 'age'"):
        check.check_columns()


def test_a_label_that_contradicts_its_value_is_refused_at_once(manifest):
    labels = {"sex": {"F": "male", "M": "female"}}
    check = ColumnCheck(manifest, TableLayout(manifest.forms[1], labels))
    table = _table(["30"] * 3, ["F", "M", "F"])
    check.add(table.rename(columns={"age": "age_years", "geschlecht": "sex"}))
    with pytest.raises(DataError, match="3 values of the column 'sex'"):
        check.check_columns()
