"""Text is read exactly, and what the file leaves open is asked for and not guessed."""

import codecs
import csv
import io
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from glabella.data.cells import to_numbers
from glabella.data.reading import delimited
from glabella.data.reading.batches import open_batches
from glabella.data.reading.files import read_table
from glabella.data.reading.raw import ReadOptions
from glabella.errors import DataError


def write(folder: Path, content: str | bytes, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, **options: str) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = read_table(
        path, ReadOptions.model_validate(options)
    ).frame.to_dict("list")
    return columns


def refuse(path: Path, **options: str) -> DataError:
    with pytest.raises(DataError) as caught:
        read(path, **options)
    return caught.value


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + "id,name\n1,Müller\n".encode(),
        codecs.BOM_UTF16_LE + "id,name\n1,Müller\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "id,name\n1,Müller\n".encode("utf-16-be"),
    ],
    ids=["utf-8", "utf-16-le", "utf-16-be"],
)
def test_a_byte_order_mark_says_the_encoding(tmp_path: Path, content: bytes) -> None:
    assert read(write(tmp_path, content)) == {"id": ["1"], "name": ["Müller"]}


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "UTF-16-LE", "macroman"])
def test_a_stated_encoding_is_followed(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, "id,name\n1,Müller\n".encode(encoding))
    assert read(path, encoding=encoding) == {"id": ["1"], "name": ["Müller"]}


@pytest.mark.parametrize("encoding", ["cp12522", "base64", "", "a\0b"])
def test_an_unknown_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    error = refuse(write(tmp_path, "id\n1\n"), encoding=encoding)
    assert error.finding == f"'{encoding}' is no known encoding"


def test_an_encoding_that_the_byte_order_mark_contradicts_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, codecs.BOM_UTF8 + b"id\n1\n")
    assert read(path, encoding="utf-8") == {"id": ["1"]}
    assert str(refuse(path, encoding="cp1252")) == (
        "people.csv: its byte order mark says UTF-8, and `encoding: cp1252` another\n"
        "  Leave `encoding:` out."
    )


def test_a_file_that_is_not_of_its_stated_encoding_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, b"id,name\n1,M\x81ller\n")
    assert refuse(path, encoding="cp1252").finding == "the file is not cp1252 text"


def test_a_file_cut_within_a_character_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, codecs.BOM_UTF16_LE + "id,name\n1,Mü".encode("utf-16-le")[:-1])
    assert refuse(path).finding == "the file is not UTF-16 text"


@pytest.mark.parametrize("content", [b"id,x\n1,\0\n", "id,x\n1,2\n".encode("utf-16-le")])
def test_nul_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    assert "NUL bytes" in refuse(write(tmp_path, content)).finding


def test_line_ends_may_be_mixed(tmp_path: Path) -> None:
    path = write(tmp_path, b"id,age\r\n1,40\n2,41\r3,42")
    assert read(path) == {"id": ["1", "2", "3"], "age": ["40", "41", "42"]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", [".csv", ".txt"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, delimiter: str, ending: str) -> None:
    content = 'id_age_"a, b; c|d\te"\n1_40_x\n'.replace("_", delimiter)
    assert read(write(tmp_path, content, f"people{ending}")) == {
        "id": ["1"],
        "age": ["40"],
        "a, b; c|d\te": ["x"],
    }


def test_a_tsv_file_has_tabs_whatever_else_its_header_holds(tmp_path: Path) -> None:
    path = write(tmp_path, "id\tage, years; at baseline\n1\t40\n", "people.tsv")
    assert read(path) == {"id": ["1"], "age, years; at baseline": ["40"]}


def test_of_several_delimiters_in_the_header_the_one_that_fits_the_rows_is_taken(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "id;age, years|months\n1;40\n2;41\n")
    assert read(path) == {"id": ["1", "2"], "age, years|months": ["40", "41"]}


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        ("1;40,2\n", "the header holds several delimiters, and more than one gives rows of equal "),
        ("QQ1\n", "the header holds several delimiters, and none gives rows of equal "),
    ],
)
def test_a_delimiter_that_stays_open_is_asked_for(tmp_path: Path, rows: str, finding: str) -> None:
    path = write(tmp_path, "id;age,months\n" + rows)
    error = refuse(path)
    assert error.finding == finding + "width"
    assert "delimiter: ','" in str(error.remedy)


def test_a_stated_delimiter_is_followed(tmp_path: Path) -> None:
    path = write(tmp_path, "id;age,months\n1;40,2\n")
    assert read(path, delimiter=",") == {"id;age": ["1;40"], "months": ["2"]}


def test_one_column_is_a_table(tmp_path: Path) -> None:
    assert read(write(tmp_path, "id\n007\n010\n")) == {"id": ["007", "010"]}


def test_columns_without_a_name_are_refused(tmp_path: Path) -> None:
    assert str(refuse(write(tmp_path, "id,, \n1,2,3\n"))) == (
        "people.csv: 2 of 3 columns have no name\n  Name each column in the header."
    )


def test_decimal_commas_become_points_and_other_cells_stay(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "id;age;change;note;dates\n007;40,5;-3,25;a, b;1.2.2020\n008;41;+0,125;1,2,3;3.4.2020\n",
    )
    assert read(path) == {
        "id": ["007", "008"],
        "age": ["40.5", "41"],
        "change": ["-3.25", "+0.125"],
        "note": ["a, b", "1,2,3"],
        "dates": ["1.2.2020", "3.4.2020"],
    }


def test_quoted_decimal_commas_in_a_file_of_commas_become_points(tmp_path: Path) -> None:
    assert read(write(tmp_path, 'id,age\n1,"40,5"\n')) == {"id": ["1"], "age": ["40.5"]}


def test_numbers_with_commas_and_with_points_are_refused_until_the_sign_is_stated(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "id;age;version\nQ1;40,5;1.2\nQ2;41;1.3\n")
    assert str(refuse(path)) == (
        "people.csv: the column 'age' has numbers with a comma, the column 'version' numbers with "
        "a point, so the decimal sign is not certain\n"
        "  State it as `decimal: ','` or `decimal: '.'`."
    )
    assert read(path, decimal=",")["age"] == ["40.5", "41"]
    assert read(path, decimal=",")["version"] == ["1.2", "1.3"]
    assert read(path, decimal=".")["age"] == ["40,5", "41"]


def test_commas_that_may_be_thousands_are_refused_until_the_sign_is_stated(tmp_path: Path) -> None:
    path = write(tmp_path, "id;count\n1;1,250\n2;12,500\n")
    assert "may be a decimal sign or thousands" in refuse(path).finding
    assert read(path, decimal=",")["count"] == ["1.250", "12.500"]
    assert read(path, decimal=".")["count"] == ["1,250", "12,500"]


@pytest.mark.parametrize("rows", ["1;1,250\n2;0,500\n", "1;1,250\n2;0,5\n", "1;1234,250\n"])
def test_one_comma_that_is_no_sign_of_thousands_settles_it(tmp_path: Path, rows: str) -> None:
    columns = read(write(tmp_path, "id;count\n" + rows))
    assert not any("," in cell for cell in columns["count"])


def test_a_column_of_thousands_is_not_settled_by_another_columns_decimals(tmp_path: Path) -> None:
    path = write(tmp_path, "id;dose;ratio\n1;10,000;1,2\n2;500;0,8\n")
    error = refuse(path)
    assert error.finding.startswith("the column 'dose' has numbers with a comma")
    assert "write those without the sign" in str(error)


def test_points_that_may_be_thousands_are_asked_for_in_a_file_of_semicolons(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "id;dose\n1;10.000\n2;500\n")
    assert refuse(path).finding.startswith("the column 'dose' has numbers with a point")
    assert read(path, decimal=".")["dose"] == ["10.000", "500"]
    assert "the decimal sign is a comma" in refuse(path, decimal=",").finding
    assert read(write(tmp_path, "id,dose\n1,10.000\n", "commas.csv"))["dose"] == ["10.000"]
    decimals = write(tmp_path, "id;dose\n1;10.000\n2;0.500\n", "decimals.csv")
    assert read(decimals)["dose"] == ["10.000", "0.500"]


THOUSANDS = {
    "a day before its month beside it": "id,dose,day\n1,10.000,1.2.2020\n",
    "a number with both signs beside it": 'id,dose,count\n1,10.000,"1.234,5"\n',
    "a number with two points beside it": "id,dose,count\n1,10.000,1.234.567\n",
    "a percentage with a comma beside it": 'id,dose,share\n1,10.000,"12,5 %"\n',
    "a limit with a comma beside it": 'id,dose,crp\n1,10.000,"<0,5"\n',
    "a decimal comma beside it": 'id,dose,score\n1,10.000,"16,5"\n',
    "whole numbers without a point among them": "id,dose\n1,10.000\n2,500\n",
    "tabs, and no other number with a point": "id\tdose\n1\t10.000\n2\t12.500\n",
    "bars, and no other number with a point": "id|dose\n1|10.000\n2|12.500\n",
    "semicolons": "id;dose\n1;10.000\n",
}


@pytest.mark.parametrize("content", THOUSANDS.values(), ids=list(THOUSANDS))
def test_points_that_may_be_thousands_are_asked_for_where_the_file_leaves_doubt(
    tmp_path: Path, content: str
) -> None:
    path = write(tmp_path, content, "people.txt")
    error = refuse(path)
    assert "the column 'dose'" in error.finding
    assert "`decimal: '.'`" in str(error.remedy)
    assert read(path, decimal=".")["dose"][0] == "10.000"
    # In a batch the neighbour is not read, and still says what the point means.
    with pytest.raises(DataError, match="the column 'dose' has numbers with a point"):
        open_batches(path, choose=lambda _: ["id", "dose"], spool=tmp_path / "spool")


SETTLED = {
    "commas and no other sign": "id,dose\n1,10.000\n2,12.500\n",
    "another column with points": "id\tdose\tage\n1\t10.000\t44.5\n2\t12.500\t50.1\n",
    "a number that is no thousand": "id\tdose\n1\t10.000\n2\t0.500\n",
}


@pytest.mark.parametrize("content", SETTLED.values(), ids=list(SETTLED))
def test_points_are_decimal_signs_where_nothing_speaks_against_it(
    tmp_path: Path, content: str
) -> None:
    path = write(tmp_path, content, "people.txt")
    assert read(path)["dose"][0] == "10.000"
    table = open_batches(path, choose=lambda _: ["id", "dose"], spool=tmp_path / "spool")
    assert next(table.read(["dose"], rows=9))["dose"][0] == "10.000"


@pytest.mark.parametrize("dose", ["10 000", "10\u00a0000", "10\u202f000", "10'000", "1.234.567"])
def test_thousands_grouped_by_another_sign_are_no_smaller_number(tmp_path: Path, dose: str) -> None:
    path = write(tmp_path, f"id;dose\n1;{dose}\n")
    assert to_numbers(pd.Series(read(path)["dose"])).isna().all()


@pytest.mark.parametrize("ending", ["xlsx", "sav", "dta", "parquet"])
def test_thousands_that_a_format_with_types_holds_as_text_are_asked_for(
    tmp_path: Path, ending: str
) -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "dose": ["10.000", "500"]})
    path = tmp_path / f"people.{ending}"
    if ending == "xlsx":
        frame.to_excel(path, index=False)
    elif ending == "sav":
        pyreadstat.write_sav(frame, str(path))
    elif ending == "dta":
        pyreadstat.write_dta(frame, str(path))
    else:
        frame.to_parquet(path)
    assert "the column 'dose'" in refuse(path).finding
    assert read(path, decimal=".")["dose"] == ["10.000", "500"]
    if ending != "parquet":
        with pytest.raises(DataError, match="may be a decimal sign or thousands"):
            open_batches(path, choose=list, spool=tmp_path / "spool")


@pytest.mark.parametrize("rows", ["1;2,5\n2;3.5\n", "1;1.250\n2;1.500\n"])
def test_points_among_stated_decimal_commas_are_refused(tmp_path: Path, rows: str) -> None:
    error = refuse(write(tmp_path, "id;count\n" + rows), decimal=",")
    assert "with a point, and the decimal sign is a comma" in error.finding


def test_ten_thousand_columns_are_read(tmp_path: Path) -> None:
    names = [f"gene_{i}" for i in range(10_000)]
    row = [f"{i}.5" for i in range(10_000)]
    path = write(tmp_path, "\n".join([",".join(names), *[",".join(row)] * 3]))
    frame = read_table(path).frame
    assert frame.columns.tolist() == names
    assert frame.iloc[2].tolist() == row


def test_rows_beyond_the_first_part_are_read_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glabella.data.reading.delimited._CELLS_AT_A_TIME", 4)
    rows = "".join(f"{i},x\n" for i in range(7))
    assert read(write(tmp_path, "id,name\n" + rows))["id"] == [str(i) for i in range(7)]
    error = refuse(write(tmp_path, "id,name\n" + rows + "8\n" + rows + "9\n"))
    assert "2 of 16 from the header" in error.finding


PLAIN = {"id": ["P1", "P2"], "age": ["40", ""]}
HABITS = {
    "rows of bare commas at the end": "id,age\nP1,40\nP2,\n,\n,\n",
    "a row of bare commas within": "id,age\nP1,40\n,\nP2,\n",
    "bare commas above the header": ",\nid,age\nP1,40\nP2,\n",
    "bare commas of another width": "id,age\nP1,40\nP2,\n,,,,\n",
    "bare semicolons with blanks": "id;age\nP1;40\nP2;\n ; \n",
    "bare tabs": "id\tage\nP1\t40\nP2\t\n\t\n",
    "blank columns at the end": "id,age,,\nP1,40,,\nP2,,,\n",
    "Excel's first line": "sep=,\nid,age\nP1,40\nP2,\n",
    "Excel's first line with a mark": "\ufeffsep=;\r\nid;age\r\nP1;40\r\nP2;\r\n",
    "Excel's first line in quotes": '"sep=,"\nid,age\nP1,40\nP2,\n',
    "Excel's first line filled up": "SEP=,,\nid,age\nP1,40\nP2,\n",
    "Excel's first line with a tab": "sep=\t\nid\tage\nP1\t40\nP2\t\n",
    "R's row names": '"","id","age"\n"1","P1",40\n"2","P2",\n',
    "R's row names of a part": '"","id","age"\n"3","P1",40\n"17","P2",\n',
    "the index of pandas": ",id,age\n0,P1,40\n1,P2,\n",
    "all at once": "sep=;\n;id;age;\n1;P1;40;\n2;P2;;\n;;;\n",
}


@pytest.mark.parametrize("content", HABITS.values(), ids=list(HABITS))
@pytest.mark.parametrize("cells_at_a_time", [1, 500_000])
def test_habits_of_other_programs_are_read_as_their_writers_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, cells_at_a_time: int
) -> None:
    monkeypatch.setattr(delimited, "_CELLS_AT_A_TIME", cells_at_a_time)
    path = write(tmp_path, content, "people.txt")
    assert read(path) == PLAIN
    batches = open_batches(path, choose=list, spool=tmp_path / "spool", exact=["id"])
    found = pd.concat(batches.read(["id", "age"], rows=1), ignore_index=True)
    # In a batch a blank row within keeps its place, so that no score is another row's.
    assert found[found["id"] != ""].to_dict("list") == PLAIN


def test_a_blank_row_within_a_batch_keeps_its_place_and_one_at_the_end_is_none(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "id,age\nP1,40\n,\nP2,\n,\n,\n")
    table = open_batches(path, choose=list, spool=tmp_path / "spool")
    assert table.n_rows == 3
    assert next(table.read(["id"], rows=9))["id"].tolist() == ["P1", "", "P2"]


@pytest.mark.parametrize(
    ("content", "finding", "remedy"),
    [
        (",id\nAnna,P1\nBert,P2\n", "1 of 2 columns have no name: the first", "row.names = FALSE"),
        (",id\n2,P1\n1,P2\n", "1 of 2 columns have no name: the first", "index=False"),
        ("id,age,\nP1,40,\nP2,41,x\n", "1 of 3 columns have no name", "Name each column"),
        ('"id","age"\n"1","P1",40\n"2","P2",41\n', "2 of 2 from the header", "row.names = FALSE"),
        ("sep=^\nid^age\nP1^40\n", "the first line, `sep=`, names a delimiter", "without that"),
    ],
)
def test_what_may_be_meant_in_two_ways_is_refused_by_its_name(
    tmp_path: Path, content: str, finding: str, remedy: str
) -> None:
    error = refuse(write(tmp_path, content))
    assert finding in error.finding
    assert remedy in str(error.remedy)
    assert not any(cell in str(error) for cell in ("Anna", "P1"))


def test_a_stated_delimiter_goes_before_excels_first_line(tmp_path: Path) -> None:
    path = write(tmp_path, "sep=,\nid;age\nP1;40\nP2;\n")
    assert read(path, delimiter=";") == PLAIN


printable = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6)
names = st.lists(printable.map(lambda text: f"x{text}"), min_size=1, max_size=4, unique=True)


@given(
    table=names.flatmap(
        lambda header: st.tuples(
            st.just(header),
            st.lists(
                st.lists(printable, min_size=len(header), max_size=len(header)),
                min_size=1,
                max_size=4,
            ),
        )
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
)
def test_what_a_csv_writer_wrote_is_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory,
    table: tuple[list[str], list[list[str]]],
    delimiter: str,
) -> None:
    header, rows = table
    # Rows of bare delimiters are none, and a table needs one.
    kept = [row for row in rows if len(row) == 1 or any(cell.strip() for cell in row)]
    assume(kept)
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    path = write(tmp_path_factory.getbasetemp(), text.getvalue())
    # A point as the decimal sign leaves every cell alone, and any name may hold a delimiter.
    frame = read_table(path, ReadOptions(delimiter=delimiter, decimal=".")).frame  # type: ignore[arg-type]
    assert frame.columns.tolist() == header
    assert frame.to_numpy().tolist() == kept
