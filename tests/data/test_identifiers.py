"""Identifiers compare alike whatever file format and type they were kept in."""

import numpy as np
import pandas as pd
import pyarrow
import pytest

from glabella.data.identifiers import format_ids, simplify_ids, write_ids

SAME = {
    "integers": pd.Series([1001, 1090]),
    "doubles": pd.Series([1001.0, 1090.0]),
    "single precision": pd.Series([1001.0, 1090.0], dtype="float32"),
    "nullable": pd.Series([1001, 1090], dtype="Int64"),
    "arrow": pd.Series([1001, 1090], dtype=pd.ArrowDtype(pyarrow.int32())),
    "decimals": pd.Series(
        pyarrow.array(["1001", "1090"]).cast(pyarrow.decimal128(9, 2)).to_pandas()
    ),
    "text": pd.Series(["1001", "1090"]),
    "text of doubles": pd.Series(["1001.0", "1090.00"]),
    "blanks around": pd.Series([" 1001", "1090\t"]),
    "mixed cells": pd.Series([1001.0, "1090"], dtype=object),
    "categories": pd.Series([1001.0, 1090.0]).astype("category"),
}


@pytest.mark.parametrize("kind", SAME)
def test_one_form_for_every_type(kind):
    assert format_ids(SAME[kind]).to_pylist() == ["1001", "1090"]
    assert write_ids(SAME[kind]).astype(object).tolist() == ["1001", "1090"]


@pytest.mark.parametrize("kind", SAME)
def test_a_missing_identifier_is_blank(kind):
    column = pd.concat([SAME[kind].astype(object), pd.Series([None])], ignore_index=True)
    assert format_ids(column).to_pylist()[2] == ""


def test_leading_zeros_capitals_and_real_decimals_are_kept():
    ids = ["007", "7", "a", "A", "1.10", "1.1", "0.0", "-3.0", "NA", "1e3"]
    assert format_ids(pd.Series(ids)).to_pylist() == [
        "007", "7", "a", "A", "1.10", "1.1", "0", "-3", "NA", "1e3",
    ]  # fmt: skip


def test_large_whole_numbers_have_no_exponent():
    assert format_ids(pd.Series([1e15, 20260101000123.0])).to_pylist() == [
        "1000000000000000",
        "20260101000123",
    ]
    assert format_ids(pd.Series([1e20, 0.5, np.nan])).to_pylist() == [
        "100000000000000000000",
        "0.5",
        "",
    ]


def test_accents_compare_in_their_composed_form():
    assert format_ids(pd.Series(["e\u0301", "\u00e9"])).to_pylist() == ["\u00e9", "\u00e9"]


def test_loosened_identifiers_agree_where_spreadsheets_change_them():
    assert simplify_ids(["007", "P 01", "p01", "0", "", "000"]) == ["7", "p01", "p01", "0", "", "0"]
