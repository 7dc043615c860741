"""A workbook is read as what its cells show, and refused where they don't show the whole."""

import datetime
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from glabella.data.reading.files import read_table
from glabella.data.reading.raw import RawTable, ReadOptions
from glabella.errors import DataError


def make(rows: Sequence[Sequence[object]], title: str = "people") -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(list(row))
    return book


def save(folder: Path, book: openpyxl.Workbook, name: str = "people.xlsx") -> Path:
    path = folder / name
    book.save(path)
    return path


def edit_sheet(path: Path, pattern: str, replacement: str) -> Path:
    """Change the XML of the first sheet, as other programs would have written it."""
    content = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                changed, count = re.subn(pattern, replacement, part.decode())
                assert count
                part = changed.encode()
            new.writestr(name, part)
    path.write_bytes(content.getvalue())
    return path


def read(path: Path, sheet: str | None = None) -> RawTable:
    return read_table(path, ReadOptions(sheet=sheet))


def refuse(path: Path, sheet: str | None = None) -> DataError:
    with pytest.raises(DataError) as caught:
        read(path, sheet)
    return caught.value


def test_cells_keep_their_types(tmp_path: Path) -> None:
    noon = datetime.datetime(2020, 1, 2, 12, 30)
    day = datetime.datetime(1999, 12, 31)
    book = make(
        [
            ["site", "age", "treated", "day", "time", "mixed", "blank"],
            ["007", 40, True, day, noon, "40", None],
            [None, 41.5, None, None, None, 40, None],
            ["NO", None, False, day, noon, True, None],
        ]
    )
    frame = read(save(tmp_path, book, "people.xlsm")).frame
    assert frame["site"].tolist() == ["007", "", "NO"]
    assert frame["age"].tolist()[:2] == [40, 41.5]
    assert frame["age"].dtype == float
    assert frame["treated"].dtype == "boolean"
    assert frame["day"].tolist() == [day.date(), None, day.date()]
    assert frame["time"].iloc[0] == noon
    assert frame["mixed"].tolist() == ["40", 40, True]
    assert frame["blank"].tolist() == ["", "", ""]


def test_blank_rows_and_formatted_blank_columns_are_passed_over(tmp_path: Path) -> None:
    book = make([[], ["id", "age"], ["a", 40], [], ["b", 41]])
    book.active["D9"].number_format = "0.00"
    assert read(save(tmp_path, book)).frame.to_dict("list") == {"id": ["a", "b"], "age": [40, 41]}


def test_the_index_of_pandas_is_passed_over_and_other_columns_without_a_name_are_refused(
    tmp_path: Path,
) -> None:
    path = save(tmp_path, make([[None, "id"], [0, "a"], [1, "b"]]))
    assert read(path).frame.to_dict("list") == {"id": ["a", "b"]}
    path = save(tmp_path, make([[None, "id"], ["x", "a"], ["y", "b"]]))
    assert "1 of 2 columns have no name: the first" in refuse(path).finding


def test_a_sheet_of_several_must_be_stated(tmp_path: Path) -> None:
    book = make([["id"], ["a"]])
    book.create_sheet("visits").append(["visit"])
    book["visits"].append(["baseline"])
    path = save(tmp_path, book)
    assert str(refuse(path)) == (
        "people.xlsx: the workbook has 2 sheets\n"
        "  State one of them as `sheet:`. There are: people, visits."
    )
    assert read(path, "visits").frame.to_dict("list") == {"visit": ["baseline"]}
    assert str(refuse(path, "visit")) == (
        "people.xlsx: there is no sheet 'visit'\n"
        "  Did you mean 'visits'? There are: people, visits."
    )


def test_formulas_without_values_are_counted_and_refused(tmp_path: Path) -> None:
    path = save(tmp_path, make([["id", "age"], ["a", "=40+1"], ["b", "=40+2"]]))
    assert str(refuse(path)) == (
        "people.xlsx: 2 formulas of sheet 'people' have no value: the program that wrote them did "
        "not compute them\n  Open the workbook in Excel and save it."
    )


def test_a_sheet_of_formulas_without_values_is_not_called_empty(tmp_path: Path) -> None:
    path = save(tmp_path, make([["=1+1"]]))
    assert "1 formulas of sheet 'people' have no value" in refuse(path).finding


@pytest.mark.parametrize("prefix", ["", "x:"])
def test_formulas_with_values_are_read_as_these(tmp_path: Path, prefix: str) -> None:
    path = save(tmp_path, make([["id", "age", "note"], ["a", "=40+1", '=""']]))
    edit_sheet(path, r"<f>40\+1</f><v ?/>", "<f>40+1</f><v>41</v>")
    # Excel gives a formula whose value is blank text a type of its own.
    edit_sheet(path, r'(<c r="C2")(><f>""</f>)<v ?/>', r'\1 t="str"\2<v></v>')
    if prefix:
        edit_sheet(path, r"<(/?)(\w)", r"<\1x:\2")
        edit_sheet(path, r"xmlns=", "xmlns:x=")
    assert read(path).frame.to_dict("list") == {"id": ["a"], "age": [41], "note": [""]}


def test_error_cells_are_counted_and_refused(tmp_path: Path) -> None:
    path = save(tmp_path, make([["id", "age"], ["a", "#N/A"], ["b", "#REF!"]]))
    assert refuse(path).finding == "2 cells of sheet 'people' hold an error such as #N/A"


def test_text_that_looks_like_an_error_or_a_formula_is_text(tmp_path: Path) -> None:
    book = make([["id", "note"], ["a", "x"]])
    for row, text in ((2, "#N/A"), (3, "=40+1")):
        book.active.cell(row, 2).value = text
        book.active.cell(row, 2).data_type = "s"
    assert read(save(tmp_path, book)).frame["note"].tolist() == ["#N/A", "=40+1"]


@pytest.mark.parametrize("area", ["A1:B1", "A1:A2", "A2:A3"])
def test_merged_cells_are_refused(tmp_path: Path, area: str) -> None:
    book = make([["id", "age"], ["a", 40], ["b", 41]])
    book.active.merge_cells(area)
    error = refuse(save(tmp_path, book))
    assert error.finding == "sheet 'people' has 1 areas of merged cells"


def test_merged_cells_of_another_sheet_do_no_harm(tmp_path: Path) -> None:
    book = make([["id"], ["a"]])
    book.create_sheet("notes").merge_cells("A1:B1")
    assert read(save(tmp_path, book), "people").frame["id"].tolist() == ["a"]


@pytest.mark.parametrize(
    ("header", "finding"),
    [
        (["id", None, "age"], "1 of 3 columns have no name"),
        (["id", "age", "id"], "the column 'id' appears twice"),
        (["id", 40, "age"], "the first row holds a number or a date, so it is no header"),
        (["id", "40", "age"], "the first row holds a number or a date, so it is no header"),
        (
            ["id", datetime.date(2020, 1, 2), "x"],
            "the first row holds a number or a date, so it is no header",
        ),
        (["A title of the table"], "2 of 3 columns have no name"),
    ],
)
def test_a_header_that_names_no_columns_is_refused(
    tmp_path: Path, header: list[object], finding: str
) -> None:
    assert refuse(save(tmp_path, make([header, ["a", 1, 2]]))).finding == finding


def test_an_empty_sheet_and_a_header_alone_are_refused(tmp_path: Path) -> None:
    assert refuse(save(tmp_path, make([]))).finding == "the file is empty"
    path = save(tmp_path, make([["id", "age"]]))
    assert refuse(path).finding == "the table has a header and no rows"


def test_a_day_before_the_calendar_is_an_error_cell(tmp_path: Path) -> None:
    book = make([["id", "day"], ["a", -1e9]])
    book.active["B2"].number_format = "yyyy-mm-dd"
    assert "hold an error" in refuse(save(tmp_path, book)).finding


def make_zip(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as parts:
        for name, part in members.items():
            parts.writestr(name, part)
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"id,age\na,40\n",
        make_zip({}),
        make_zip({"people.csv": b"id\na\n"}),
        make_zip({"[Content_Types].xml": b"<Types"}),
        make_zip({"[Content_Types].xml": b"<Types/>"}),
    ],
    ids=["text", "zip_of_nothing", "zip_of_a_table", "broken_xml", "no_parts"],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "people.xlsx"
    path.write_bytes(content)
    assert str(refuse(path)) == (
        "people.xlsx: this is not a whole Excel workbook\n"
        "  Open it in Excel and save it as .xlsx again."
    )


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_workbook_cut_off_is_refused(tmp_path: Path, part: float) -> None:
    path = save(tmp_path, make([["id"], ["a"]]))
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    assert refuse(path).finding == "this is not a whole Excel workbook"


def test_an_old_or_locked_workbook_is_refused_by_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    assert "old Excel workbook (.xls), or one that a password locks" in refuse(path).finding
