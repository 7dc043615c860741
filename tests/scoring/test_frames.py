"""Partitions of a frame: their form is not guessed, and they are the same when read again."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from glabella.bundle.forms import TableForm
from glabella.data.mapping.sources import VariableColumn
from glabella.errors import DataError
from glabella.scoring import frames


def _form(name, **more):
    columns = {"age_years": VariableColumn(column="age", **more)}
    return TableForm(name=name, columns=columns, visits=(), ids=("id",))


def test_forms_with_different_meanings_are_not_guessed_from_columns():
    manifest = SimpleNamespace(forms=(_form("years"), _form("months", unit="months")))
    with pytest.raises(DataError, match="fit several forms: 'years', 'months'"):
        frames._find_layout(["id", "age"], manifest, None)
    assert frames._find_layout(["id", "age"], manifest, "months").form.name == "months"
    alike = SimpleNamespace(forms=(_form("one"), _form("other")))
    assert frames._find_layout(["id", "age"], alike, None).form.name == "one"


def test_identifiers_are_transferred_as_they_are():
    frame = pd.DataFrame({"site": ["1", "11"], "id": ["12", "2"]})
    ids = frames._restore_ids(frames._export_ids(frame, ["site", "id"]))
    assert len(ids) == 2 and len(set(ids.to_pylist())) == 2
    alone = frames._restore_ids(frames._export_ids(frame, ["id"]))
    assert alone.to_pylist() == ["12", "2"]


def test_a_partition_with_other_rows_is_not_scored():
    def score(frame, repeated):
        return frame

    frame = pd.DataFrame({"id": ["a", "b"]})
    assert frames._score_checked(score, frame, np.zeros(2, dtype=bool)) is frame
    with pytest.raises(DataError, match="different rows when it was read again"):
        frames._score_checked(score, frame, np.zeros(3, dtype=bool))


def test_columns_of_scores_have_their_kinds_in_spark():
    meta = pd.DataFrame(
        {
            "response_probability": pd.Series(dtype=float),
            "in_domain": pd.Series(dtype=object),
            "count": pd.Series(dtype=int),
            "error": pd.Series(dtype=object),
        }
    )
    assert frames._describe_schema(meta) == (
        "`response_probability` double, `in_domain` boolean, `count` bigint, `error` string"
    )
