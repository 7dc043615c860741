"""Twenty kinds of broken file: each is refused with the reason, nothing is written or told."""

import zipfile

import numpy as np
import pandas as pd
import pytest

from glabella.errors import DataError

SECRET = "Q7X-participant"


def _write_text(text):
    return lambda frame, path: path.write_text(text(frame), encoding="utf-8")


def _cut(frame, path):
    frame.to_parquet(path)
    path.write_bytes(path.read_bytes()[:-40])


def _flip_page(frame, path):
    frame.to_parquet(path, compression="gzip")
    content = bytearray(path.read_bytes())
    content[60:80] = bytes(20)
    path.write_bytes(content)


def _two_sheets(frame, path):
    with pd.ExcelWriter(path) as book:
        frame.to_excel(book, sheet_name="one", index=False)
        frame.to_excel(book, sheet_name="two", index=False)


def _cut_workbook(frame, path):
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("xl/workbook.xml", f"<{SECRET}")


def _cut_stata(frame, path):
    frame.to_stata(path, write_index=False)
    path.write_bytes(path.read_bytes()[:-30])


FILES = {
    "an empty file": ("new.csv", _write_text(lambda _: ""), "the file is empty"),
    "a header alone": (
        "new.csv",
        _write_text(lambda frame: frame.head(0).to_csv(index=False)),
        "a header and no rows",
    ),
    "no header": (
        "new.csv",
        _write_text(lambda frame: frame.to_csv(index=False, header=False)),
        "it is no header",
    ),
    "a column too few": (
        "new.csv",
        _write_text(lambda frame: frame.drop(columns="illness").to_csv(index=False)),
        "lacks the column 'illness'",
    ),
    "a column misspelt": (
        "new.csv",
        _write_text(lambda frame: frame.rename(columns={"sex": "Sex"}).to_csv(index=False)),
        "Did you mean 'Sex'",
    ),
    "a column twice": (
        "new.csv",
        _write_text(lambda frame: frame.assign(AGE=1).to_csv(index=False).replace("AGE", "age")),
        "the column 'age' appears twice",
    ),
    "a column without a name": (
        "new.csv",
        _write_text(lambda frame: frame.assign(x=1).to_csv(index=False).replace(",x\n", ",\n")),
        "have no name",
    ),
    "a row too short": (
        "new.csv",
        _write_text(lambda frame: frame.to_csv(index=False) + f"{SECRET},44\n"),
        "rows differ in their number of cells",
    ),
    "a quote that does not end": (
        "new.csv",
        _write_text(lambda frame: frame.to_csv(index=False) + f'"{SECRET},44\n'),
        "a quoted cell does not end",
    ),
    "NUL bytes": (
        "new.csv",
        _write_text(lambda frame: frame.to_csv(index=False) + f"{SECRET}\0\n"),
        "NUL bytes",
    ),
    "another encoding": (
        "new.csv",
        lambda frame, path: path.write_bytes(
            frame.to_csv(index=False).encode() + "Jos\xe9".encode("latin-1")
        ),
        "UTF-8",
    ),
    "several delimiters": (
        "new.csv",
        _write_text(lambda frame: "a;b,c\n1;2,3\n4;5,6\n"),
        "several delimiters",
    ),
    "decimal signs that may be thousands": (
        "new.csv",
        _write_text(lambda frame: frame.assign(illness="1,234").to_csv(index=False, sep=";")),
        "decimal sign or thousands",
    ),
    "a page where a table should be": (
        "new.csv",
        _write_text(lambda _: f"<!doctype html>\n<html><body>{SECRET}</body></html>\n"),
        "lacks the column",
    ),
    "a Parquet file that was cut off": ("new.parquet", _cut, "not a whole Parquet file"),
    "a Parquet file with damaged pages": ("new.parquet", _flip_page, "not a whole Parquet file"),
    "text that is called Parquet": (
        "new.parquet",
        _write_text(lambda frame: frame.to_csv(index=False)),
        "not a whole Parquet file",
    ),
    "a workbook of two sheets": ("new.xlsx", _two_sheets, "the workbook has 2 sheets"),
    "a workbook that was cut off": ("new.xlsx", _cut_workbook, "not a whole Excel workbook"),
    "a Stata file that was cut off": ("new.dta", _cut_stata, "not a whole Stata file"),
    "an SPSS file of nothing": ("new.sav", _write_text(lambda _: SECRET), "not a whole SPSS file"),
    "a kind that is not read": ("new.json", _write_text(lambda _: "{}"), "can't be read"),
    "a column in other units": (
        "new.csv",
        _write_text(lambda frame: frame.assign(age=frame["age"] * 12).to_csv(index=False)),
        "its unit or coding looks wrong",
    ),
    "a folder without parts": ("new", lambda _, path: path.mkdir(), "holds no Parquet file"),
    "a file that is not there": ("new.csv", lambda frame, path: None, "there is no such file"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_broken_file_is_refused_and_nothing_is_written(new_patients, score_whole, tmp_path, kind):
    name, make, finding = FILES[kind]
    frame = new_patients.assign(usubjid=[f"{SECRET}-{at}" for at in np.arange(len(new_patients))])
    folder = tmp_path / "given"
    folder.mkdir()
    make(frame, folder / name)
    with pytest.raises(DataError) as caught:
        score_whole(folder / name, "scores.csv")
    assert finding in str(caught.value)
    assert SECRET not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["given"]


def test_they_are_twenty_at_least():
    assert len(FILES) >= 20
