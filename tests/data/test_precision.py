"""What a file keeps in single precision, or cut off, is read as the decimal that was written."""

import numpy as np
import pandas as pd
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glabella.data.cells import to_numbers, to_text
from glabella.data.precision import complete, convert_to_decimals

KINDS = {
    "float32": "float32",
    "float32 that may be missing": "Float32",
    "float32 of Arrow": pd.ArrowDtype(pyarrow.float32()),
    "float16": "float16",
}
DECIMALS = [16.1, 8.7, -3.3, 0.05]


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_numbers_of_single_precision_are_the_decimals_they_were_written_as(kind) -> None:
    raw = pd.Series([*DECIMALS, 23.0], dtype=kind)
    assert convert_to_decimals(raw).tolist() == [*DECIMALS, 23.0]
    assert to_numbers(raw).tolist() == [*DECIMALS, 23.0]
    assert to_text(raw).tolist() == ["16.1", "8.7", "-3.3", "0.05", "23"]


def test_categories_of_single_precision_are_decimals_too() -> None:
    raw = pd.Series([*DECIMALS, None, 16.1], dtype="float32").astype("category")
    assert convert_to_decimals(raw)[[0, 1, 2, 3, 5]].tolist() == [*DECIMALS, 16.1]
    assert to_text(raw).tolist() == ["16.1", "8.7", "-3.3", "0.05", "", "16.1"]


def test_gaps_infinities_and_whole_numbers_stay_what_they_are() -> None:
    wide = convert_to_decimals(
        pd.Series([np.nan, np.inf, -np.inf, 123456792.0, 0.0], dtype="float32")
    )
    assert wide.isna().tolist() == [True, False, False, False, False]
    assert wide[1:].tolist() == [np.inf, -np.inf, 123456792.0, 0.0]


def test_other_kinds_are_left_as_they_are() -> None:
    for raw in (pd.Series([1, 2]), pd.Series(["16.1"]), pd.Series([True]), pd.Series([[16.1]])):
        assert convert_to_decimals(raw) is raw


@pytest.mark.parametrize("written", ["16.100000381469727", "16.1000003814697", "16.10000038146973"])
def test_a_double_that_went_through_single_precision_is_its_decimal(written: str) -> None:
    assert to_numbers(pd.Series([written])).tolist() == [16.1]
    assert convert_to_decimals(pd.Series([float(written)])).tolist() == [16.1]


@given(st.decimals(0, 10_000, places=3))
def test_a_double_of_few_digits_is_itself(number) -> None:
    assert convert_to_decimals(pd.Series([float(number)])).tolist() == [float(number)]


def test_computed_doubles_are_themselves() -> None:
    numbers = np.random.default_rng(3).normal(25, 4, 100_000)
    assert (convert_to_decimals(pd.Series(numbers)).to_numpy() == numbers).all()


def cut_binary(numbers: np.ndarray, n_bytes: int) -> np.ndarray:
    kept = np.uint64((1 << 64) - (1 << (64 - 8 * n_bytes)))
    return (numbers.view(np.uint64) & kept).view(float)


def cut_mainframe(numbers: np.ndarray, n_bytes: int) -> np.ndarray:
    exponent = np.ceil(np.frexp(numbers)[1] / 4)
    size = 2.0 ** (8 * (n_bytes - 1))
    return np.trunc(numbers / 16.0**exponent * size) / size * 16.0**exponent


@pytest.mark.parametrize("n_bytes", [3, 4, 5, 6, 7])
def test_a_shortened_number_of_sas_is_the_decimal_that_was_shortened(n_bytes: int) -> None:
    places = 1 if n_bytes == 3 else 2
    numbers = np.round(np.random.default_rng(n_bytes).uniform(0.1, 200, 5000), places)
    short = pd.Series(cut_binary(numbers, n_bytes))
    assert (short != numbers).any()
    assert (complete(short, bits=8 * n_bytes - 12) == numbers).all()
    short = pd.Series(cut_mainframe(numbers, n_bytes))
    assert (complete(short, bits=8 * (n_bytes - 1), base=16) == numbers).all()


def test_a_number_of_which_too_much_was_cut_off_stays_as_kept() -> None:
    # 123.44 and 123.45 would both have been kept as this in three bytes.
    assert complete(pd.Series([123.4375, -123.4375, np.nan]), bits=12)[:2].tolist() == [
        123.4375,
        -123.4375,
    ]
