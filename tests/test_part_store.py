"""A folder of finished parts belongs to one process and one job, and says so to others."""

import json

import pytest

from glabella.atomic import LOCK_FILE, NotOursError
from glabella.errors import DataError
from glabella.part_store import PartStore, Wording


@pytest.fixture
def make(tmp_path):
    wording = Wording(
        place=tmp_path / "out.csv",
        busy="another job is writing this output",
        wait="Wait for it.",
        odd="nothing can be kept here",
        other="Name another file.",
        unwritten="the output can't be written",
        again="Correct that.",
    )
    return lambda: PartStore(tmp_path / "kept", "job.json", wording)


def test_one_process_has_it_until_it_is_released(make, tmp_path):
    first, second = make(), make()
    first.take("chunks")
    assert (tmp_path / "kept" / "chunks").is_dir()
    with pytest.raises(DataError, match="another job is writing this output") as refused:
        second.take()
    assert (refused.value.place, refused.value.remedy) == (
        str(tmp_path / "out.csv"), "Wait for it.",
    )  # fmt: skip
    first.release()
    second.take()
    second.release()


def test_a_link_is_refused_and_left_as_it_is(make, tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "kept").symlink_to(tmp_path / "theirs")
    with pytest.raises(DataError, match="nothing can be kept here: it is a link") as refused:
        make().take()
    assert refused.value.remedy == "It was left as it is. Name another file."
    assert not list((tmp_path / "theirs").iterdir())


def test_what_is_not_a_jobs_is_refused_before_it_is_taken(make, tmp_path):
    def refuse():
        raise NotOursError("it holds a thesis", tmp_path / "kept")

    (tmp_path / "kept").mkdir()
    with pytest.raises(DataError, match="it holds a thesis"):
        make().take("chunks", refuse_foreign=refuse)
    assert not list((tmp_path / "kept").iterdir())


def test_a_new_folder_is_not_asked_what_it_holds(make):
    def refuse():
        raise AssertionError("it is new")

    store = make()
    store.take(refuse_foreign=refuse)
    store.release()


def test_the_disk_that_refuses_is_said(make, tmp_path, monkeypatch):
    def fail(folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("glabella.part_store.make_folder", fail)
    with pytest.raises(DataError, match="the output can't be written: No space left") as refused:
        make().take()
    assert refused.value.remedy == "Correct that."


def test_what_differs_is_named_be_it_here_or_there_alone(make):
    store = make()
    store.take()
    store.write_identity({"model": "a", "table": [["new.csv", 3]], "old": 1})
    assert store.list_changes({"model": "a", "table": [["new.csv", 3]], "old": 1}) == []
    assert store.list_changes({"model": "b", "table": [["new.csv", 3]]}) == ["model", "old"]
    assert store.list_changes({"model": "a", "table": [], "old": 1, "form": "x"}) == [
        "table", "form",
    ]  # fmt: skip
    store.release()


@pytest.mark.parametrize("content", [None, "", "[1", "\x00"])
def test_a_folder_that_does_not_say_its_identity_is_known(make, content):
    store = make()
    store.take()
    if content is not None:
        store.identity_path.write_text(content)
    assert store.list_changes({"model": "a"}) is None
    store.release()


def test_it_is_removed_whole_but_for_what_is_not_its_own(make, tmp_path):
    store = make()
    store.take()
    store.write_identity({})
    assert json.loads(store.identity_path.read_text()) == {}
    (store.folder / "thesis.docx").write_text("precious")
    store.remove()
    store.release()
    assert [path.name for path in store.folder.iterdir()] == ["thesis.docx"]
    (store.folder / "thesis.docx").unlink()
    store.take()
    assert (store.folder / LOCK_FILE).exists()
    store.remove()
    store.release()
    assert not (tmp_path / "kept").exists()
