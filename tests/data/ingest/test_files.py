"""Files are read without interpretation, and what is no whole table is refused."""

import warnings
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from glabella.data.ingest.files import read_table
from glabella.errors import DataError


def write(folder: Path, content: str | bytes, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refuse(path: Path) -> DataError:
    # Outside the test suite a parser's warning is no error: it must not be what refuses.
    with warnings.catch_warnings(), pytest.raises(DataError) as caught:
        warnings.simplefilter("ignore")
        read_table(path)
    return caught.value


def test_cells_stay_the_text_they_are(tmp_path: Path) -> None:
    path = write(tmp_path, "id,country,x,y\n007,NO,NA,\n010,null,1e3,None\n")
    frame = read_table(path).frame
    assert frame.to_dict("list") == {
        "id": ["007", "010"],
        "country": ["NO", "null"],
        "x": ["NA", "1e3"],
        "y": ["", "None"],
    }


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfid,age\n01,5\n",
        b"id,age\r\n01,5\r\n",
        b'"id","age"\n"01","5"\n',
        b"id,age\n01,5",
        b"\n\nid,age\n01,5\n\n",
    ],
    ids=["byte_order_mark", "windows_line_ends", "quoted", "no_last_line_end", "blank_lines"],
)
def test_harmless_differences_between_csv_files_make_none(tmp_path: Path, content: bytes) -> None:
    assert read_table(write(tmp_path, content)).frame.to_dict("list") == {
        "id": ["01"],
        "age": ["5"],
    }


def test_a_quoted_cell_may_hold_a_comma_and_a_line_end(tmp_path: Path) -> None:
    frame = read_table(write(tmp_path, 'id,note\n1,"a, b\nc"\n')).frame
    assert frame["note"].tolist() == ["a, b\nc"]


def test_the_ending_may_be_in_capitals(tmp_path: Path) -> None:
    assert len(read_table(write(tmp_path, "id\n1\n", "PEOPLE.CSV")).frame) == 1


def test_a_missing_file_is_answered_with_the_tables_that_are_there(tmp_path: Path) -> None:
    for name in ("visits.csv", "old.parquet", "notes.txt"):
        write(tmp_path, "x", name)
    path = tmp_path / "people.csv"
    assert str(refuse(path)) == (
        f"{path}: there is no such file\n"
        "  Name the folder that holds it with `--data DIR`; "
        f"{tmp_path} has old.parquet, visits.csv."
    )


def test_a_missing_file_in_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    assert str(refuse(tmp_path / "people.csv")).endswith(f"{tmp_path} has no table.")
    assert refuse(tmp_path / "nowhere" / "people.csv").finding == "there is no such file"


def test_a_folder_with_the_name_of_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "people.csv").mkdir()
    assert refuse(tmp_path / "people.csv").finding == "there is no such file"


@pytest.mark.parametrize("name", ["people.xlsx", "people.csv.gz", "people"])
def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, "id\n1\n", name)
    assert str(refuse(path)) == (
        f"{name}: a '{path.suffix}' file can't be read\n  Glabella reads .csv and .parquet files."
    )


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    assert str(refuse(write(tmp_path, content))) == (
        "people.csv: the file is empty\n  Write a header and rows into it."
    )


@pytest.mark.parametrize("content", ["id,age\n", "id,age", "id\n\n"])
def test_a_header_without_rows_is_refused(tmp_path: Path, content: str) -> None:
    error = refuse(write(tmp_path, content))
    assert str(error) == ("people.csv: the table has a header and no rows\n  Give it at least one.")


@pytest.mark.parametrize("header", ["id,age,id", '"id",age,"id"', "age,age,age"])
def test_a_repeated_column_is_refused(tmp_path: Path, header: str) -> None:
    error = refuse(write(tmp_path, f"{header}\n1,2,3\n"))
    name = "id" if "id" in header else "age"
    assert str(error) == (
        f"people.csv: the column '{name}' stands twice\n  Keep one, or rename the other."
    )


def test_columns_with_the_names_of_missing_values_are_different_columns(tmp_path: Path) -> None:
    frame = read_table(write(tmp_path, "id,NA,null\n1,2,3\n")).frame
    assert frame.columns.tolist() == ["id", "NA", "null"]


@pytest.mark.parametrize(
    "rows",
    [
        "QQ1,40,F\nQQ2,41,F,QQX\n",
        "QQ1,40,F,QQX\nQQ2,41,F\n",
        "QQ1,40,F,QQX\nQQ2,41,F,QQX\n",
        "QQ1,40,F\nQQ2,41\n",
        "QQ1,40,F\nQQ2\n",
        'QQ1,40,F\n"QQ2,41,F\n',
    ],
    ids=[
        "a_later_row_too_long",
        "the_first_row_too_long",
        "every_row_too_long",
        "a_row_too_short",
        "a_file_cut_off",
        "a_quote_never_closed",
    ],
)
def test_ragged_rows_are_refused_without_quoting_one(tmp_path: Path, rows: str) -> None:
    error = refuse(write(tmp_path, "id,age,sex\n" + rows))
    assert "rows differ in their number of cells" in error.finding
    assert error.place == "people.csv"
    assert "QQ" not in str(error)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path, encoding: str) -> None:
    error = refuse(write(tmp_path, "id,name\n1,Müller\n".encode(encoding)))
    assert str(error) == "people.csv: the file is not UTF-8 text\n  Save it as UTF-8."


def test_bytes_that_are_not_utf_8_are_found_far_down_the_file(tmp_path: Path) -> None:
    rows = "id,name\n" + "1,Mueller\n" * 60_000
    error = refuse(write(tmp_path, rows.encode() + b"2,M\xfcller\n"))
    assert error.finding == "the file is not UTF-8 text"


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["007", "010"], "age": [40, 41], "x": [0.5, None]})
    path = tmp_path / "people.parquet"
    frame.to_parquet(path)
    pd.testing.assert_frame_equal(read_table(path).frame, frame)


def test_the_index_of_a_parquet_file_is_read_as_a_column(tmp_path: Path) -> None:
    # pandas stores a named index among the columns; every other reader sees a column there.
    path = tmp_path / "people.parquet"
    pd.DataFrame({"id": ["007"], "age": [40]}).set_index("id").to_parquet(path)
    assert set(read_table(path).frame.columns) == {"id", "age"}


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_parquet_file_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "people.parquet"
    pd.DataFrame({"id": ["a"] * 100}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:keep])
    assert (
        str(refuse(path)) == "people.parquet: this is not a whole Parquet file\n  Write it again."
    )


def test_text_in_a_parquet_file_is_refused(tmp_path: Path) -> None:
    assert "not a whole Parquet file" in str(refuse(write(tmp_path, "id\n1\n", "p.parquet")))


def test_a_parquet_file_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    pd.DataFrame({"id": pd.Series([], dtype=str)}).to_parquet(path)
    assert refuse(path).finding == "the table has a header and no rows"


def test_a_repeated_column_of_a_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    table = pyarrow.table([pyarrow.array(["a"]), pyarrow.array(["b"])], names=["id", "id"])
    pyarrow.parquet.write_table(table, path)
    assert refuse(path).finding == "the column 'id' stands twice"
