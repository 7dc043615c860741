"""The steps of the page, done: the format that it shows is read in every way that tables are."""

import re

import numpy as np
import pytest

from glabella.data.reading.batches import open_batches
from glabella.data.reading.files import READERS, read_table
from glabella.errors import DataError

ROWS = '{"id": "007", "age": 61, "sex": "F"}\n{"id": "010", "age": null, "sex": "NO"}\n'


@pytest.fixture
def table(checkout, monkeypatch, tmp_path):
    text = (checkout / "docs" / "how_to_add_a_reader.md").read_text("utf-8")
    [block] = re.findall(r"   ```python\n(.*?)   ```", text, flags=re.DOTALL)
    names = {}
    exec(re.sub(r"^   ", "", block, flags=re.MULTILINE), names)
    monkeypatch.setitem(READERS, ".jsonl", names["read_json_lines"])
    path = tmp_path / "patients.jsonl"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_the_format_of_the_page_is_read_as_it_is_written(table):
    frame = read_table(table).frame
    assert frame["id"].tolist() == ["007", "010"]
    assert frame["sex"].tolist() == ["F", "NO"]
    np.testing.assert_array_equal(frame["age"].to_numpy(dtype=float), [61.0, np.nan])


def test_it_is_read_for_scoring_too(table, tmp_path):
    batches = open_batches(table, choose=list, spool=tmp_path / "spool", exact=("id",))
    [batch] = list(batches.read(["id", "age"], rows=10))
    assert batch["id"].tolist() == ["007", "010"]


def test_a_damaged_file_is_refused_without_a_cell_and_other_endings_are_named(table, tmp_path):
    table.write_text(ROWS + '{"id": "0', encoding="utf-8")
    with pytest.raises(DataError, match="no JSON object") as caught:
        read_table(table)
    assert "007" not in str(caught.value)
    (tmp_path / "patients.ods").write_text("x")
    with pytest.raises(DataError, match=r"and \.jsonl files"):
        read_table(tmp_path / "patients.ods")
