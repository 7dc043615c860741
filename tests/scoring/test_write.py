"""Rows that were written are read as they were, whatever their identifiers look like."""

import pandas as pd
import pyarrow
import pytest

from glabella.scoring.write import TableWriter, read_written


def _table(ids, probability, **more):
    return pyarrow.table({"id": ids, "response_probability": probability, **more})


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_batches_become_one_table_with_the_types_of_the_first(tmp_path, ending):
    path = tmp_path / f"out.{ending}"
    with TableWriter(path) as writer:
        writer.add(_table(["007", "NA"], [0.1, None], count=[1, None]))
        writer.add(_table(["1e3", ""], [0.30000000000000004, 0.2], count=[2, 3]))
    found = read_written(path)
    assert found["id"].tolist() == ["007", "NA", "1e3", ""]
    assert found["response_probability"].isna().tolist() == [False, True, False, False]
    assert found["response_probability"][2] == 0.30000000000000004
    assert found["count"].dropna().tolist() == [1, 2, 3]


def test_whole_numbers_with_a_missing_one_are_written_whole(tmp_path):
    path = tmp_path / "out.csv"
    with TableWriter(path) as writer:
        writer.add(_table([2**53 + 1, None], [0.1, 0.2]))
    assert path.read_text().splitlines() == [
        "id,response_probability", "9007199254740993,0.1", ",0.2"
    ]  # fmt: skip


def test_a_carriage_return_stays_inside_its_cell(tmp_path):
    path = tmp_path / "out.csv"
    with TableWriter(path) as writer:
        writer.add(_table(["a\rb", "c"], [0.1, 0.2]))
    assert read_written(path)["id"].tolist() == ["a\rb", "c"]


def test_an_existing_file_is_not_written_over(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("precious")
    with pytest.raises(FileExistsError), TableWriter(path) as writer:
        writer.add(_table(["a"], [0.1]))
    assert path.read_text() == "precious"


def test_a_dictionary_column_is_read_as_text(tmp_path):
    words = pyarrow.array(["scored", "refused"]).dictionary_encode()
    with TableWriter(tmp_path / "out.parquet") as writer:
        writer.add(_table(["a", "b"], [0.1, None], status=words))
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found["status"].tolist() == ["scored", "refused"]
    assert not isinstance(found["status"].dtype, pd.CategoricalDtype)
