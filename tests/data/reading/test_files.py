"""Files are read without interpretation, and what is no whole table is refused."""

import datetime
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet
import pyreadstat
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glabella.data.cells import to_text
from glabella.data.reading.files import READERS, read_table
from glabella.errors import DataError

# Invented; make_sas7bdat.R in tests/reference has them as well.
PEOPLE = pd.DataFrame(
    {
        "id": ["P-001", "P-002", "P-003"],
        "site": ["007", "010", ""],
        "name": ["Müller", "O'Neil", "Lee; Kim"],
        "age": [40.0, None, 41.5],
        "sex": [1.0, 2.0, None],
        "screened": [datetime.date(2020, 1, 2), None, datetime.date(1950, 3, 4)],
    }
)
LABELS = dict(
    zip(
        PEOPLE.columns,
        ["Participant", "Site", "Surname", "Age (years)", "Sex", "Day of screening"],
        strict=True,
    )
)
SEXES = {"sex": {1: "male", 2: "female"}}
AS_TEXT = {
    "id": ["P-001", "P-002", "P-003"],
    "site": ["007", "010", ""],
    "name": ["Müller", "O'Neil", "Lee; Kim"],
    "age": ["40", "", "41.5"],
    "sex": ["1", "2", ""],
    "screened": ["2020-01-02", "", "1950-03-04"],
}


def write_text(path: Path, delimiter: str, decimal: str) -> None:
    age = [cell.replace(".", decimal) for cell in AS_TEXT["age"]]
    pd.DataFrame({**AS_TEXT, "age": age}).to_csv(path, sep=delimiter, index=False)


def write_parquet(path: Path) -> None:
    table = pyarrow.Table.from_pandas(PEOPLE)
    fields = [field.with_metadata({"label": LABELS[field.name]}) for field in table.schema]
    pyarrow.parquet.write_table(table.cast(pyarrow.schema(fields)), path)


def write_labelled(writer: Callable[..., None], **how: object) -> Callable[[Path], None]:
    labels = list(LABELS.values())
    return lambda path: writer(PEOPLE, str(path), column_labels=labels, **how)


WRITERS: dict[str, Callable[[Path], object]] = {
    "comma.csv": lambda path: write_text(path, ",", "."),
    "semicolon.csv": lambda path: write_text(path, ";", ","),
    "bar.txt": lambda path: write_text(path, "|", "."),
    "tab.tsv": lambda path: write_text(path, "\t", ","),
    "people.parquet": write_parquet,
    "people.xlsx": lambda path: PEOPLE.to_excel(path, index=False),
    "v5.xpt": write_labelled(pyreadstat.write_xport, file_format_version=5),
    "v8.xpt": write_labelled(pyreadstat.write_xport, file_format_version=8),
    "people.sav": write_labelled(pyreadstat.write_sav, variable_value_labels=SEXES),
    "people.zsav": write_labelled(pyreadstat.write_sav, variable_value_labels=SEXES, compress=True),
    "people.dta": write_labelled(pyreadstat.write_dta, variable_value_labels=SEXES),
    "old.dta": write_labelled(pyreadstat.write_dta, variable_value_labels=SEXES, version=12),
}


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
    for name in ("visits.csv", "old.parquet", "notes.docx"):
        write(tmp_path, "x", name)
    path = tmp_path / "people.csv"
    assert str(refuse(path)) == (
        f"{path}: there is no such file\n"
        "  Check its name and folder; "
        f"{tmp_path} has old.parquet, visits.csv."
    )


def test_a_missing_file_in_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    assert str(refuse(tmp_path / "people.csv")).endswith(f"{tmp_path} has no table.")
    assert refuse(tmp_path / "nowhere" / "people.csv").finding == "there is no such file"


def test_a_folder_with_the_name_of_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "people.csv").mkdir()
    assert refuse(tmp_path / "people.csv").finding == "it is a folder"


@pytest.mark.parametrize("name", ["people.xls", "people.csv.gz", "people"])
def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, "id\n1\n", name)
    assert str(refuse(path)) == (
        f"{name}: a '{path.suffix}' file can't be read\n  Glabella reads .csv, .tsv, .txt, "
        ".parquet, .xlsx, .xlsm, .xpt, .sas7bdat, .sav, .zsav and .dta files."
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
        f"people.csv: the column '{name}' appears twice\n  Keep one, or rename the other."
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


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    error = refuse(write(tmp_path, "id,name\n1,Müller\n2,Größe\n".encode("cp1252")))
    assert str(error) == (
        "people.csv: the file is not UTF-8 text\n"
        "  Save it as UTF-8, or state what it is: `encoding: cp1252` seems likely."
    )


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
    assert refuse(path).finding == "the column 'id' appears twice"


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_participants_are_read_from_every_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    read = read_table(path)
    assert {column: to_text(read.frame[column]).tolist() for column in read.frame} == AS_TEXT
    has_labels = path.suffix not in (".csv", ".tsv", ".txt", ".xlsx")
    assert read.labels == (LABELS if has_labels else {})
    has_value_labels = path.suffix in (".sav", ".zsav", ".dta")
    assert read.value_labels == ({"sex": {"1": "male", "2": "female"}} if has_value_labels else {})


def test_the_same_participants_are_read_from_a_sas_file(checkout: Path) -> None:
    read = read_table(checkout / "tests/reference/participants.sas7bdat")
    assert {column: to_text(read.frame[column]).tolist() for column in read.frame} == AS_TEXT
    assert read.labels == LABELS


@pytest.mark.parametrize("name", WRITERS)
def test_chosen_columns_are_read_and_unknown_names_are_passed_over(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    read = read_table(path, columns=["sex", "weight", "id"])
    assert {column: to_text(read.frame[column]).tolist() for column in read.frame} == {
        "id": AS_TEXT["id"],
        "sex": AS_TEXT["sex"],
    }
    assert set(read.labels) | set(read.value_labels) <= {"id", "sex"}


@pytest.mark.parametrize("name", WRITERS)
def test_a_table_without_any_chosen_column_still_has_its_rows(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    assert read_table(path, columns=["weight"]).frame.shape == (3, 0)


@pytest.mark.parametrize("ending", READERS)
def test_a_file_of_no_bytes_is_refused(tmp_path: Path, ending: str) -> None:
    error = refuse(write(tmp_path, b"", f"people{ending}"))
    expected = "not a whole Parquet file" if ending == ".parquet" else "the file is empty"
    assert expected in error.finding


@pytest.mark.parametrize("name", WRITERS)
def test_a_table_of_every_format_without_rows_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    monkeypatch.setitem(globals(), "PEOPLE", PEOPLE.head(0))
    monkeypatch.setitem(globals(), "AS_TEXT", {column: [] for column in AS_TEXT})
    WRITERS[name](path)
    assert refuse(path).finding == "the table has a header and no rows"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "id\n1\n")
    path.chmod(0)
    assert refuse(path).finding == "the file can't be read: Permission denied"


# What the formats begin with, so that some of the bytes get past the first check.
STARTS = [
    b"",
    b"id,age\n",
    b"\xff\xfe",
    b"PK\x03\x04",
    b"PAR1",
    b"$FL2@(#) SPSS DATA FILE",
    b"$FL3",
    b"<stata_dta><header><release>118</release>",
    b"r\x02\x01\x00",
    b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000000000000000000000000000000  ",
    bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00\x09\xc7\x31\x8c",
]


@pytest.mark.parametrize("ending", READERS)
@given(start=st.sampled_from(STARTS), content=st.binary(max_size=400))
def test_random_bytes_are_refused_or_read_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, ending: str, start: bytes, content: bytes
) -> None:
    path = write(tmp_path_factory.getbasetemp(), start + content, f"random{ending}")
    try:
        read_table(path)
    except DataError as error:
        assert error.place is not None


# ReadStat, which reads SAS, SPSS and Stata files, is C and may end the process over a damaged byte.
@pytest.mark.parametrize(
    "name", [name for name in WRITERS if Path(name).suffix not in (".xpt", ".sav", ".zsav", ".dta")]
)
@given(at=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
# Of the Parquet file it is a date before all calendars.
@example(at=0.228515625, byte=0)
def test_a_damaged_byte_is_refused_or_read_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, name: str, at: float, byte: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / name
    if not path.exists():
        WRITERS[name](path)
    content = bytearray(path.read_bytes())
    content[int(at * len(content))] = byte
    try:
        read_table(write(folder, bytes(content), f"damaged{path.suffix}"))
    except DataError as error:
        assert error.place is not None


@pytest.mark.parametrize(
    "content",
    [
        "A01,bont,x\nA02,placebo,y\nA03,bont,z\n",
        "bont,F,yes\nplacebo,M,no\nbont,F,yes\n",
        "id;2020-01-31\na;2020-02-01\n",
        'Anna,"40,5"\nBert,"41,5"\n',
        "A01,1,1\nA02,0,1\n",
    ],
    ids=["shape", "repeated", "date", "decimal_comma", "twice"],
)
def test_a_first_row_of_data_is_no_header_and_is_not_shown(tmp_path: Path, content: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(content)
    with pytest.raises(DataError, match="so it is no header") as caught:
        read_table(path)
    assert str(caught.value).endswith("Write the names of the columns into the first row.")
    assert not any(cell in str(caught.value) for cell in ("A01", "bont", "2020", "Anna", "40,5"))


def test_a_header_may_name_one_of_its_own_codes(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("id,B12,arm\nA01,low,arm\nA02,high,\n")
    assert read_table(path).frame.columns.tolist() == ["id", "B12", "arm"]
