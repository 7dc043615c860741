"""A small file that would fill the memory, or take for ever, is refused with a message."""

import io
import time
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow
import pyarrow.parquet
import pyreadstat
import pytest

from glabella.data.reading import bounds, workbook
from glabella.data.reading.batches import open_batches
from glabella.data.reading.files import read_table
from glabella.errors import DataError

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def put(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


def row(number: object, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


HEADER = row(1, put("A1", "id"), put("B1", "age"))


def write_sheet(path: Path, rows: str, *, after: str = "", before: str = "") -> Path:
    """Write a workbook whose only sheet is the given XML."""
    made = io.BytesIO()
    openpyxl.Workbook().save(made)
    sheet = (
        f'{before}<worksheet xmlns="{NAMESPACE}"><sheetData>{rows}</sheetData>{after}</worksheet>'
    )
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            is_sheet = name == "xl/worksheets/sheet1.xml"
            new.writestr(name, sheet if is_sheet else old.read(name))
    return path


@pytest.mark.parametrize("number", [999_999_999, 1_048_577, 10**25])
def test_a_row_beyond_the_last_of_a_sheet_is_refused(tmp_path, number):
    path = write_sheet(tmp_path / "t.xlsx", HEADER + row(number, put(f"A{number}", "P1")))
    started = time.monotonic()
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value) == (
        "t.xlsx: sheet 'Sheet' has a cell beyond row 1,048,576 or column XFD, where Excel's sheets "
        "end\n  Copy the table's cells into a new workbook."
    )
    assert time.monotonic() - started < 10


def test_the_last_row_of_a_sheet_is_read(tmp_path):
    path = write_sheet(tmp_path / "t.xlsx", HEADER + row(1_048_576, put("A1048576", "P1")))
    assert read_table(path).frame["id"].tolist() == ["P1"]


@pytest.mark.parametrize("column", ["XFE", "ZZZ", "AAAAAAA"])
def test_a_column_beyond_the_last_of_a_sheet_is_refused(tmp_path, column):
    path = write_sheet(
        tmp_path / "t.xlsx", HEADER + row(2, put("A2", "P1"), put(f"{column}2", "x"))
    )
    with pytest.raises(DataError, match=r"column XFD|not a whole Excel workbook"):
        read_table(path)


def test_a_value_far_to_the_right_is_a_column_without_a_name(tmp_path):
    path = write_sheet(tmp_path / "t.xlsx", HEADER + row(2, put("A2", "P1"), put("XFD2", "x")))
    with pytest.raises(DataError, match="1 of 16384 columns have no name"):
        read_table(path)


def test_blank_cells_far_to_the_right_are_passed_over(tmp_path):
    rows = "".join(row(at, put(f"A{at}", f"P{at}"), f'<c r="XFD{at}"/>') for at in range(2, 60))
    frame = read_table(write_sheet(tmp_path / "t.xlsx", HEADER + rows)).frame
    assert frame.shape == (58, 2)


def test_a_sheet_of_nearly_nothing_but_blank_cells_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "_MOST_BLANK", 100_000)
    rows = "".join(row(at, put(f"A{at}", "P"), f'<c r="XFD{at}"/>') for at in range(2, 60))
    with pytest.raises(DataError, match="sheet 'Sheet' has more than 100,000 blank cells"):
        read_table(write_sheet(tmp_path / "t.xlsx", HEADER + rows))
    names = "".join(
        put(f"{openpyxl.utils.get_column_letter(at)}1", f"c{at}") for at in range(1, 9000)
    )
    rows = "".join(row(at, put(f"A{at}", "P")) for at in range(2, 60))
    with pytest.raises(DataError, match="the sheet has more than 100,000 blank cells"):
        read_table(write_sheet(tmp_path / "u.xlsx", row(1, names) + rows))


def test_merged_areas_of_a_whole_sheet_are_refused(tmp_path):
    merged = '<mergeCells count="1"><mergeCell ref="A3:XFD1048576"/></mergeCells>'
    path = write_sheet(tmp_path / "t.xlsx", HEADER + row(2, put("A2", "P1")), after=merged)
    with pytest.raises(DataError, match="its merged areas cover 17,179,836,416 cells"):
        read_table(path)


def test_entities_of_entities_are_refused(tmp_path):
    lines = "".join(f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">' for at in range(9))
    path = write_sheet(
        tmp_path / "t.xlsx",
        HEADER + row(2, put("A2", "&j;")),
        before=f'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">{lines}]>',
    )
    with pytest.raises(DataError, match="not a whole Excel workbook"):
        read_table(path)


def test_a_workbook_that_unpacks_to_far_more_is_refused(tmp_path):
    path = write_sheet(tmp_path / "t.xlsx", HEADER + row(2, put("A2", "x" * 150_000_000)))
    assert path.stat().st_size < 1_000_000
    with pytest.raises(DataError, match=r"unpacks to 150 MB, and for its size at most 100 MB"):
        read_table(path)


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "sav", "dta"])
def test_a_hundred_thousand_columns_are_refused(tmp_path, ending):
    names = [f"column{at}" for at in range(20_000 if ending != "csv" else 100_000)]
    path = tmp_path / f"wide.{ending}"
    if ending in {"csv", "tsv"}:
        sign = {"csv": ",", "tsv": "\t"}[ending]
        path.write_text(sign.join(names) + "\n" + sign.join("1" for _ in names) + "\n")
    elif ending == "parquet":
        pyarrow.parquet.write_table(pyarrow.table({name: [1] for name in names}), path)
    else:
        frame = pd.DataFrame({name: [1.0] for name in names})
        {"sav": pyreadstat.write_sav, "dta": pyreadstat.write_dta}[ending](frame, str(path))
    with pytest.raises(DataError, match=r"has (20|100),000 columns, and at most 16,384 are read"):
        read_table(path)


@pytest.mark.parametrize(
    "content", ["id," + "x" * 9_000_000 + "\n", 'id,age\n1,"' + "x" * 9_000_000]
)
def test_a_line_without_end_is_refused_without_its_content(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=r"a line has more than 8,000,000 characters") as caught:
        read_table(path)
    assert "xxx" not in str(caught.value)


def test_a_parquet_file_of_one_value_repeated_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    part = pyarrow.table({"id": pyarrow.array([1] * 1_000_000, pyarrow.int8())})
    with pyarrow.parquet.ParquetWriter(path, part.schema) as writer:
        for _ in range(30):
            writer.write_table(part)
    assert path.stat().st_size < 200_000
    for read in (read_table, lambda p: open_batches(p, choose=list, spool=tmp_path / "spool")):
        with pytest.raises(DataError, match="claims 30,000,000 rows of 1 columns"):
            read(path)


def test_a_long_word_repeated_in_a_parquet_file_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    words = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 100_000), ["x" * 1_000_000])
    table = pyarrow.table({"id": words, "n": list(range(100_000))})
    pyarrow.parquet.write_table(table, path, store_schema=False)
    assert path.stat().st_size < 3_000_000
    with pytest.raises(DataError, match="unpacks to 100,000 MB"):
        read_table(path)
    batches = open_batches(path, choose=list, spool=tmp_path / "spool")
    with pytest.raises(DataError, match="unpacks to"):
        next(batches.read(["id", "n"], rows=32_768))


def test_text_of_a_parquet_file_keeps_its_type(tmp_path):
    path = tmp_path / "t.parquet"
    table = pyarrow.table(
        {
            "id": pyarrow.array(["a", None, "b"], pyarrow.large_string()),
            "sex": pyarrow.array(["m", "f", None]).dictionary_encode(),
            "site": ["1", "1", ""],
        }
    )
    pyarrow.parquet.write_table(table, path)
    frame = read_table(path).frame
    assert frame["sex"].dtype == "category"
    assert frame["id"].isna().tolist() == [False, True, False]
    assert frame["site"].tolist() == ["1", "1", ""]


@pytest.mark.parametrize("ending", ["zsav", "dta"])
def test_a_statistical_file_of_few_bytes_and_many_rows_is_refused(tmp_path, ending, monkeypatch):
    monkeypatch.setattr(bounds, "_FEW_ROWS", 1_000)
    monkeypatch.setattr(bounds, "_MOST_ROWS_PER_BYTE", 0.01)
    path = tmp_path / f"t.{ending}"
    frame = pd.DataFrame({"a": [1.0] * 50_000})
    if ending == "dta":
        pyreadstat.write_dta(frame, str(path))
    else:
        pyreadstat.write_sav(frame, str(path), compress=True)
    with pytest.raises(DataError, match="claims 50,000 rows of 1 columns"):
        read_table(path)


def test_fifty_thousand_value_labels_are_read_in_time(tmp_path):
    path = tmp_path / "t.sav"
    labels = {float(at): f"municipality {at}" for at in range(50_000)}
    frame = pd.DataFrame({"town": [1.0, 2.0]})
    pyreadstat.write_sav(frame, str(path), variable_value_labels={"town": labels})
    started = time.monotonic()
    table = read_table(path)
    assert table.value_labels["town"]["49999"] == "municipality 49999"
    assert time.monotonic() - started < 5


def write_labelled(path: Path) -> bytes:
    """Write an SPSS file with labels of its third column."""
    frame = pd.DataFrame({"id": ["P1", "P2"], "a": [0.5, 1.5], "b": [0.0, 1.0]})
    pyreadstat.write_sav(frame, str(path), variable_value_labels={"b": {0.0: "no", 1.0: "yes"}})
    return path.read_bytes()


def find_labelled(content: bytes) -> int:
    """Find the record that says whose the labels are: of one variable, the third."""
    return content.index(b"\4\0\0\0\1\0\0\0\3\0\0\0")


@pytest.mark.parametrize("ending", ["sav", "zsav"])
@pytest.mark.parametrize(
    ("offset", "byte"),
    [
        # A position that is not there, none, that of a text, and a count beyond all variables.
        (9, 1), (8, 0), (8, 1), (8, 4), (4, 200), (7, 128),
    ],
)  # fmt: skip
def test_labels_of_a_variable_that_is_not_there_are_refused(tmp_path, ending, offset, byte):
    path = tmp_path / f"t.{ending}"
    content = bytearray(write_labelled(path))
    content[find_labelled(content) + offset] = byte
    path.write_bytes(content)
    with pytest.raises(DataError, match="this is not a whole SPSS file"):
        read_table(path)


def test_a_text_without_the_places_that_its_width_needs_is_refused(tmp_path):
    path = tmp_path / "t.sav"
    content = bytearray(write_labelled(path))
    assert content[176:184] == b"\2\0\0\0\2\0\0\0"
    content[180] = 75
    path.write_bytes(content)
    with pytest.raises(DataError, match="this is not a whole SPSS file"):
        read_table(path)


@pytest.mark.parametrize("ending", ["sav", "zsav"])
def test_a_column_without_a_name_is_refused(tmp_path, ending):
    path = tmp_path / f"t.{ending}"
    content = bytearray(write_labelled(path))
    at = content.index(b"A       ")
    content[at : at + 8] = bytes([0xFF, 0xFE, *b"      "])
    path.write_bytes(content)
    with pytest.raises(DataError):
        read_table(path)


@pytest.mark.parametrize("width", [1, 8, 9, 255, 256, 2_000])
def test_texts_of_every_width_with_labels_are_read(tmp_path, width):
    path = tmp_path / "t.sav"
    frame = pd.DataFrame({"t": ["x" * width, "y"], "u": ["a", "b"], "v": [1.0, 2.0]})
    labels = {"u": {"a": "first", "b": "second"}, "v": {1.0: "one"}}
    pyreadstat.write_sav(frame, str(path), variable_value_labels=labels)
    table = read_table(path)
    assert table.frame["t"].str.len().tolist() == [width, 1]
    assert table.value_labels["u"] == {"a": "first", "b": "second"}
