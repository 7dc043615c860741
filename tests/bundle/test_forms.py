"""Which form a table's columns fit, and which columns are read in it."""

import pytest

from glabella.bundle.forms import ItemColumns, TableForm, VisitColumn, find_form, find_forms
from glabella.data.mapping.sources import VariableColumn
from glabella.errors import DataError

AGE = VariableColumn(column="age")


def _form(name="one", **more):
    return TableForm(**{"name": name, "columns": {"age_years": AGE}, "visits": (), "ids": ("id",),
                        **more})  # fmt: skip


def _visit(column, *, is_needed):
    return VisitColumn(column=column, variable="total", week=2.0, is_needed=is_needed)


def test_needed_and_optional_columns_are_kept_apart():
    form = _form(
        ids=("site", "id"),
        visits=(_visit("w2", is_needed=True), _visit("w3", is_needed=False)),
        earlier=(_visit("w-1", is_needed=False),),
        items={
            "total": (
                ItemColumns(week=0.0, columns={"i1": VariableColumn(column="q1")}, is_needed=True),
                ItemColumns(week=-1.0, columns={"i": VariableColumn(column="p1")}, is_needed=False),
            )
        },
        scale_column="scale",
    )  # fmt: skip
    assert form.needed_columns == ("id", "age", "q1", "w2", "scale")
    assert form.optional_columns == ("w-1", "w3", "p1")
    assert form.read_columns == ("site", "id", "age", "q1", "w2", "scale", "w-1", "w3", "p1")
    assert form.variables == ("age_years", "total")
    assert form.find_missing(["age", "id", "w2"]) == ["q1", "scale"]
    assert form.list_ids(["id", "age"]) == ["id"]


@pytest.mark.parametrize(
    ("more", "same"),
    [
        ({"ids": ("site", "id"), "arm_column": "arm"}, True),
        ({"columns": {"age_years": VariableColumn(column="age", unit="months")}}, False),
        ({"columns": {"age_years": VariableColumn(column="age", codes={"999": ""})}}, False),
        ({"weeks": {"age_years": -1.0}}, False),
        ({"scale": "bdi"}, False),
    ],
)
def test_forms_have_the_same_meaning_unless_values_would_be_read_differently(more, same):
    assert _form().has_same_meaning(_form("other", **more)) is same
    assert _form("other", **more).has_same_meaning(_form()) is same


def test_all_fitting_forms_are_found_and_else_the_nearest_is_named():
    near = _form("near", scale_column="scale")
    far = _form("far", columns={"age_years": VariableColumn(column="alter")}, scale_column="s")
    assert find_forms(["id", "age"], [_form(), near]) == (_form(),)
    assert find_forms(["id", "age", "scale"], [_form(), near]) == (_form(), near)
    with pytest.raises(DataError, match="lacks the column 'scale'") as caught:
        find_forms(["id", "age", "scales"], [near, far])
    assert "'near' is the nearest" in str(caught.value)
    assert "'scales'" in str(caught.value)


def test_a_named_form_alone_is_considered():
    near = _form("near", scale_column="scale")
    with pytest.raises(DataError, match="lacks the column 'scale'"):
        find_forms(["id", "age"], [_form(), near], "near")
    with pytest.raises(DataError, match="no form 'nere'") as caught:
        find_form([_form(), near], "nere")
    assert "'near'" in str(caught.value)
