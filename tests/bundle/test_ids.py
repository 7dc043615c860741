"""Identifiers: those that occur again are found, exactly."""

import pandas as pd
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.bundle.ids import find_repeated, hash_ids, read_ids

TEXTS = st.lists(st.text(alphabet="aB0 é\x00", max_size=4), min_size=1, max_size=60)


@given(TEXTS)
def test_equal_texts_alone_have_equal_hashes(texts):
    ids = pyarrow.array(texts, pyarrow.large_string())
    pairs = list(zip(*(part.tolist() for part in hash_ids(ids)), strict=True))
    assert len(set(pairs)) == len(set(texts))
    again = hash_ids(pyarrow.concat_arrays([pyarrow.array(["x" * 9], ids.type), ids]).slice(1))
    assert list(zip(*(part.tolist() for part in again), strict=True)) == pairs


@given(TEXTS)
def test_repeated_ones_are_those_after_the_first(texts):
    found = find_repeated(pyarrow.array(texts, pyarrow.large_string()))
    assert found.tolist() == [text in texts[:at] for at, text in enumerate(texts)]


def test_parts_of_an_identifier_are_not_run_together():
    table = pd.DataFrame({"site": ["1", "11", " 1"], "person": ["12", "2", "12 "]})
    assert find_repeated(read_ids(table, ["site", "person"])).tolist() == [False, False, True]


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([7, None, 7], dtype="Int64"),
        pd.Series(["7", None, "7 "]),
        pd.Series([7, None, "7"], dtype=object),
    ],
)
def test_a_missing_identifier_is_blank(cells):
    ids = read_ids(pd.DataFrame({"id": cells}), ["id"]).to_pylist()
    assert ids[1] == ""
    assert ids[0] == ids[2]
