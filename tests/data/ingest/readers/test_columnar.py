"""Parquet keeps its types, and gives what was asked for in little memory."""

import datetime
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from glabella.data.ingest.files import read_table
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
