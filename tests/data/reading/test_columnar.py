"""Parquet keeps its types, and gives what was asked for in little memory."""

import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from glabella.data.cells import to_numbers, to_text
from glabella.data.reading.batches import open_batches
from glabella.data.reading.files import read_table
from glabella.errors import DataError


def write(folder: Path, table: pyarrow.Table, **how: int) -> Path:
    path = folder / "people.parquet"
    pyarrow.parquet.write_table(table, path, **how)
    return path


def test_text_stays_text_and_blanks_are_missing(tmp_path: Path) -> None:
    table = pyarrow.table({"id": [f"P-{i}" for i in range(100)], "visit": ["baseline", None] * 50})
    frame = read_table(write(tmp_path, table, row_group_size=30)).frame
    assert frame["id"].dtype == "str"
    assert frame["visit"].isna().sum() == 50
    assert frame["id"].tolist() == table["id"].to_pylist()


def test_days_and_truth_values_stay_what_they_are(tmp_path: Path) -> None:
    table = pyarrow.table({"day": [datetime.date(2020, 1, 2)], "treated": [True]})
    frame = read_table(write(tmp_path, table)).frame
    assert frame["day"].tolist() == [datetime.date(2020, 1, 2)]
    assert frame["treated"].tolist() == [True]


def test_the_order_of_the_file_is_kept_whatever_order_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, pyarrow.table({"id": ["a"], "age": [40], "sex": ["F"]}))
    assert read_table(path, columns=["sex", "id"]).frame.columns.tolist() == ["id", "sex"]


def test_a_column_may_be_named_by_a_number_but_not_by_a_blank(tmp_path: Path) -> None:
    table = pyarrow.table([["a"], ["b"]], names=["40", "id"])
    assert read_table(write(tmp_path, table)).frame.columns.tolist() == ["40", "id"]
    with pytest.raises(DataError, match="1 of 2 columns have no name"):
        read_table(write(tmp_path, pyarrow.table([["a"], ["b"]], names=[" ", "id"])))


def test_a_name_of_a_column_that_is_no_unicode_is_a_damaged_file(tmp_path: Path) -> None:
    path = write(tmp_path, pyarrow.table({"column_one": ["a"]}))
    path.write_bytes(path.read_bytes().replace(b"column_one", b"col\xffmn_one"))
    with pytest.raises(DataError, match="this is not a whole Parquet file"):
        read_table(path)


SINGLE = {
    "float32": pyarrow.array([23.0, 16.1, 8.7, None], pyarrow.float32()),
    "float16": pyarrow.array([23.0, 16.1, 8.7, None], pyarrow.float16()),
    "dictionary": pyarrow.array([23.0, 16.1, 8.7, None], pyarrow.float32()).dictionary_encode(),
}


@pytest.mark.parametrize("cells", SINGLE.values(), ids=list(SINGLE))
def test_single_precision_is_read_as_the_decimals_that_were_written(
    tmp_path: Path, cells: pyarrow.Array
) -> None:
    path = write(tmp_path, pyarrow.table({"score": cells}))
    whole = read_table(path).frame["score"]
    batches = open_batches(path, choose=list, spool=tmp_path)
    for found in (whole, next(batches.read(["score"], rows=9))["score"]):
        assert found[:3].tolist() == [23.0, 16.1, 8.7]
        assert found.isna().tolist() == [False, False, False, True]


def test_decimals_of_a_database_are_numbers_and_text_without_needless_places(
    tmp_path: Path,
) -> None:
    cells = [Decimal("16.10"), Decimal("7.00"), Decimal("700.00"), None, Decimal("0.00")]
    kind = pyarrow.decimal128(38, 2)
    frame = read_table(write(tmp_path, pyarrow.table({"a": pyarrow.array(cells, kind)}))).frame
    assert to_text(frame["a"]).tolist() == ["16.1", "7", "700", "", "0"]
    assert to_numbers(frame["a"])[[0, 1, 2, 4]].tolist() == [16.1, 7, 700, 0]
