"""The form of a table is found from its values, and never guessed."""

import pandas as pd
import pytest

from glabella.bundle.forms import TableForm, TableLayout
from glabella.bundle.recognition import Candidate, find_table_layout, list_columns
from glabella.data.mapping.sources import VariableColumn
from glabella.errors import DataError


def _form(name, *, age="age", sex=None, unit=None, ids=("id",)):
    columns = {
        "age_years": VariableColumn(column=age, unit=unit),
        "sex": VariableColumn(column="sex", codes=sex or {}),
    }
    return TableForm(name=name, columns=columns, visits=(), ids=ids)


def _find(manifest, frame, *forms):
    names = tuple(frame.columns)
    return find_table_layout(
        [Candidate(TableLayout(form), lambda _: iter([frame]), names) for form in forms], manifest
    )


def _table(age, sex):
    return pd.DataFrame(
        {"id": [str(at) for at in range(len(age))], "age": age, "sex": sex}, dtype=str
    )


def test_values_that_only_one_form_can_read_decide(manifest):
    frame = _table(["30"] * 12, ["1", "2"] * 6)
    numbers = _form("numbers", sex={"1": "F", "2": "M"})
    found = _find(manifest, frame, _form("letters"), numbers)
    assert found.chosen.form.name == "numbers"
    assert [layout.form.name for layout in found.alike] == ["numbers"]


def test_a_table_with_different_meanings_in_two_forms_is_refused(manifest):
    frame = _table(["30"] * 12, ["1", "2"] * 6)
    one, other = _form("one", sex={"1": "F", "2": "M"}), _form("other", sex={"1": "M", "2": "F"})
    with pytest.raises(DataError, match="different meanings") as caught:
        _find(manifest, frame, one, other)
    assert "--form one or --form other" in str(caught.value)


def test_an_age_in_months_or_years_is_not_guessed_from_a_range(manifest):
    # 240 to 360 months are 20 to 30 years; as years they are outside the range.
    frame = _table([str(age) for age in range(240, 360, 10)], ["F"] * 12)
    found = _find(manifest, frame, _form("years"), _form("months", unit="months"))
    assert found.chosen.form.name == "months"


def test_among_forms_of_the_same_meaning_the_one_with_more_identifiers_is_chosen(manifest):
    frame = _table(["30"] * 3, ["F"] * 3).assign(site="a")
    found = _find(manifest, frame, _form("dictionary"), _form("clinic", ids=("site", "id")))
    assert found.chosen.form.name == "clinic"
    assert [layout.form.name for layout in found.alike] == ["clinic", "dictionary"]


def test_a_source_comes_before_the_dictionary_if_all_else_is_equal(manifest):
    frame = _table(["30"] * 3, ["F"] * 3)
    found = _find(manifest, frame, _form("dictionary"), _form("clinic"))
    assert found.chosen.form.name == "clinic"


def test_columns_are_listed_once():
    assert list_columns([_form("a"), _form("b", age="alter")]) == ("id", "age", "sex", "alter")
