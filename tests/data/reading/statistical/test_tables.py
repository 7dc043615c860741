"""Tables of SAS, SPSS and Stata keep values and labels, and are refused unless they are whole."""

import datetime
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pandas as pd
import pyreadstat
import pytest

from glabella.data.cells import to_numbers
from glabella.data.reading.batches import open_batches
from glabella.data.reading.files import read_table
from glabella.data.reading.raw import ReadOptions
from glabella.errors import DataError

PEOPLE = pd.DataFrame(
    {
        "id": [f"QQ-{i:03d}" for i in range(30)],
        "name": ["Müller", "x"] * 15,
        "age": [40.0 + i for i in range(30)],
        "sex": [1.0, 2.0] * 15,
    }
)
SEXES = {"sex": {1: "male", 2: "female"}}
WRITERS: dict[str, Callable[[str], None]] = {
    "v5.xpt": lambda path: pyreadstat.write_xport(PEOPLE, path, file_format_version=5),
    "v8.xpt": lambda path: pyreadstat.write_xport(PEOPLE, path, file_format_version=8),
    "p.sav": lambda path: pyreadstat.write_sav(PEOPLE, path, variable_value_labels=SEXES),
    "p.zsav": lambda path: pyreadstat.write_sav(
        PEOPLE, path, variable_value_labels=SEXES, compress=True
    ),
    "compressed.sav": lambda path: pyreadstat.write_sav(
        PEOPLE, path, variable_value_labels=SEXES, row_compress=True
    ),
    **{
        f"v{version}.dta": lambda path, version=version: pyreadstat.write_dta(
            PEOPLE, path, variable_value_labels=SEXES, version=version
        )
        for version in (8, 12, 13, 15)
    },
}


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str], Path]:
    def write(name: str) -> Path:
        path = tmp_path / name
        WRITERS[name](str(path))
        return path

    return write


def refuse(path: Path, **options: str) -> DataError:
    with pytest.raises(DataError) as caught:
        read_table(path, ReadOptions.model_validate(options))
    assert "QQ" not in str(caught.value)
    assert "Müller" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_cut_anywhere_is_refused(make: Callable[[str], Path], name: str) -> None:
    path = make(name)
    content = path.read_bytes()
    cuts = {1, 79, 80, 400, len(content) // 2, len(content) // 3, len(content) - 1}
    cuts |= {len(content) - 80, len(content) - 160, len(content) // 160 * 80}
    cuts |= set(range(100, len(content), len(content) // 40))
    for cut in sorted(cuts):
        path.write_bytes(content[:cut])
        assert "not a whole" in refuse(path).finding


def test_a_sas_file_cut_anywhere_is_refused(checkout: Path, tmp_path: Path) -> None:
    content = (checkout / "tests/reference/participants.sas7bdat").read_bytes()
    path = tmp_path / "p.sas7bdat"
    for cut in [*range(1, len(content), 1011), len(content) - 1]:
        path.write_bytes(content[:cut])
        assert refuse(path).finding == "this is not a whole SAS file"


@pytest.mark.parametrize("name", WRITERS)
def test_text_under_another_ending_is_refused(
    make: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    path = make(name)
    path.write_text("id,age\n1,40\n" * 20)
    assert "not a whole" in refuse(path).finding


def test_a_transport_file_of_several_tables_is_refused(make: Callable[[str], Path]) -> None:
    path = make("v5.xpt")
    content = path.read_bytes()
    member = content.index(b"HEADER RECORD*******MEMBER ")
    path.write_bytes(content + content[member:])
    assert str(refuse(path)) == (
        "v5.xpt: the file holds 2 tables\n  Write each into a file of its own."
    )


def test_a_transport_file_that_states_no_number_of_rows_is_read(
    make: Callable[[str], Path],
) -> None:
    path = make("v8.xpt")
    content = path.read_bytes()
    at = content.index(b"OBSV8   HEADER RECORD!!!!!!!") + 28
    path.write_bytes(content[:at] + b"0" * 15 + content[at + 15 :])
    assert len(read_table(path).frame) == 30


@pytest.mark.parametrize("rows", [29, 31])
def test_a_transport_file_with_another_number_of_rows_than_stated_is_refused(
    make: Callable[[str], Path], rows: int
) -> None:
    path = make("v8.xpt")
    content = path.read_bytes()
    at = content.index(b"OBSV8   HEADER RECORD!!!!!!!") + 28
    path.write_bytes(content[:at] + b"%15d" % rows + content[at + 15 :])
    assert refuse(path).finding == "this is not a whole SAS transport file"


def test_blank_text_in_the_last_row_of_a_transport_file_is_no_cut(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "note": ["a long note of a visit" * 9, ""]})
    path = tmp_path / "p.xpt"
    pyreadstat.write_xport(frame, str(path), file_format_version=5)
    assert read_table(path).frame["note"].tolist() == frame["note"].tolist()


def test_a_file_that_states_fewer_rows_than_it_has_is_not_read_in_part(
    make: Callable[[str], Path],
) -> None:
    path = make("p.sav")
    content = bytearray(path.read_bytes())
    content[80:84] = struct.pack("<i", -1)
    path.write_bytes(content)
    assert "does not say how many rows it has" in refuse(path).finding


def test_a_repeated_column_is_refused(make: Callable[[str], Path]) -> None:
    path = make("v5.xpt")
    path.write_bytes(path.read_bytes().replace(b"\x03age     ", b"\x03sex     "))
    assert refuse(path).finding == "the column 'sex' appears twice"


def test_text_of_an_unnamed_encoding_is_refused_until_it_is_stated(
    make: Callable[[str], Path],
) -> None:
    for name in ("v5.xpt", "v12.dta"):
        path = make(name)
        path.write_bytes(path.read_bytes().replace("Müller".encode(), b"M\xfcller "))
        assert str(refuse(path)) == (
            f"{name}: its text can't be read as UTF-8\n"
            "  State the encoding of the session that wrote it, such as `encoding: cp1252`."
        )
        stated = read_table(path, ReadOptions(encoding="cp1252")).frame
        assert stated["name"].str.strip().tolist() == PEOPLE["name"].tolist()


def test_a_sas_file_that_names_no_encoding_is_read_as_utf_8_or_as_stated(
    checkout: Path, tmp_path: Path
) -> None:
    content = bytearray((checkout / "tests/reference/participants.sas7bdat").read_bytes())
    content[70] = 0
    path = tmp_path / "p.sas7bdat"
    path.write_bytes(content)
    assert read_table(path).frame["name"].iloc[0] == "Müller"
    path.write_bytes(content.replace("Müller".encode(), b"M\xfcller "))
    assert refuse(path).finding == "its text can't be read as UTF-8"
    assert read_table(path, ReadOptions(encoding="cp1252")).frame["name"].iloc[0] == "Müller"


def test_an_unknown_encoding_is_refused(make: Callable[[str], Path]) -> None:
    assert "`encoding: cp12522`" in refuse(make("v5.xpt"), encoding="cp12522").finding


def test_values_that_mean_missing_are_missing_and_keys_of_labels_are_text(tmp_path: Path) -> None:
    path = tmp_path / "p.sav"
    frame = pd.DataFrame({"sex": [1.0, 2.0, 9.0], "arm": ["a", "b", "X"], "dose": [0.5, 1, 1]})
    pyreadstat.write_sav(
        frame,
        str(path),
        missing_ranges={"sex": [9], "arm": ["X"]},
        variable_value_labels={
            "sex": {1: "male", 9: "unknown"},
            "arm": {"a": "active"},
            "dose": {0.5: "half"},
        },
    )
    read = read_table(path)
    assert read.frame["sex"].isna().tolist() == [False, False, True]
    assert read.frame["arm"].isna().tolist() == [False, False, True]
    assert read.value_labels == {
        "sex": {"1": "male", "9": "unknown"},
        "arm": {"a": "active"},
        "dose": {"0.5": "half"},
    }


def test_sas_special_missing_values_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "p.xpt"
    pyreadstat.write_xport(pd.DataFrame({"id": ["a", "b"], "age": [40.0, None]}), str(path))
    missing = b".\0\0\0\0\0\0\0"
    assert missing in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(missing, b"A\0\0\0\0\0\0\0"))
    assert read_table(path).frame["age"].isna().tolist() == [False, True]


def test_a_time_stays_a_time(tmp_path: Path) -> None:
    path = tmp_path / "p.sav"
    noon = datetime.datetime(2020, 1, 2, 12, 30)
    pyreadstat.write_sav(pd.DataFrame({"at": [noon]}), str(path))
    assert read_table(path).frame["at"].tolist() == [noon]


def test_a_day_outside_the_calendar_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.sav"
    pyreadstat.write_sav(
        pd.DataFrame({"day": [1e15]}), str(path), variable_format={"day": "DATE11"}
    )
    assert refuse(path).finding == "a date lies outside the years 1 to 9999"


def test_a_file_of_an_early_stata_is_refused_by_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "p.dta"
    path.write_bytes(b"\x69\x02\x01\x00" + bytes(200))
    assert refuse(path).finding == "the file was written by Stata 7 or earlier"


def shorten(path: Path, width: int) -> None:
    """Give the numbers of a transport file, all of whose columns are such, fewer bytes."""
    content = bytearray(path.read_bytes())
    names = content.index(b"HEADER RECORD*******NAMESTR ") + 80
    count = int(content[names - 80 + 54 : names - 80 + 58])
    for number in range(count):
        at = names + 140 * number
        content[at + 4 : at + 6] = width.to_bytes(2, "big")
        content[at + 84 : at + 88] = (width * number).to_bytes(4, "big")
    start = content.index(b"HEADER RECORD*******OBS     ") + 80
    cells = content[start:].rstrip(b" ")
    cells += bytes(-len(cells) % 8)
    rows = b"".join(cells[at : at + width] for at in range(0, len(cells), 8))
    path.write_bytes(bytes(content[:start]) + rows.ljust(-(-len(rows) // 80) * 80))


DECIMALS = pd.DataFrame({"age": [23.0, 16.1, 8.7, -3.3], "week": [0.0, 8.7, 2.5, 70.1]})


@pytest.mark.parametrize("width", [3, 4, 5, 6, 7, 8])
def test_numbers_that_a_transport_file_keeps_short_are_what_was_written(
    tmp_path: Path, width: int
) -> None:
    path = tmp_path / "short.xpt"
    pyreadstat.write_xport(DECIMALS, str(path), file_format_version=5)
    shorten(path, width)
    found, described = pyreadstat.read_xport(str(path))
    assert set(described.variable_storage_width.values()) == {width}
    assert (width == 8) == found.equals(DECIMALS)
    pd.testing.assert_frame_equal(read_table(path).frame, DECIMALS, check_exact=True)
    assert read_in_batches(path, tmp_path)["age"].tolist() == DECIMALS["age"].tolist()


@pytest.mark.parametrize("width", [3, 4, 5, 6, 7])
def test_numbers_that_a_sas_file_keeps_short_are_what_was_written(
    checkout: Path, tmp_path: Path, width: int
) -> None:
    content = bytearray((checkout / "tests/reference/participants.sas7bdat").read_bytes())
    # A column of numbers is described by where it is in a row, how long it is, and its kind.
    described = [struct.pack("<qiHB", 16, length, 4, 1) for length in (8, width)]
    assert content.count(described[0]) == 1
    content = content.replace(*described)
    for age, other in ((40.0, 16.1), (41.5, 8.7)):
        at = content.index(struct.pack("<d", age))
        content[at : at + 8] = struct.pack("<d", other)[8 - width :].ljust(8, b"\0")
    path = tmp_path / "p.sas7bdat"
    path.write_bytes(content)
    assert pyreadstat.read_sas7bdat(str(path))[0]["age"][0] != 16.1
    assert read_table(path).frame["age"][[0, 2]].tolist() == [16.1, 8.7]


@pytest.mark.parametrize("version", [114, 117, 118])
def test_a_float_of_stata_is_the_decimal_that_was_written(
    tmp_path: Path, version: Literal[114, 117, 118]
) -> None:
    path = tmp_path / "f.dta"
    DECIMALS.astype("float32").to_stata(path, write_index=False, version=version)
    pd.testing.assert_frame_equal(read_table(path).frame, DECIMALS, check_exact=True)
    assert read_in_batches(path, tmp_path)["week"].tolist() == DECIMALS["week"].tolist()


def test_what_became_a_double_after_single_precision_is_the_decimal_too(tmp_path: Path) -> None:
    path = tmp_path / "f.sav"
    pyreadstat.write_sav(DECIMALS.astype("float32").astype(float), str(path))
    frame = read_table(path).frame
    assert to_numbers(frame["week"]).tolist() == DECIMALS["week"].tolist()


def read_in_batches(path: Path, folder: Path) -> pd.DataFrame:
    table = open_batches(path, choose=list, spool=folder / "spool")
    return pd.concat(table.read(table.names, rows=3), ignore_index=True)
