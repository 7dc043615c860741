"""A file is read with the options of training's files, and of its form."""

import pandas as pd
import pyarrow.parquet as pq
import pytest

from glabella.bundle.tables import (
    TableRequest,
    make_request,
    name_options,
    open_table,
    read_whole_table,
)
from glabella.data.reading.raw import ReadOptions
from glabella.errors import DataError


def _write(path, ages, *, delimiter=",", encoding="utf-8", last="geschlecht"):
    rows = [delimiter.join(["id", "age", last])]
    rows += [delimiter.join([f"é{at}", age, "1"]) for at, age in enumerate(ages)]
    path.write_text("\n".join(rows) + "\n", encoding=encoding)
    return path


def _with_options(manifest, **options):
    form = manifest.form.model_copy(update={"read": ReadOptions(**options)})
    return manifest.model_copy(update={"forms": (form, *manifest.forms[1:])})


def test_a_table_is_the_same_read_at_once_or_in_batches(manifest, tmp_path):
    path = _write(tmp_path / "new.csv", ["30", "40"])
    raw, whole = read_whole_table(path, manifest, TableRequest())
    table, opened = open_table(path, manifest, TableRequest(), spool=tmp_path / "spool")
    assert whole.chosen.form == opened.chosen.form == manifest.form
    columns = list(whole.chosen.form.needed_columns)
    batches = pd.concat(table.read(columns, rows=1), ignore_index=True)
    assert batches.astype(str).equals(raw.frame[columns].astype(str))


def test_a_file_in_trainings_encoding_or_in_utf_8_gives_the_same_identifiers(manifest, tmp_path):
    stated = _with_options(manifest, encoding="cp1252")
    for encoding in ("cp1252", "utf-8"):
        path = _write(tmp_path / f"{encoding}.csv", ["30"], encoding=encoding)
        raw, _ = read_whole_table(path, stated, TableRequest())
        assert raw.frame["id"].tolist() == ["é0"]


def test_a_delimiter_that_changed_since_training_is_found(manifest, tmp_path):
    stated = _with_options(manifest, delimiter=";")
    raw, _ = read_whole_table(_write(tmp_path / "new.csv", ["30"]), stated, TableRequest())
    assert raw.frame["age"].tolist() == ["30"]


def test_what_the_user_states_comes_before_what_training_stated(manifest, tmp_path):
    stated = _with_options(manifest, decimal=",")
    path = _write(tmp_path / "new.csv", ["30,5"], delimiter=";")
    _, found = read_whole_table(path, stated, make_request(read={"decimal": "."}))
    assert found.chosen.options.decimal == "."
    _, found = read_whole_table(path, stated, TableRequest())
    assert found.chosen.options.decimal == ","


def test_a_folder_of_parquet_parts_is_one_table(manifest, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, age in enumerate([30.0, 40.0]):
        part = pd.DataFrame({"id": [str(number)], "age": [age], "geschlecht": ["1"]})
        part.to_parquet(folder / f"part-{number}.parquet")
    assert pq.read_table(folder).num_rows == 2
    raw, _ = read_whole_table(folder, manifest, TableRequest())
    assert sorted(raw.frame["age"].tolist()) == [30.0, 40.0]


def test_a_missing_column_is_named_with_the_nearest_form(manifest, tmp_path):
    path = _write(tmp_path / "new.csv", ["30"], last="geschlect")
    with pytest.raises(DataError, match="lacks the column 'geschlecht'") as caught:
        read_whole_table(path, manifest, TableRequest())
    assert "'clinic' is the nearest" in str(caught.value)


def test_options_that_no_file_has_are_refused():
    assert make_request(read={"delimiter": "tab"}).read.delimiter == "\t"
    for read in ({"decimal": "'"}, {"separator": ";"}):
        with pytest.raises(DataError, match="can't be read with these options"):
            make_request(read=read)


def test_a_remedy_names_the_commands_options():
    assert name_options("State `encoding: cp1252` or `sheet:`.") == (
        "State `--encoding cp1252` or `--sheet`."
    )
