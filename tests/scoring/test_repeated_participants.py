"""Participants who occur again are found in a table of any size."""

import numpy as np
import pandas as pd
import pyarrow
import pytest

from glabella.errors import DataError
from glabella.scoring import repeated_participants
from glabella.scoring.repeated_participants import RepeatedRows, RepeatFinder


@pytest.mark.parametrize("held", [1_000_000, 50])
def test_batches_are_searched_together_in_memory_or_in_files(tmp_path, monkeypatch, held):
    monkeypatch.setattr(repeated_participants, "_HELD_ROWS", held)
    draw = np.random.default_rng(3)
    texts = draw.integers(0, 400, 700).astype(str)
    expected = pd.Series(texts).duplicated().to_numpy()
    with RepeatFinder(tmp_path) as finder:
        for start in range(0, 700, 37):
            finder.add(pyarrow.array(texts[start : start + 37], pyarrow.large_string()))
        found = finder.find()
    assert found.select_part(0, 700).tolist() == expected.tolist()
    assert found.select_part(123, 50).tolist() == expected[123:173].tolist()
    assert list(tmp_path.iterdir()) == []


def test_a_table_without_rows_has_no_repeated_row(tmp_path):
    with RepeatFinder(tmp_path) as finder:
        found = finder.find()
    assert found.select_part(0, 0).tolist() == []
    found.check_count(0)


def test_a_table_that_had_other_rows_the_second_time_is_refused():
    rows = RepeatedRows(np.packbits([False, True, False]), 3)
    rows.check_count(3)
    assert rows.select_part(1, 2).tolist() == [True, False]
    with pytest.raises(DataError, match="had 3 rows, and 4 when it was read again"):
        rows.check_count(4)
