"""Columns of text as positions in a list of texts."""

import numpy as np

from glabella.bundle.coded import Coded


def test_each_row_has_its_text_even_if_a_text_occurs_twice_in_the_list():
    coded = Coded(("a", "b", "a"), np.array([2, 1, 0, 2])).to_arrow()
    assert coded.to_pylist() == ["a", "b", "a", "a"]
    assert coded.dictionary.to_pylist() == ["a", "b"]


def test_no_row_gives_an_empty_column():
    assert Coded(("a",), np.array([], dtype=int)).to_arrow().to_pylist() == []
