"""Identifiers: what stands twice is found, exactly, in memory that does not grow."""

import numpy as np
import pandas as pd
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.bundle.ids import find_doubled, hash_ids, read_ids
from glabella.scoring import doubles
from glabella.scoring.doubles import DoublesFinder

TEXTS = st.lists(st.text(alphabet="aB0 é\x00", max_size=4), min_size=1, max_size=60)


@given(TEXTS)
def test_equal_texts_alone_have_equal_hashes(texts):
    ids = pyarrow.array(texts, pyarrow.large_string())
    pairs = list(zip(*(part.tolist() for part in hash_ids(ids)), strict=True))
    assert len(set(pairs)) == len(set(texts))
    again = hash_ids(pyarrow.concat_arrays([pyarrow.array(["x" * 9], ids.type), ids]).slice(1))
    assert list(zip(*(part.tolist() for part in again), strict=True)) == pairs


@given(TEXTS)
def test_doubles_are_those_after_the_first(texts):
    found = find_doubled(pyarrow.array(texts, pyarrow.large_string()))
    assert found.tolist() == [text in texts[:at] for at, text in enumerate(texts)]


@pytest.mark.parametrize("held", [1_000_000, 50])
def test_batches_are_searched_together_whether_held_or_written_down(tmp_path, monkeypatch, held):
    monkeypatch.setattr(doubles, "_HELD_ROWS", held)
    draw = np.random.default_rng(3)
    texts = draw.integers(0, 400, 700).astype(str)
    expected = pd.Series(texts).duplicated().to_numpy()
    with DoublesFinder(tmp_path) as finder:
        for start in range(0, 700, 37):
            finder.add(pyarrow.array(texts[start : start + 37], pyarrow.large_string()))
        found = finder.find()
    assert found.take(0, 700).tolist() == expected.tolist()
    assert found.take(123, 50).tolist() == expected[123:173].tolist()
    assert list(tmp_path.iterdir()) == []


def test_parts_of_an_identifier_are_not_run_together():
    table = pd.DataFrame({"site": ["1", "11", " 1"], "person": ["12", "2", "12 "]})
    assert find_doubled(read_ids(table, ["site", "person"])).tolist() == [False, False, True]


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
